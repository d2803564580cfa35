"""The threads that read, and their connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeAlias

from attrs import frozen
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from quantumd.errors import EdgeUnavailable
from quantumd.store.connecting import Connector, sentence_of
from quantumd.store.delivery import Call, Delivery, outcome_call
from quantumd.store.engine import database_named
from quantumd.store.errors import StoreStopped
from quantumd.store.turn import Tally, Turn


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


class Snapshot:
    """One state of the database, for reads that run one after the other on one thread.

    What each of them was asked after is in it, since all were asked before it began. A transaction for each would cost
    a tenth of a small read.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._connection: Connection | None = None

    def read(self, work: Callable[[Connection], Any]) -> Any:
        """Run the work; once more in a new transaction when the one at hand was dead, or others had used it before."""
        is_used = self._connection is not None
        try:
            return self._once(work)
        except ConnectionGone:
            return self._once(work)
        except self._connections.errors:
            if not is_used:
                raise
            return self._once(work)

    def end(self) -> None:
        """Give the connection back, if one was needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.give(connection)

    def _once(self, work: Callable[[Connection], Any]) -> Any:
        connection = self._connection or self._connections.take()
        try:
            if self._connection is None:
                connection.begin()
                self._connection = connection
            return work(connection)
        except self._connections.errors as error:
            self._connection = None
            if self._connections.give_broken(connection, error):
                raise ConnectionGone(sentence_of(error)) from None
            raise


Job: TypeAlias = Callable[[Snapshot], Any]
_Item: TypeAlias = tuple[Job, Deferred[Any]]

PATIENCE_SECONDS = 0.005
"""How long reads wait for a thread that reads, and results for those after them, before they go on without."""


@frozen
class _Errand:
    """What a thread runs one after the other, and what is called on the reactor thread afterwards."""

    items: Sequence[_Item]
    then: tuple[Call, ...] = ()


class Readers:
    """A fixed number of threads that run reads in the order in which they come.

    Reads that come together run on one thread, one after the other: two threads of one interpreter would only wait for
    each other. Reads that come meanwhile wait for that thread, or, when it is slow, go to another one. ``put_long`` is
    for what takes a thread for longer.
    """

    def __init__(self, engine: Engine, delivery: Delivery, count: int) -> None:
        self.connections = Connections(engine)
        self._delivery = delivery
        self._count = count
        self._running = count
        self._lock = Lock()
        self._queue: SimpleQueue[_Errand | None] = SimpleQueue()
        self._turn: Turn[_Item] = Turn(delivery.reactor, self._turn_ended)
        self._held: list[_Item] = []
        self._at_work = 0
        self._patience: IDelayedCall | None = None
        self._untaken = Tally()
        self._ended: Deferred[None] = Deferred()
        self._is_stopping = False

    @property
    def waiting(self) -> int:
        """How many reads wait, not counting those being run."""
        return len(self._turn) + len(self._held) + self._untaken.count

    def start(self) -> None:
        """Start the threads. They do not keep the process alive."""
        for number in range(1, self._count + 1):
            Thread(target=self._run, name=f"quantumd-reader-{number}", daemon=True).start()

    def read(self, work: Callable[[Connection], Any]) -> Deferred[Any]:
        """Run ``work``, which is short, in a transaction and fire with what it returns."""
        deferred: Deferred[Any] = Deferred()
        self._turn.add((lambda snapshot: snapshot.read(work), deferred))
        return deferred

    def put_long(self, job: Callable[[], Any]) -> Deferred[Any]:
        """Run something on one of the threads that others need not wait for; fire with what it returns."""
        deferred: Deferred[Any] = Deferred()
        self._untaken.add(1)
        self._queue.put(_Errand([(lambda _: job(), deferred)]))
        return deferred

    def stop(self) -> Deferred[None]:
        """End the threads after what waits; fires when all have ended. Nothing may be put afterwards."""
        if not self._is_stopping:
            self._is_stopping = True
            self._turn.end()
            self._hand_over()
            self._send_home()
        return self._ended

    def abandon(self) -> None:
        """Fail what still waits: the time for stopping is over."""
        while True:
            try:
                errand = self._queue.get_nowait()
            except Empty:
                break
            for _, deferred in errand.items if errand else ():
                deferred.errback(Failure(StoreStopped()))
        self._send_home()

    def _turn_ended(self, items: list[_Item]) -> None:
        self._held += items
        if not self._at_work or self._is_stopping:
            self._hand_over()
        elif self._patience is None:
            self._patience = self._delivery.reactor.callLater(PATIENCE_SECONDS, self._hand_over)

    def _hand_over(self) -> None:
        patience, self._patience = self._patience, None
        if patience is not None and patience.active():
            patience.cancel()
        items, self._held = self._held, []
        if items:
            self._at_work += 1
            self._untaken.add(len(items))
            self._queue.put(_Errand(items, ((self._worked, None),)))

    def _worked(self, _: object) -> None:
        self._at_work -= 1
        if not self._at_work:
            self._hand_over()

    def _send_home(self) -> None:
        for _ in range(self._count):
            self._queue.put(None)

    def _run(self) -> None:
        while (errand := self._queue.get()) is not None:
            self._run_errand(errand)
        with self._lock:
            self._running -= 1
            is_last = not self._running
        if is_last:
            # Here and not on the reactor thread: closing the last connection may write the WAL back.
            self.connections.close()
            self._delivery.send([(self._ended.callback, None)])

    def _run_errand(self, errand: _Errand) -> None:
        calls: list[Call] = []
        snapshot = Snapshot(self.connections)
        began = time.monotonic()
        for job, deferred in errand.items:
            self._untaken.add(-1)
            calls.append(outcome_call(deferred, _outcome(job, snapshot)))
            if time.monotonic() - began > PATIENCE_SECONDS:
                self._delivery.send(calls)
                calls = []
                began = time.monotonic()
        snapshot.end()
        self._delivery.send([*calls, *errand.then])


def _outcome(job: Job, snapshot: Snapshot) -> Any:
    try:
        return job(snapshot)
    except Exception:  # noqa: BLE001 - the root of a reader thread: every error belongs to the one who asked
        return Failure()
