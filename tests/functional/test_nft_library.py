"""Filters by nft's library: in the namespace of whoever calls, whole or not at all, and without growing. Needs root."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.nft.interfaces import Chain, Change, Kind
from quantumd.edge.nft.library import list_table, run_commands
from quantumd.edge.nft.listing import read_listing
from quantumd.edge.nft.script import script
from quantumd.errors import EdgeError
from tests.bed.figures import note
from tests.bed.needs import CHECKOUT, missing
from tests.bed.openvswitch import run
from tests.bed.wire import inside

CALLS = 1_000
MOST_GROWTH_KIB = 1_024
FILTERS = Change(
    chains={
        ("inet", "c"): Chain(
            ('iif "lo" accept', "dnat ip to ip daddr map @m"), "type nat hook prerouting priority -100;"
        )
    },
    sets={("inet", "m"): Kind("type ipv4_addr : ipv4_addr;")},
    elements={("inet", "m", f"203.0.113.{at}"): f"10.0.0.{at}" for at in range(1, 101)},
)


def resident_kib() -> int:
    """Return how much memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def work(calls: int) -> None:
    """Write filters and read them, again and again."""
    commands = script(FILTERS, ("inet",))
    for _ in range(calls // 2):
        run_commands(commands)
        list_table("inet")


def growth() -> int:
    """Return by how much memory grows with CALLS calls, when everything is warm, in KiB."""
    work(100)
    before = resident_kib()
    work(CALLS)
    return resident_kib() - before


class LibraryTests(SynchronousTestCase):
    """In namespaces of its own."""

    skip = missing("ip", "nft")

    def namespace(self) -> str:
        """Make a namespace that is gone after the test."""
        name = f"l3n-{uuid.uuid4().hex[:8]}"
        run("ip", "netns", "add", name)
        self.addCleanup(subprocess.run, ("ip", "netns", "del", name), check=False)
        return name

    def test_what_was_written_is_read_back(self) -> None:
        """Where it was written, and nowhere else; where there is nothing it is ''."""
        name, other = self.namespace(), self.namespace()
        inside(name, lambda: run_commands(script(FILTERS, ("inet",))))
        found = read_listing({"inet": inside(name, lambda: list_table("inet"))}).ruleset
        self.assertEqual(found.chains, {each: chain.digest for each, chain in FILTERS.chains.items()})
        self.assertEqual((found.sets, found.elements), (set(FILTERS.sets), FILTERS.elements))
        self.assertEqual(inside(other, lambda: list_table("inet")), "")
        listed = run("ip", "netns", "exec", name, "nft", "-nn", "list", "table", "inet", "quantumd")
        self.assertEqual(inside(name, lambda: list_table("inet")), listed)

    def test_what_is_wrong_changes_nothing_and_says_why(self) -> None:
        """In a sentence that is not endless; nothing is printed by the process itself."""
        name = self.namespace()
        for wrong in ("add chain inet quantumd x\nnonsense", "add rule inet quantumd nowhere accept", "x" * 100_000):
            with self.assertRaises(EdgeError) as caught:
                inside(name, lambda wrong=wrong: run_commands(f"add table inet quantumd\n{wrong}"))  # type: ignore[misc]
            self.assertLess(len(str(caught.exception)), 2_100)
            self.assertEqual(inside(name, lambda: list_table("inet")), "")

    def test_many_threads_in_many_namespaces_do_not_meet(self) -> None:
        """Each has its own filters when all are done."""
        names = [self.namespace() for _ in range(6)]
        errors: list[Exception] = []

        def hammer(name: str) -> None:
            try:
                inside(name, lambda: work(60))
            except Exception as error:  # noqa: BLE001 # the test shows it
                errors.append(error)

        run_all([lambda name=name: hammer(name) for name in names])  # type: ignore[misc]
        self.assertEqual(errors, [])

    def test_memory_does_not_grow(self) -> None:
        """Over a thousand calls, in a process of its own."""
        name = self.namespace()
        command = (sys.executable, "-m", "tests.functional.test_nft_library")
        grown = int(inside(name, lambda: subprocess.check_output(command, cwd=CHECKOUT, timeout=120)))
        note(f"nft's library, {CALLS} calls: memory grew by {grown} KiB")
        self.assertLess(grown, MOST_GROWTH_KIB)


def run_all(pieces: list[Callable[[], None]]) -> None:
    """Run all at once, each on a thread."""
    threads = [threading.Thread(target=piece) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


if __name__ == "__main__":
    sys.stdout.write(str(growth()))
