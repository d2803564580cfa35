"""Runs all tests as two processes at once: those that need the real world, which mostly wait for it, and the others.

``python -m tests.run [options of pytest]``. What the first one that ends has printed comes first; the status is that of
the worse one. With a path among the options only that is run, by one process that prints as it goes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_ALL = "tests"
_WORLD = "tests/functional"
_BESIDE = tuple(
    f"{_WORLD}/test_{name}.py"
    for name in (
        "amqp_bus",
        "ansible",
        "bus_faults",
        "bus_losses",
        "bus_outage",
        "deploy",
        "fuzz",
        "host_users",
        "packet_logging",
        "qos",
        "sdk_suite",
        "storms",
        "taps",
    )
)
"""Of those the ones that go with the others, so that both processes take about as long."""


def main(options: Sequence[str]) -> int:
    """Run pytest; return its status."""
    others = [each for each in options if each != _ALL]
    if len(others) == len(options):
        return subprocess.run(_pytest(options), check=False).returncode
    world = [_WORLD, *(f"--ignore={each}" for each in _BESIDE)]
    rest = [str(each) for each in sorted(Path(_ALL).iterdir()) if _has_tests(each) and str(each) != _WORLD]
    parts = ([*others, *world], [*others, *rest, *_BESIDE])
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        running = [
            (subprocess.Popen(_pytest(part), stdout=to, stderr=subprocess.STDOUT), to)
            for part, to in zip(parts, (first, second), strict=True)
        ]
        return max(_ended(process, printed) for process, printed in reversed(running))


def _has_tests(path: Path) -> bool:
    return path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py"))


def _ended(process: subprocess.Popen[bytes], printed: IO[bytes]) -> int:
    status = process.wait()
    printed.seek(0)
    sys.stdout.write(printed.read().decode(errors="replace"))
    sys.stdout.flush()
    return status


def _pytest(options: Sequence[str]) -> list[str]:
    # Each with a cache of its own: two that write the same one lose what the other found.
    kind = "functional" if _WORLD in options else "others"
    return [sys.executable, "-m", "pytest", "-o", f"cache_dir={Path('.pytest_cache') / kind}", *options]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
