"""A store in memory, for tests and for trying things out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import Connection
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.interfaces import IByteStream, IStore
from quantumd.store.batch import BatchWriter
from quantumd.store.engine import memory_engine
from quantumd.store.tables import metadata
from quantumd.store.transaction import Transaction

T = TypeVar("T")


@implementer(IByteStream)
class _MemoryStream:
    """The whole answer, made when the first chunk is asked for."""

    def __init__(self, store: MemoryStore, work: Callable[[Connection], Iterator[bytes]]) -> None:
        self.is_finished = False
        self._store = store
        self._work = work
        self._chunks: list[bytes] | None = None

    def next(self) -> Deferred[bytes | None]:
        """See IByteStream."""
        if self._chunks is None and not self.is_finished:
            made = self._store.read(lambda connection: list(self._work(connection)))
            return made.addCallbacks(self._begin, self._fail)
        return defer.succeed(self._take())

    def cancel(self) -> None:
        """See IByteStream."""
        self.is_finished = True
        self._chunks = None

    def _begin(self, chunks: list[bytes]) -> bytes | None:
        self._chunks = chunks
        return self._take()

    def _fail(self, failure: Failure) -> Failure:
        self.cancel()
        return failure

    def _take(self) -> bytes | None:
        chunk = self._chunks.pop(0) if self._chunks else None
        self.is_finished = not self._chunks
        return chunk


@implementer(IStore)
class MemoryStore:
    """Implements IStore on a database in this process, at once and on the calling thread: every Deferred has fired."""

    is_shared = False

    def __init__(self, utc_now: Callable[[], str] = lambda: "2026-01-01T00:00:00Z") -> None:
        engine = memory_engine()
        metadata.create_all(engine)
        self._batches = BatchWriter(engine, utc_now)
        self._listeners: list[Callable[[int], None]] = []

    def beside(self) -> MemoryStore:
        """Return another store on the same rows, as another process would have; the two do not hear each other."""
        other = MemoryStore()
        other._batches = self._batches
        return other

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See IStore."""
        return self._write(lambda transaction: _read_only(transaction.connection, work))

    def write(self, work: Callable[[Transaction], T]) -> Deferred[T]:
        """See IStore."""
        return self._write(work)

    def stream(self, work: Callable[[Connection], Iterator[bytes]]) -> IByteStream:
        """See IStore."""
        return _MemoryStream(self, work)

    def on_commit(self, listener: Callable[[int], None]) -> None:
        """See IStore."""
        self._listeners.append(listener)

    def _write(self, work: Callable[[Transaction], T]) -> Deferred[T]:
        batch = self._batches.commit((work,))
        if batch.position:
            for listener in tuple(self._listeners):
                listener(batch.position)
        outcome = batch.outcomes[0]
        return defer.fail(outcome) if isinstance(outcome, Failure) else defer.succeed(outcome)


def _read_only(connection: Connection, work: Callable[[Connection], T]) -> T:
    connection.exec_driver_sql("PRAGMA query_only=ON")
    try:
        return work(connection)
    finally:
        connection.exec_driver_sql("PRAGMA query_only=OFF")
