"""The threads that read, and their connections."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from quantumd.store.delivery import Delivery, outcome_call
from quantumd.store.errors import StoreStopped

Job: TypeAlias = Callable[[], Any]


class Connections:
    """Read connections at rest. Each is used by one thread at a time, by different ones over its life."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Connection] = []

    def take(self) -> Connection:
        """Return a connection on which no transaction is open."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()

    def give(self, connection: Connection) -> None:
        """End the connection's transaction and take it back."""
        connection.rollback()
        self._idle.append(connection)

    def close(self) -> None:
        """Close the connections at rest."""
        while self._idle:
            self._idle.pop().close()


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
        connection = self.connections.take()
        try:
            with connection.begin():
                return work(connection)
        finally:
            self.connections.give(connection)

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
