"""Long answers: one at a time, none held up that is short, none that holds its transaction for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from quantumd.config import DatabaseSettings
from quantumd.errors import EdgeTimeout
from quantumd.interfaces import IByteStream
from quantumd.store.errors import StoreBusy
from quantumd.store.store import Store
from quantumd.store.stream import StreamLimits
from tests.contracts.store import add, names
from tests.store.bed import StoreCase


def long(connection: Connection) -> Iterator[bytes]:
    """Three chunks."""
    for chunk in (b"1", b"2", b"3"):
        connection.exec_driver_sql("SELECT 1")
        yield chunk


async def rest_of(stream: IByteStream) -> list[bytes | None]:
    """Take what is left of a stream."""
    chunks = []
    while not stream.is_finished:
        chunks.append(await stream.next())
    return chunks


class LineTests(StoreCase):
    """Who is served when."""

    async def test_one_long_stream_at_a_time(self) -> None:
        """A second long stream gives nothing until the first is taken, and then starts at its beginning."""
        first, second = self.store.stream(long), self.store.stream(long)
        await first.next()
        waiting = second.next()
        await self.store.read(names)
        await self.store.read(names)
        self.assertNoResult(waiting)
        self.assertEqual(await rest_of(first), [b"2", b"3"])
        self.assertEqual(await waiting, b"1")
        self.assertEqual(await rest_of(second), [b"2", b"3"])

    async def test_short_streams_and_reads_pass(self) -> None:
        """While a long stream is under way, streams of one chunk and reads are served."""
        first = self.store.stream(long)
        await first.next()
        self.assertEqual(await self.store.stream(lambda connection: iter((b"only",))).next(), b"only")
        self.assertEqual(await self.store.read(names), [])
        first.cancel()

    async def test_the_line_keeps_its_order(self) -> None:
        """Long streams are served in the order in which they came to wait."""
        store = self.open_store(readers=1)
        done: list[int] = []

        async def take(number: int) -> None:
            await rest_of(store.stream(long))
            done.append(number)

        await gatherResults([Deferred.fromCoroutine(take(number)) for number in range(5)])
        self.assertEqual(sorted(done), done)

    async def test_a_cancelled_stream_lets_the_next_one_go(self) -> None:
        """Cancelling the stream under way moves the line, also when it is cancelled while it makes a chunk."""
        first, second, third = (self.store.stream(long) for _ in range(3))
        await first.next()
        waiting = second.next()
        first.cancel()
        self.assertEqual(await waiting, b"1")
        making = self.assertFailure(second.next(), CancelledError)
        waiting = third.next()
        second.cancel()
        await making
        self.assertEqual(await waiting, b"1")
        third.cancel()

    async def test_cancelling_the_wait_leaves_the_line(self) -> None:
        """A stream that is cancelled in line is not served, and the one behind it is."""
        first, second, third = (self.store.stream(long) for _ in range(3))
        await first.next()
        gone, waiting = second.next(), third.next()
        await self.store.read(names)
        gone.cancel()
        await self.assertFailure(gone, CancelledError)
        first.cancel()
        self.assertEqual(await waiting, b"1")
        third.cancel()

    async def test_a_stream_sees_one_state(self) -> None:
        """What is committed while a stream is taken is not in it, and the writer does not wait for it."""

        def work(connection: Connection) -> Iterator[bytes]:
            for _ in range(3):
                yield str(len(names(connection))).encode()

        stream = self.store.stream(work)
        self.assertEqual(await stream.next(), b"0")
        await self.store.write(add("a"))
        self.assertEqual(await rest_of(stream), [b"0", b"0"])

    async def test_cancelling_closes_the_work(self) -> None:
        """The generator's ``finally`` runs when the client goes away."""
        any_reactor: Any = reactor
        closed: Deferred[None] = Deferred()

        def work(connection: Connection) -> Iterator[bytes]:
            try:
                yield from long(connection)
            finally:
                any_reactor.callFromThread(closed.callback, None)

        stream = self.store.stream(work)
        await stream.next()
        stream.cancel()
        await closed


class StreamLimitTests(StoreCase):
    """Slow clients do not hold the database."""

    def _store(self, **limits: float) -> Store:
        any_reactor: Any = reactor
        store = Store(any_reactor, DatabaseSettings(), self.url, stream_limits=StreamLimits(**limits))
        store.start()
        self.addCleanup(store.stop)
        return store

    async def test_a_stream_that_nobody_takes_is_ended(self) -> None:
        """When the next chunk is not asked for in time the stream is ended and the next one goes."""
        store = self._store(idle=0.05)
        slow, other = store.stream(long), store.stream(long)
        await slow.next()
        self.assertEqual(await other.next(), b"1")
        await self.assertFailure(slow.next(), EdgeTimeout)
        other.cancel()

    async def test_a_stream_that_takes_too_long_is_ended(self) -> None:
        """A stream as a whole has a time limit."""
        store = self._store(total=0.02)
        slow = store.stream(long)
        await slow.next()
        await deferLater(reactor, 0.05, lambda: None)
        await self.assertFailure(slow.next(), EdgeTimeout)

    async def test_a_line_that_stands_is_told(self) -> None:
        """A stream that waits in line too long is refused with 503."""
        store = self._store(line=0.05)
        first = store.stream(long)
        await first.next()
        await self.assertFailure(store.stream(long).next(), StoreBusy)
        first.cancel()
