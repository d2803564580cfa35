"""Committing several changes together: one transaction, a savepoint each; and trying again what may succeed then."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from twisted.python.failure import Failure

from quantumd.errors import EdgeUnavailable
from quantumd.store.connecting import Connector, sentence_of
from quantumd.store.engine import database_named, session_of
from quantumd.store.errors import CommitFailed
from quantumd.store.transaction import Transaction

Work: TypeAlias = Callable[[Transaction], Any]


@frozen
class Patience:
    """How often and how long a change is tried that the database ended in favour of another.

    ``attempts`` in all; before the n-th of them a random time up to ``first * 2**n`` seconds, at most ``most``; none
    begins after ``total`` seconds.
    """

    attempts: int = 8
    first: float = 0.005
    most: float = 0.25
    total: float = 10.0


@frozen
class Doubt:
    """What became of a change is not known: the connection was lost while its transaction was committed.

    ``outcome`` and ``position`` hold if the transaction was kept; ``mark`` is what the database knows it by.
    """

    work: Work
    outcome: Any
    position: int
    mark: object


@frozen
class Batch:
    """What became of changes that were tried together: for each its result, a Failure or a Doubt, in order.

    ``position`` is that of the last journal row committed, 0 when the journal did not grow. ``commits`` counts
    transactions.
    """

    outcomes: tuple[Any, ...]
    position: int
    commits: int = 1


@frozen
class _Lost:
    """The transaction ended before its commit, so nothing of it is stored. ``reason`` is a Failure, ``cause`` its root.

    ``is_loss``: the connection is gone.
    """

    reason: Failure
    cause: BaseException
    is_loss: bool = False


class BatchWriter:
    """Commits changes on one connection. Used by one thread at a time."""

    def __init__(
        self,
        engine: Engine,
        utc_now: Callable[[], str],
        patience: Patience = Patience(),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database_named(engine.dialect.name)
        self._errors: tuple[type[Exception], ...] = (DBAPIError, *self._database.errors)
        self._connector = Connector(engine)
        self._utc_now = utc_now
        self._patience = patience
        self._chance = chance
        self._connection: Connection | None = None
        self._is_ending = False
        event.listen(engine, "commit", self._refuse_early_end)
        event.listen(engine, "rollback", self._refuse_early_end)

    def commit(self, works: Sequence[Work]) -> Batch:
        """Run the changes in one transaction and commit it; a result that is returned is durable.

        When the transaction as a whole fails, each change is tried once more in one of its own, so that one change
        that cannot be committed takes no other with it. So is each that the database ended in favour of others.
        """
        tried = self._attempt_twice(works)
        if len(works) == 1:
            return self._patiently(works, tried)
        if isinstance(tried, _Lost):
            return _joined([self.commit((work,)) for work in works])
        if not any(self._is_conflict(outcome) for outcome in tried.outcomes):
            return tried
        again = [
            self.commit((work,)) if self._is_conflict(outcome) else Batch((outcome,), tried.position, 0)
            for work, outcome in zip(works, tried.outcomes, strict=True)
        ]
        joined = _joined(again)
        return evolve(joined, commits=joined.commits + tried.commits)

    def resolve(self, doubt: Doubt) -> Batch:
        """Find out what became of a change and return it, the same Doubt while the database is away.

        A change that was not kept is tried again.
        """
        try:
            is_kept = self._is_kept(doubt.mark)
        except EdgeUnavailable:
            return Batch((doubt,), 0, 0)
        except self._errors:
            self.close()
            return Batch((doubt,), 0, 0)
        return Batch((doubt.outcome,), doubt.position, 0) if is_kept else self.commit((doubt.work,))

    def close(self) -> None:
        """Give the connection back; the next commit opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._is_ending = True
            if not connection.invalidated:
                session_of(connection).roll_back()
            connection.close()

    def _patiently(self, works: Sequence[Work], tried: Batch | _Lost) -> Batch:
        """Try a lone change again while the database ends it in favour of others. The one place where that is done."""
        until = time.monotonic() + self._patience.total
        for attempt in range(1, self._patience.attempts):
            if not self._is_conflict(_cause(tried)) or time.monotonic() > until:
                break
            time.sleep(min(self._patience.first * 2**attempt, self._patience.most) * self._chance())
            tried = self._attempt_twice(works)
        if isinstance(tried, _Lost):
            return Batch((tried.reason,), 0)
        cause = _cause(tried)
        if cause is not None and self._is_conflict(cause):
            return Batch((Failure(CommitFailed(sentence_of(cause))),), 0)
        return tried

    def _attempt_twice(self, works: Sequence[Work]) -> Batch | _Lost:
        """Try once more on a new connection when the one at hand was dead, as it is after a restart of the server."""
        try:
            tried = self._attempt(works)
            if isinstance(tried, _Lost) and tried.is_loss:
                tried = self._attempt(works)
        except EdgeUnavailable:
            return Batch((Failure(),) * len(works), 0)
        if isinstance(tried, _Lost) and tried.is_loss:
            away = EdgeUnavailable(f"The database went away: {sentence_of(tried.cause)}")
            return Batch((Failure(away),) * len(works), 0)
        return tried

    def _attempt(self, works: Sequence[Work]) -> Batch | _Lost:
        try:
            connection = self._begin()
            session = session_of(connection)
            session.take_turn()
        except self._errors as error:
            self.close()
            if not self._database.is_loss(error):
                raise EdgeUnavailable(f"The database cannot be written to: {sentence_of(error)}") from None
            return _Lost(Failure(error), error, is_loss=True)
        transaction = Transaction(connection, self._utc_now())
        outcomes: list[Any] = []
        for work in works:
            outcomes.append(_outcome(transaction, work, is_alone=len(works) == 1))
            if not (_is_begun(connection) and session.is_open):
                return self._give_up(outcomes[-1])
        if len(works) == 1 and isinstance(outcomes[0], Failure):
            return self._undo(connection, outcomes[0])
        if not session.may_commit:
            return self._give_up(Failure(CommitFailed("the change left an error behind in the transaction")))
        try:
            transaction.write_tallies()
        except self._errors:
            return self._give_up(Failure())
        return self._end(connection, works, Batch(tuple(outcomes), transaction.position), session.mark())

    def _begin(self) -> Connection:
        if self._connection is None:
            self._connection = self._connector.connect()
        self._is_ending = False
        self._connection.begin()
        return self._connection

    def _end(self, connection: Connection, works: Sequence[Work], batch: Batch, mark: object) -> Batch | _Lost:
        self._is_ending = True
        try:
            connection.commit()
        except self._errors as error:
            # Nothing of the transaction may stay: what is said to have failed must not appear later.
            self.close()
            if mark is None or not self._database.is_loss(error):
                return _Lost(Failure(CommitFailed(sentence_of(error))), error)
            outcomes = [
                outcome if isinstance(outcome, Failure) else Doubt(work, outcome, batch.position, mark)
                for work, outcome in zip(works, batch.outcomes, strict=True)
            ]
            return Batch(tuple(outcomes), 0)
        return batch

    def _undo(self, connection: Connection, failure: Failure) -> Batch | _Lost:
        self._is_ending = True
        try:
            connection.rollback()
        except self._errors:
            self.close()
        return Batch((failure,), 0)

    def _give_up(self, outcome: Any) -> _Lost:
        """End the transaction after a change after which it is gone or useless."""
        is_loss = self._connection is not None and self._connection.invalidated
        self.close()
        if not isinstance(outcome, Failure):
            outcome = Failure(CommitFailed("the change ended the transaction itself"))
        cause = outcome.value
        if not isinstance(cause, self._errors):
            return _Lost(outcome, cause, is_loss)
        return _Lost(Failure(CommitFailed(sentence_of(cause))), cause, is_loss or self._database.is_loss(cause))

    def _is_kept(self, mark: object) -> bool:
        connection = self._begin()
        session = session_of(connection)
        # Whose transaction is in doubt may still have the turn: the server need not know yet that its writer is gone.
        session.take_turn()
        is_kept = session.is_kept(mark)
        self._is_ending = True
        connection.rollback()
        return is_kept

    def _is_conflict(self, outcome: Any) -> bool:
        error: object = outcome.value if isinstance(outcome, Failure) else outcome
        return isinstance(error, self._errors) and self._database.is_conflict(error)

    def _refuse_early_end(self, connection: Connection) -> None:
        if connection is self._connection and not self._is_ending:
            raise RuntimeError("a change must not commit or roll back: the store does that for the whole batch")


def _outcome(transaction: Transaction, work: Work, is_alone: bool) -> Any:
    try:
        if is_alone:  # The transaction is its savepoint.
            return work(transaction)
        with transaction.savepoint():
            return work(transaction)
    except Exception:  # noqa: BLE001 - the root of the writer thread: every error belongs to the one who asked
        return Failure()


def _is_begun(connection: Connection) -> bool:
    begun = connection.get_transaction()
    return begun is not None and begun.is_active


def _cause(tried: Batch | _Lost) -> BaseException | None:
    """Return the error of a lone change, None when it has none."""
    if isinstance(tried, _Lost):
        return tried.cause
    outcome = tried.outcomes[0]
    return outcome.value if isinstance(outcome, Failure) else None


def _joined(batches: Sequence[Batch]) -> Batch:
    outcomes = tuple(outcome for batch in batches for outcome in batch.outcomes)
    return Batch(outcomes, max(batch.position for batch in batches), sum(batch.commits for batch in batches))
