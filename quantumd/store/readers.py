"""The threads that read, and their connections."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from quantumd.errors import EdgeUnavailable
from quantumd.store.connecting import Connector, sentence_of
from quantumd.store.delivery import Delivery, outcome_call
from quantumd.store.engine import database_named
from quantumd.store.errors import StoreStopped

Job: TypeAlias = Callable[[], Any]


class ConnectionGone(EdgeUnavailable):
    """The database ended the connection."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database went away: {reason}")


class Connections:
    """Read connections at rest. Each is used by one thread at a time, by different ones over its life."""

    def __init__(self, engine: Engine) -> None:
        self.errors: tuple[type[Exception], ...] = (DBAPIError, *database_named(engine.dialect.name).errors)
        """What the database may say."""
        self._database = database_named(engine.dialect.name)
        self._connector = Connector(engine)
        self._idle: list[Connection] = []

    def take(self) -> Connection:
        """Return a connection on which no transaction is open. EdgeUnavailable when there is none and none is had."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._connector.connect()

    def give(self, connection: Connection) -> None:
        """End the connection's transaction and take it back."""
        try:
            connection.rollback()
        except self.errors:
            self._drop(connection)
        else:
            self._idle.append(connection)

    def give_broken(self, connection: Connection, error: Exception) -> bool:
        """Take a connection back on which ``error`` came up; return whether it, and so the others, are gone."""
        is_loss = self._database.is_loss(error)
        if is_loss:
            self._drop(connection)
            self.close()
        else:
            self.give(connection)
        return is_loss

    def close(self) -> None:
        """Close the connections at rest."""
        while self._idle:
            self._drop(self._idle.pop())

    def _drop(self, connection: Connection) -> None:
        try:
            connection.close()
        except self.errors:
            connection.invalidate()


class Readers:
    """A fixed number of threads that run reads in the order in which they come."""

    def __init__(self, engine: Engine, delivery: Delivery, count: int) -> None:
        self.connections = Connections(engine)
        self._delivery = delivery
        self._count = count
        self._running = count
        self._lock = Lock()
        self._queue: SimpleQueue[tuple[Job, Deferred[Any]] | None] = SimpleQueue()
        self._ended: Deferred[None] = Deferred()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """How many reads wait, not counting those being run."""
        return self._queue.qsize()

    def start(self) -> None:
        """Start the threads. They do not keep the process alive."""
        for number in range(1, self._count + 1):
            Thread(target=self._run, name=f"quantumd-reader-{number}", daemon=True).start()

    def read(self, work: Callable[[Connection], Any]) -> Deferred[Any]:
        """Run ``work`` in a transaction of its own and fire with what it returns."""
        return self.put(lambda: self._read(work))

    def put(self, job: Job) -> Deferred[Any]:
        """Run something on one of the threads and fire with what it returns."""
        deferred: Deferred[Any] = Deferred()
        self._queue.put((job, deferred))
        return deferred

    def stop(self) -> Deferred[None]:
        """End the threads after what waits; fires when all have ended. Nothing may be put afterwards."""
        if not self._is_stopping:
            self._is_stopping = True
            self._send_home()
        return self._ended

    def abandon(self) -> None:
        """Fail what still waits: the time for stopping is over."""
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is not None:
                item[1].errback(Failure(StoreStopped()))
        self._send_home()

    def _send_home(self) -> None:
        for _ in range(self._count):
            self._queue.put(None)

    def _read(self, work: Callable[[Connection], Any]) -> Any:
        """Run the work; once more on a new connection when the one at hand was dead."""
        try:
            return self._once(work)
        except ConnectionGone:
            return self._once(work)

    def _once(self, work: Callable[[Connection], Any]) -> Any:
        connection = self.connections.take()
        try:
            with connection.begin():
                result = work(connection)
        except self.connections.errors as error:
            if self.connections.give_broken(connection, error):
                raise ConnectionGone(sentence_of(error)) from None
            raise
        except BaseException:
            self.connections.give(connection)
            raise
        self.connections.give(connection)
        return result

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            job, deferred = item
            self._delivery.send([outcome_call(deferred, _outcome(job))])
        with self._lock:
            self._running -= 1
            is_last = not self._running
        if is_last:
            # Here and not on the reactor thread: closing the last connection may write the WAL back.
            self.connections.close()
            self._delivery.send([(self._ended.callback, None)])


def _outcome(job: Job) -> Any:
    try:
        return job()
    except Exception:  # noqa: BLE001 - the root of a reader thread: every error belongs to the one who asked
        return Failure()
