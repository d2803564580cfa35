"""Committing several changes together: one transaction, a savepoint each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import frozen
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from twisted.python.failure import Failure

from quantumd.errors import EdgeUnavailable
from quantumd.store.engine import raw_connection
from quantumd.store.errors import CommitFailed
from quantumd.store.transaction import Transaction

Work: TypeAlias = Callable[[Transaction], Any]

_DRIVER_ERRORS = (sqlite3.Error, DBAPIError)


@frozen
class Batch:
    """What became of changes that were tried together: for each its result or a Failure, in order.

    ``position`` is that of the last journal row committed, 0 when the journal did not grow. ``commits`` counts
    transactions.
    """

    outcomes: tuple[Any, ...]
    position: int
    commits: int = 1


@frozen
class _Lost:
    """The transaction ended before its commit, so nothing of it is stored. ``reason`` is a Failure."""

    reason: Failure


class BatchWriter:
    """Commits changes on one connection. Used by one thread at a time."""

    def __init__(self, engine: Engine, utc_now: Callable[[], str]) -> None:
        self._engine = engine
        self._utc_now = utc_now
        self._connection: Connection | None = None
        self._is_ending = False
        event.listen(engine, "commit", self._refuse_early_end)
        event.listen(engine, "rollback", self._refuse_early_end)

    def commit(self, works: Sequence[Work]) -> Batch:
        """Run the changes in one transaction and commit it; what is returned is durable.

        When the transaction as a whole fails, each change is tried once more in one of its own, so that one change
        that cannot be committed takes no other with it.
        """
        try:
            batch = self._attempt(works)
            if isinstance(batch, _Lost) and len(works) > 1:
                return self._each_alone(works)
        except _DRIVER_ERRORS as error:
            self.close()
            reason = EdgeUnavailable(f"The database cannot be written to: {_sentence(error)}")
            return Batch((Failure(reason),) * len(works), 0)
        return Batch((batch.reason,) * len(works), 0) if isinstance(batch, _Lost) else batch

    def close(self) -> None:
        """Give the connection back; the next commit opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._is_ending = True
            _roll_back(connection)
            connection.close()

    def _each_alone(self, works: Sequence[Work]) -> Batch:
        batches = [self.commit((work,)) for work in works]
        outcomes = tuple(batch.outcomes[0] for batch in batches)
        return Batch(outcomes, max(batch.position for batch in batches), len(batches))

    def _attempt(self, works: Sequence[Work]) -> Batch | _Lost:
        if self._connection is None:
            self._connection = self._engine.connect()
        self._is_ending = False
        begun = self._connection.begin()
        transaction = Transaction(self._connection, self._utc_now())
        outcomes = []
        for work in works:
            outcomes.append(_outcome(transaction, work))
            if not (begun.is_active and transaction.is_open):
                return self._give_up(_failure_in(outcomes))
        self._is_ending = True
        try:
            begun.commit()
        except _DRIVER_ERRORS as error:
            return self._give_up(Failure(CommitFailed(_sentence(error))))
        return Batch(tuple(outcomes), transaction.position)

    def _give_up(self, reason: Failure) -> _Lost:
        # Nothing of the transaction may stay: what is said to have failed must not appear later.
        self.close()
        return _Lost(reason)

    def _refuse_early_end(self, _connection: Connection) -> None:
        if not self._is_ending:
            raise RuntimeError("a change must not commit or roll back: the store does that for the whole batch")


def _outcome(transaction: Transaction, work: Work) -> Any:
    try:
        with transaction.savepoint():
            return work(transaction)
    except Exception:  # noqa: BLE001 - the root of the writer thread: every error belongs to the one who asked
        return Failure()


def _roll_back(connection: Connection) -> None:
    """Undo what is open, also where SQLAlchemy believes that nothing is."""
    raw = raw_connection(connection)
    try:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
    except sqlite3.Error:
        connection.invalidate()


def _failure_in(outcomes: Sequence[Any]) -> Failure:
    """Return why the transaction is gone: what the last change failed with, as EdgeError where the database said it."""
    last = outcomes[-1]
    if not isinstance(last, Failure):
        return Failure(CommitFailed("the change ended the transaction itself"))
    return Failure(CommitFailed(_sentence(last.value))) if isinstance(last.value, _DRIVER_ERRORS) else last


def _sentence(error: sqlite3.Error | DBAPIError) -> str:
    """Return what the database said, without the statement and its parameters."""
    return str(error.orig if isinstance(error, DBAPIError) else error)
