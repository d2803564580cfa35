"""What it costs to know who asks: tokens and passwords that are known, and many new tokens at once.

Keystone is one in memory behind a web server in a process of its own, whose every answer takes KEYSTONE_MS.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.bars.bed import Row, load, stall_row, turns
from tests.bed.appliance import Appliance
from tests.bed.identity import add_account, basic_appliance

KEYSTONE_MS = 20
TOKENS = 1000
MINUTE_SECONDS = 60.0
QUEUE_MS = 200
ROUNDS = 7


@contextmanager
def keystone(tokens: int) -> Iterator[dict[str, Any]]:
    """Run a Keystone; what it printed."""
    command = (sys.executable, "-m", "bench.bars.keystone", str(KEYSTONE_MS), str(tokens))
    process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if process.stdout is None:
            raise RuntimeError("Keystone has no output")
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate(timeout=10)


@contextmanager
def started(appliance: Appliance) -> Iterator[Appliance]:
    """Run an appliance."""
    try:
        appliance.start("/healthz")
        yield appliance
    finally:
        appliance.close()


def keystone_appliance(directory: Path, asked: Mapping[str, Any]) -> Appliance:
    """Return an appliance that validates tokens there."""
    directory.mkdir()
    password = directory / "password"
    password.touch(mode=0o600)
    password.write_text(asked["password"])
    settings = {
        "api.auth": "keystone",
        "keystone.auth_url": asked["url"],
        "keystone.password_file": str(password),
    }
    return Appliance(directory, settings=settings)


def identity_bar() -> Iterator[Row]:
    """Known callers first, then many new tokens."""
    with tempfile.TemporaryDirectory(prefix="quantumd-bench-") as home:
        yield from _known(Path(home))
        for name, measure in {"paced": _paced, "burst": _burst}.items():
            with keystone(3 * TOKENS) as asked:
                with started(keystone_appliance(Path(home) / name, asked)) as appliance:
                    yield from measure(appliance, asked["tokens"])


def _known(home: Path) -> Iterator[Row]:
    with ExitStack() as stack:
        asked = stack.enter_context(keystone(1))
        root = add_account(home / "users", "root", "a long enough password", "p1", "admin")
        open_to_all = stack.enter_context(started(Appliance(home / "none")))
        by_token = stack.enter_context(started(keystone_appliance(home / "keystone", asked)))
        by_password = stack.enter_context(started(basic_appliance(home / "basic", home / "users")))
        token = {"X-Auth-Token": asked["tokens"][0]}
        plain = _p50s(open_to_all, {})
        for what, appliance, headers in (("token", by_token, token), ("password", by_password, root.header)):
            seen = _p50s(appliance, headers)
            # Side by side, for the machine is not the same from minute to minute.
            plain = _p50s(open_to_all, {})
            more = statistics.median(seen) - statistics.median(plain)
            figure = f"{more:+.2f} ms ({statistics.median(seen):.2f} / {statistics.median(plain):.2f})"
            yield Row(
                f"known {what}: show network beside auth none, p50 of one client", "< 1 ms more", figure, more < 1
            )


def _p50s(appliance: Appliance, headers: Mapping[str, str]) -> list[float]:
    made = appliance.request("POST", "/v2.0/networks", {"network": {"name": "bench"}}, headers).body["network"]
    request = ("GET", f"/v2.0/networks/{made['id']}", "", headers)
    return [_checked(load(appliance.port, 1, 300, [request]))["p50_ms"] for _ in range(ROUNDS)]


def _checked(done: dict[str, Any]) -> dict[str, Any]:
    if set(done["statuses"]) != {"200"}:
        raise RuntimeError(f"answers that nobody wants: {done['statuses']}")
    return done


def _paced(appliance: Appliance, tokens: Sequence[str]) -> Iterator[Row]:
    _warm(appliance, tokens[-1])
    connection = HTTPConnection(appliance.host, appliance.port, timeout=10)
    began, times = time.monotonic(), []
    for number, token in enumerate(tokens[:TOKENS]):
        time.sleep(max(0.0, began + number * MINUTE_SECONDS / TOKENS - time.monotonic()))
        asked = time.monotonic()
        connection.request("GET", "/v2.0/networks?fields=id", headers={"X-Auth-Token": token})
        if connection.getresponse().read() is None:
            raise RuntimeError("no answer")
        times.append((time.monotonic() - asked) * 1000 - KEYSTONE_MS)
    connection.close()
    times.sort()
    figure = f"p50 {times[TOKENS // 2]:.1f}, longest {times[-1]:.0f} ms"
    what = f"{TOKENS} new tokens in a minute, beyond Keystone's {KEYSTONE_MS} ms"
    yield Row(what, f"≤ {QUEUE_MS} ms", figure, times[-1] <= QUEUE_MS)
    yield _waits("  in quantumd's own count, waits for a connection over 200 ms", appliance)
    yield stall_row("new tokens in a minute", *turns(appliance))


def _burst(appliance: Appliance, tokens: Sequence[str]) -> Iterator[Row]:
    _warm(appliance, tokens[-1])
    left = iter(tokens)
    for clients, count, is_bar in ((100, 100, True), (50, TOKENS, True), (TOKENS, TOKENS, False)):
        requests = [("GET", "/v2.0/networks?fields=id", "", {"X-Auth-Token": next(left)}) for _ in range(count)]
        done = _checked(load(appliance.port, clients, count, requests))
        longest = done["max_ms"] - KEYSTONE_MS
        rate = count / done["seconds"]
        what = f"{count} new tokens from {clients} connections at once, beyond Keystone's"
        met = longest <= QUEUE_MS if is_bar else None
        yield Row(what, f"≤ {QUEUE_MS} ms" if is_bar else "", f"longest {longest:.0f} ms, {rate:.0f}/s", met)
    yield stall_row("new tokens at once", *turns(appliance))


def _warm(appliance: Appliance, token: str) -> None:
    # The first question logs in; that is not what is measured.
    appliance.request("GET", "/v2.0/networks", headers={"X-Auth-Token": token})


def _waits(what: str, appliance: Appliance) -> Row:
    metrics = appliance.metrics()
    over = metrics["quantumd_token_wait_seconds_count"] - metrics['quantumd_token_wait_seconds_bucket{le="0.2"}']
    return Row(what, "0", f"{over:.0f}", over == 0)
