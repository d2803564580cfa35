"""Transactions that were asked for: one at a time, in order, each with a time limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import ovs.db.idl
from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from quantumd.edge.ovsdb.errors import OvsdbRefused
from quantumd.edge.ovsdb.interfaces import Operation
from quantumd.edge.ovsdb.statements import KnownRows, compose
from quantumd.errors import EdgeTimeout

_INCOMPLETE = ovs.db.idl.Transaction.INCOMPLETE
_DONE = (ovs.db.idl.Transaction.SUCCESS, ovs.db.idl.Transaction.UNCHANGED)


@define(eq=False)
class Request:
    """Operations, and who waits for them."""

    operations: tuple[Operation, ...]
    done: Deferred[None]
    timer: IDelayedCall | None = None

    def fire(self, error: Exception | None) -> None:
        """Tell the one who waits, once."""
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        if not self.done.called:
            if error is None:
                self.done.callback(None)
            else:
                self.done.errback(error)


@frozen
class Answer:
    """How the database answered the request that was sent: ``is_final`` unless it is worth asking again."""

    request: Request
    is_final: bool
    error: Exception | None


@define
class Requests:
    """The queue. Being serial, each transaction is composed from a content that has its predecessor's outcome."""

    _clock: IReactorTime
    _seconds: float
    _waiting: deque[Request] = field(factory=deque)
    _sent: Request | None = None
    _transaction: ovs.db.idl.Transaction | None = None

    def ask(self, operations: tuple[Operation, ...]) -> Deferred[None]:
        """Queue a transaction; the Deferred may be cancelled, which does not undo what was sent."""
        request = Request(operations, Deferred(lambda _: self._forget(request)))
        request.timer = self._clock.callLater(self._seconds, self._give_up, request)
        self._waiting.append(request)
        return request.done

    def send(self, idl: ovs.db.idl.Idl, known: KnownRows) -> None:
        """Send the next one, if none is on its way."""
        while self._waiting and self._sent is None:
            request = self._waiting.popleft()
            try:
                statements = compose(request.operations, known)
            except OvsdbRefused as refusal:
                request.fire(refusal)
                continue
            if statements:
                self._sent = request
                self._transaction = _commit(idl, statements)
            else:
                request.fire(None)

    def answer(self) -> Answer | None:
        """Return how the one on its way was answered, once."""
        if self._sent is None or self._transaction is None:
            return None
        status = self._transaction.commit()
        if status == _INCOMPLETE:
            return None
        request, transaction = self._sent, self._transaction
        self._transaction = None
        if status in _DONE:
            return Answer(request, True, None)
        if status == ovs.db.idl.Transaction.ERROR:
            return Answer(request, True, OvsdbRefused(transaction.get_error()))
        return Answer(request, False, None)

    def settle(self, answer: Answer) -> None:
        """Tell who waits, or put the request back at the head of the queue."""
        if self._sent is answer.request:
            self._sent = None
        if answer.is_final:
            answer.request.fire(answer.error)
        elif not answer.request.done.called:
            self._waiting.appendleft(answer.request)

    def interrupt(self) -> None:
        """The one on its way will never be answered: put it back at the head of the queue."""
        if self._sent is not None:
            self._waiting.appendleft(self._sent)
        self._sent = self._transaction = None

    def fail_all(self, error: Callable[[], Exception]) -> None:
        """Fail every request."""
        requests = [*([self._sent] if self._sent is not None else []), *self._waiting]
        self._waiting.clear()
        self._sent = self._transaction = None
        for request in requests:
            request.fire(error())

    def _give_up(self, request: Request) -> None:
        self._forget(request)
        request.fire(EdgeTimeout(f"The switch's database did not commit a transaction within {self._seconds} s."))

    def _forget(self, request: Request) -> None:
        if self._sent is request:
            self._sent = self._transaction = None
        if request in self._waiting:
            self._waiting.remove(request)
        if request.timer is not None and request.timer.active():
            request.timer.cancel()


def _commit(idl: ovs.db.idl.Idl, statements: list[dict[str, object]]) -> ovs.db.idl.Transaction:
    transaction = ovs.db.idl.Transaction(idl)
    for statement in statements:
        transaction.add_op(statement)
    transaction.commit()
    return transaction
