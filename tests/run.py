"""Runs all tests as three processes at once: those that move packets, those about servers and clients, and the others.

Most of them wait for the world, so three share two cores well; what counts lost packets at a thousand a second goes
before them, alone. ``python -m tests.run [options of pytest]``. What they print comes whole, one after the other; the
status is 1 when one of them failed or was killed. With a path among the options only that is run, by one process that
prints as it goes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_ALL = "tests"
_WORLD = "tests/functional"


def _files(*names: str) -> tuple[str, ...]:
    return tuple(f"{_WORLD}/test_{name}.py" for name in names)


_ALONE = _files("restart")
"""A switch that has to share its core loses frames by itself."""

_SERVICES = _files(
    "amqp",
    "amqp_bus",
    "bus_losses",
    "client_suite",
    "client_walk",
    "databases",
    "events",
    "fuzz",
    "host_users",
    "identity_modes",
    "keystone",
    "notifications",
    "nova",
    "nova_losses",
    "races",
    "sdk_suite",
    "secrets",
)
"""What needs the real world and is about servers and clients: databases, brokers, Keystone, Nova, SDKs."""

_BESIDE = _files("ansible", "deploy")
"""Those that go with the tests that need no world, so that each process takes about as long."""

_BRIDGES = _files("linux_bridge", "linux_bridge_guards", "linux_bridge_tunnels")
"""Those that go with servers and clients for the same reason: the kernel moves their packets, and loses none."""


def main(options: Sequence[str]) -> int:
    """Run pytest; return its status."""
    others = [each for each in options if each != _ALL]
    if len(others) == len(options):
        return subprocess.run(_pytest("some", options), check=False).returncode
    rest = [str(each) for each in sorted(Path(_ALL).iterdir()) if _has_tests(each) and str(each) != _WORLD]
    parts = {
        "packets": [_WORLD, *(f"--ignore={each}" for each in (*_ALONE, *_SERVICES, *_BRIDGES, *_BESIDE))],
        "services": [*_SERVICES, *_BRIDGES],
        "others": [*rest, *_BESIDE],
    }
    alone = subprocess.run(_pytest("alone", [*others, *_ALONE]), check=False).returncode
    with ExitStack() as files:
        running = []
        for name, part in parts.items():
            to = files.enter_context(TemporaryFile())
            command = _pytest(name, [*others, *part])
            running.append((subprocess.Popen(command, stdout=to, stderr=subprocess.STDOUT), to))
        return verdict([alone, *(_ended(process, printed) for process, printed in running)])


def verdict(statuses: Sequence[int]) -> int:
    """Return the status of the whole; that of a process that a signal ended is negative."""
    return int(any(statuses))


def _has_tests(path: Path) -> bool:
    return path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py"))


def _ended(process: subprocess.Popen[bytes], printed: IO[bytes]) -> int:
    status = process.wait()
    printed.seek(0)
    sys.stdout.write(printed.read().decode(errors="replace"))
    sys.stdout.flush()
    return status


def _pytest(name: str, options: Sequence[str]) -> list[str]:
    # Each with a cache of its own: two that write the same one lose what the other found.
    return [sys.executable, "-m", "pytest", "-o", f"cache_dir={Path('.pytest_cache') / name}", *options]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
