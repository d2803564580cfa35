"""Reads that come together run together; a slow one holds nobody up for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from quantumd.store.errors import StoreStopped
from tests.store.bed import StoreCase


def _thread(_: Connection) -> str:
    return threading.current_thread().name


def _failing(_: Connection) -> None:
    raise IndexError


def _held_by(gate: threading.Event) -> Callable[[Connection], bool]:
    return lambda _: gate.wait(20)


def _begin(begun: Deferred[None], gate: threading.Event) -> Callable[[Connection], bool]:
    def work(_: Connection) -> bool:
        reactor.callFromThread(begun.callback, None)  # type: ignore[attr-defined]
        return gate.wait(20)

    return work


class ReaderTests(StoreCase):
    """Which thread reads, and when."""

    async def test_reads_of_one_turn_share_a_thread(self) -> None:
        """What is asked in one turn of the reactor runs on one thread, in order: two would wait for each other."""
        order: list[int] = []

        def noted(at: int) -> Callable[[Connection], str]:
            def work(connection: Connection) -> str:
                order.append(at)
                return _thread(connection)

            return work

        names = await gatherResults([self.store.read(noted(at)) for at in range(20)])
        self.assertEqual(len(set(names)), 1)
        self.assertEqual(order, list(range(20)))

    async def test_nothing_begins_before_the_turn_ends(self) -> None:
        """A thread is woken when the reactor has nothing more to do, not while it computes."""
        begun = threading.Event()
        read = self.store.read(lambda _: begun.set())
        self.assertFalse(begun.wait(0.05))
        await read
        self.assertTrue(begun.is_set())

    async def test_a_slow_read_holds_nobody_up(self) -> None:
        """Reads that come while a slow one runs go to the other thread, and are answered before it ends."""
        gate = threading.Event()
        begun: Deferred[None] = Deferred()
        slow = self.store.read(_begin(begun, gate))
        await begun
        await self.store.read(_thread)
        gate.set()
        self.assertTrue(await slow)

    async def test_results_before_a_slow_one_are_told(self) -> None:
        """What was read before a slow read of the same turn is told once that has taken long."""
        told: list[float] = []
        reads: list[Deferred[Any]] = [self.store.read(lambda _: time.sleep(0.02)) for _ in range(5)]
        for each in reads:
            each.addCallback(lambda _: told.append(time.monotonic()))
        await gatherResults(reads)
        self.assertGreater(told[-1] - told[0], 0.05)

    async def test_a_failed_read_is_told_to_its_own_caller(self) -> None:
        """Of reads that share a thread, one that fails takes no other with it."""
        before = self.store.read(_thread)
        failed: Deferred[Any] = self.assertFailure(self.store.read(_failing), IndexError)
        after = self.store.read(_thread)
        await gatherResults([before, failed, after])

    async def test_waiting_counts_what_no_thread_has_taken(self) -> None:
        """What waits is counted from the moment it is asked until a thread begins with it."""
        gate = threading.Event()
        reads = [self.store.read(_held_by(gate)) for _ in range(4)]
        self.assertEqual(self.store.waiting, 4)
        gate.set()
        await gatherResults(reads)
        self.assertEqual(self.store.waiting, 0)

    async def test_stop_reads_what_was_asked_in_the_same_turn(self) -> None:
        """A stop in the very turn of a read still answers it; afterwards nothing is taken."""
        read = self.store.read(_thread)
        await self.store.stop()
        self.assertTrue(await read)
        await self.assertFailure(self.store.read(_thread), StoreStopped)
