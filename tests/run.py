"""Runs all tests as three processes at once: those that move packets, those about servers and clients, and the others.

Most of them wait for the world, so three share two cores well; what counts lost packets at a thousand a second goes
before them, alone. ``python -m tests.run [options of pytest]``. What they print comes whole, one after the other.

A few tests that failed beside others are run again by themselves, and a table in the end names them, also those that
pass then: each is a fault of the test or a race of the product, and wants to be found. The status is 1 when one failed
then too, when many had failed, or when a process was killed. With a path among the options only that is run, by one
process that prints as it goes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

MOST_AGAIN: Final = 5
"""How many tests at most are run again: when more failed something is broken."""
_SOME_FAILED = 1
"""pytest's status when tests failed, and nothing else was wrong."""

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
    "horizon",
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

_BESIDE = _files(
    "ansible",
    "deploy",
    "dns",
    "dns_hosts",
    "dns_ipv6",
    "metadata",
    "metadata_cloud_init",
    "metadata_hosts",
    "port_forwardings",
    "router_limits",
)
"""Those that go with the tests that need no world, so that each process takes about as long."""

_BRIDGES = _files("linux_bridge", "linux_bridge_guards", "linux_bridge_tunnels", "prefix_delegation")
"""Those that go with servers and clients for the same reason: the kernel moves their packets and loses none, or they
wait for most of their time.
"""


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
    statuses = {"alone": subprocess.run(_pytest("alone", [*others, *_ALONE]), check=False).returncode}
    with ExitStack() as files:
        running = {}
        for name, part in parts.items():
            to = files.enter_context(TemporaryFile())
            command = _pytest(name, [*others, *part])
            running[name] = (subprocess.Popen(command, stdout=to, stderr=subprocess.STDOUT), to)
        statuses |= {name: _ended(process, printed) for name, (process, printed) in running.items()}
    failed = [each for name, status in statuses.items() if status == _SOME_FAILED for each in _failed(name)]
    if not may_be_run_again(tuple(statuses.values()), len(failed)):
        return verdict(tuple(statuses.values()))
    again = subprocess.run(_pytest("again", [*others, *failed]), check=False).returncode
    left = set(_failed("again")) if again else set()
    lines = (f"{'failed again' if each in left else 'passed'}: {each}\n" for each in failed)
    sys.stdout.write(f"{' failed beside others, and run again '.center(80, '=')}\n{''.join(lines)}")
    return verdict((again,))


def verdict(statuses: Sequence[int]) -> int:
    """Return the status of the whole; that of a process that a signal ended is negative."""
    return int(any(statuses))


def may_be_run_again(statuses: Sequence[int], failed: int) -> bool:
    """Whether tests that failed are run again: a few did, and nothing else was wrong with any process."""
    return set(statuses) <= {0, _SOME_FAILED} and 0 < failed <= MOST_AGAIN


def _failed(name: str) -> list[str]:
    """Return the tests that failed in a process that has ended."""
    file = _cache(name) / "v" / "cache" / "lastfailed"
    return sorted(json.loads(file.read_text())) if file.exists() else []


def _cache(name: str) -> Path:
    # Each with a cache of its own: two that write the same one lose what the other found.
    return Path(".pytest_cache") / name


def _has_tests(path: Path) -> bool:
    return path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py"))


def _ended(process: subprocess.Popen[bytes], printed: IO[bytes]) -> int:
    status = process.wait()
    printed.seek(0)
    sys.stdout.write(printed.read().decode(errors="replace"))
    sys.stdout.flush()
    return status


def _pytest(name: str, options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-o", f"cache_dir={_cache(name)}", *options]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
