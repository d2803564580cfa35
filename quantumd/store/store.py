"""The store: rows and journal behind IStore."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Connection
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.config import DatabaseSettings
from quantumd.interfaces import IByteStream, IStore
from quantumd.store.batch import BatchWriter
from quantumd.store.delivery import Delivery, Reactor
from quantumd.store.engine import database_url, reader_engine, writer_engine
from quantumd.store.errors import StoreBusy, StoreStopped
from quantumd.store.readers import Readers
from quantumd.store.stream import ByteStream, Line, StreamLimits
from quantumd.store.times import utc_now
from quantumd.store.transaction import Transaction
from quantumd.store.watch import JournalWatch
from quantumd.store.writer import DOUBT_SECONDS, Writer, WriterFigures

T = TypeVar("T")

log = Logger()


@implementer(IStore)
class Store:
    """Implements IStore: threads that write and threads that read. SQL never runs on the reactor thread.

    On SQLite one thread writes; elsewhere as many as the settings say.

    The schema must be there: see quantumd.store.schema.ensure_schema. ``url`` is that of the settings, or of the
    database in the state directory.
    """

    def __init__(
        self,
        reactor: Reactor,
        settings: DatabaseSettings,
        url: str,
        utc_now: Callable[[], str] = utc_now,
        stream_limits: StreamLimits = StreamLimits(),  # noqa: B008 - frozen
        doubt_seconds: float = DOUBT_SECONDS,
    ) -> None:
        parsed = database_url(url)
        self._reactor = reactor
        self._waiting_limit = settings.waiting_limit
        self._limits = stream_limits
        self._delivery = Delivery(reactor)
        self._listeners: list[Callable[[int], None]] = []
        engine = writer_engine(parsed, settings.synchronous)
        self.is_shared = engine.dialect.name != "sqlite"
        self._watch = JournalWatch(reactor, settings.watch_seconds, self.read, self._tell)
        self._told = 0
        count = settings.connections if self.is_shared else 1
        batches = [BatchWriter(engine, utc_now) for _ in range(count)]
        self._writer = Writer(batches, self._delivery, self._tell, doubt_seconds)
        self._readers = Readers(reader_engine(parsed), self._delivery, settings.readers)
        self._line = Line()
        self._is_running = False

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread, or for long streams before them."""
        return self._writer.waiting + self._readers.waiting + self._line.waiting

    @property
    def figures(self) -> WriterFigures:
        """Counts of changes and commits."""
        return self._writer.figures

    def start(self) -> None:
        """Start the threads; they open their connections when the first request comes."""
        self._is_running = True
        self._writer.start()
        self._readers.start()
        if self.is_shared:
            self._watch.start()

    def stop(self, timeout_seconds: float = 5.0) -> Deferred[None]:
        """Take no more requests, finish those that wait, end the threads; fires when that is done.

        What is not done after ``timeout_seconds`` is given up: its requests fail with StoreStopped, unless a thread is
        at work on them at that moment, in which case their outcome is not told.
        """
        if not self._is_running:
            return defer.succeed(None)
        self._is_running = False
        self._watch.stop()
        self._line.dissolve()
        done: Deferred[Any] = defer.gatherResults([self._writer.stop(), self._readers.stop()])
        stopped: Deferred[None] = Deferred()
        timer = self._reactor.callLater(timeout_seconds, self._give_up, stopped)

        def finished(_: object) -> None:
            if timer.active():
                timer.cancel()
                stopped.callback(None)

        done.addCallback(finished)
        return stopped

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See IStore."""
        refusal = self._refusal()
        return defer.fail(refusal) if refusal else self._readers.read(work)

    def write(self, work: Callable[[Transaction], T]) -> Deferred[T]:
        """See IStore."""
        refusal = self._refusal()
        return defer.fail(refusal) if refusal else self._writer.put(work)

    def stream(self, work: Callable[[Connection], Iterator[bytes]]) -> IByteStream:
        """See IStore."""
        return ByteStream(self._reactor, self._readers, self._line, self._limits, self._refusal, work)

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """See IStore."""
        self._listeners.append(listener)

    def _refusal(self) -> Exception | None:
        if not self._is_running:
            return StoreStopped()
        waiting = self.waiting
        return StoreBusy(waiting) if waiting >= self._waiting_limit else None

    def _tell(self, position: int) -> None:
        if position <= self._told:
            return
        self._told = position
        for listener in tuple(self._listeners):
            try:
                listener(position)
            except Exception:  # noqa: BLE001 - one listener's bug must not keep the commit from the others
                log.failure("a listener failed on journal position {position}", position=position)

    def _give_up(self, stopped: Deferred[None]) -> None:
        log.warn("the store did not finish in time; {waiting} requests are given up", waiting=self.waiting)
        self._writer.abandon()
        self._readers.abandon()
        stopped.callback(None)
