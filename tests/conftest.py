"""How the suite runs: a time limit for every test, and nothing skipped in silence."""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.bed.counts import count
from tests.bed.figures import VARIABLE, noted
from tests.bed.needs import PREFIX

LIMIT_SECONDS = float(count(150, 1500))
_IN_CI = os.environ.get("CI", "") not in ("", "0", "false")


class TestTookTooLong(BaseException):
    """A test ran over its time limit. Not an Exception: code under test must not swallow it."""


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of longer tests, and give figures a place."""
    os.environ.setdefault(VARIABLE, os.path.join(tempfile.mkdtemp(prefix="quantumd-tests-"), "figures"))
    limit = "time_limit(seconds): how long this test may run, instead of 150, or 1,500 in a soak"
    config.addinivalue_line("markers", limit)


@pytest.fixture(autouse=True, scope="session")
def _away_from_the_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run the suite in a directory of its own: trial's ``mktemp`` makes files in the current one."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("work"))
    yield
    os.chdir(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End a test that runs too long. A stuck reactor is ended by trial's own limit, a stuck C call by faulthandler."""
    marker = item.get_closest_marker("time_limit")
    seconds = float(marker.args[0]) if marker else LIMIT_SECONDS

    def too_long(_signal: int, _frame: FrameType | None) -> None:
        raise TestTookTooLong(f"{item.nodeid} ran longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _reasons(terminal: Any) -> Counter[str]:
    """Count the skipped tests of a run by reason."""
    reasons: Counter[str] = Counter()
    for report in terminal.stats.get("skipped", []):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[text.removeprefix("Skipped: ").strip()] += 1
    return reasons


def _is_refused(reason: str) -> bool:
    return reason in ("", "Skipped", "unconditional skip") or (_IN_CI and reason.startswith(PREFIX))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in which a test was skipped without a reason, or in CI for want of something on the machine."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and exitstatus == 0 and any(_is_refused(reason) for reason in _reasons(terminal)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was measured, and what was skipped and why."""
    terminalreporter.section("figures")
    for line in noted() or ["none"]:
        terminalreporter.write_line(line)
    reasons = _reasons(terminalreporter)
    terminalreporter.section("skipped tests")
    if not reasons:
        terminalreporter.write_line("none")
    for reason, number in reasons.most_common():
        verdict = "  <- not allowed" if _is_refused(reason) else ""
        terminalreporter.write_line(f"{number:5}  {reason or '(no reason)'}{verdict}")
