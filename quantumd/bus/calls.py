"""Calls that wait for their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.bus.codec import decode, encode
from quantumd.bus.errors import AskedFailed, Untrusted
from quantumd.bus.post import Post
from quantumd.bus.wiring import ASK
from quantumd.edge.amqp.errors import ConnectionLost, NoRoute
from quantumd.edge.amqp.interfaces import Delivered, IBroker, ISubscription, Queue
from quantumd.edge.amqp.interfaces import Message as Sent
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable, QuantumdError
from quantumd.model.messages import Message

ERROR_HEADER: Final = "quantumd-error"
"""In an answer: why there is none."""

PREFETCH: Final = 32
"""How many answers are taken at a time."""


@define(eq=False)
class Calls:
    """Asks, and gives each answer to whoever asked.

    Answers come to an exclusive queue, a new one after each loss: as long as the broker has not noticed that the last
    connection is gone, nobody may have its queue.
    """

    _clock: IReactorTime
    _broker: IBroker
    _post: Post
    _me: str
    _queue: Queue | None = field(default=None, init=False)
    _taking: ISubscription | None = field(default=None, init=False)
    _waiting: dict[str, tuple[str, Deferred[Message]]] = field(factory=dict, init=False)
    _log = Logger()

    def start(self) -> None:
        """Take answers from now on."""
        self._take_anew()
        self._broker.on_lost(self._lost)

    def call(self, address: str, message: Message, timeout_seconds: float) -> Deferred[Message]:
        """See IBus."""
        number = str(uuid4())
        answer: Deferred[Message] = Deferred(lambda _: self._forget(number))
        self._waiting[number] = (address, answer)
        sent = Sent(
            encode(message),
            correlation_id=number,
            reply_to=self._queue.name if self._queue is not None else "",
            is_persistent=False,
            expires_seconds=timeout_seconds,
        )
        asked = self._post.send(self._broker, self._post.wiring.route(ASK, address), sent, mandatory=True)
        asked.addErrback(lambda failure: self._settle(number, _not_asked(address, failure)))
        return answer.addTimeout(timeout_seconds, self._clock, onTimeoutCancel=_timed_out(address))

    def _take_anew(self) -> None:
        """Take answers from a queue of a new name, and from the old one no more."""
        if self._taking is not None:
            self._taking.cancel()
        if self._queue is not None:
            self._broker.forget(self._queue)
        self._taking = None
        queue = self._queue = self._post.wiring.answer_queue(self._me, str(uuid4()))
        self._post.declare(self._broker, queue).addCallback(lambda _: self._take_from(queue))

    def _take_from(self, queue: Queue) -> None:
        # Otherwise it was lost before it was there, and there is another.
        if queue is self._queue:
            self._taking = self._broker.consume(queue.name, self._take, PREFETCH)

    def _lost(self) -> None:
        """Answers went with the connection; whoever waits for one asks again."""
        for number, (address, _) in tuple(self._waiting.items()):
            self._settle(number, ConnectionLost(f"the broker went before {address} had answered"))
        self._take_anew()

    def _take(self, delivered: Delivered) -> None:
        number = delivered.message.correlation_id
        if number not in self._waiting:
            return  # Its time was over.
        address, _ = self._waiting[number]
        try:
            came = self._post.check(delivered)
            why = came.headers.get(ERROR_HEADER)
            self._settle(number, decode(came.body) if why is None else AskedFailed(f"{address} could not do it: {why}"))
        except Untrusted as error:
            # The true answer may still come.
            self._log.warn("an answer of {address} is not taken: {why}", address=address, why=str(error))
        except QuantumdError as error:
            self._settle(number, error)

    def _forget(self, number: str) -> None:
        self._waiting.pop(number, None)

    def _settle(self, number: str, outcome: Message | Exception) -> None:
        if number not in self._waiting:
            return
        _, answer = self._waiting.pop(number)
        if isinstance(outcome, Exception):
            answer.errback(outcome)
        else:
            answer.callback(outcome)


def _not_asked(address: str, failure: Failure) -> Exception:
    failure.trap(EdgeError)
    if failure.check(NoRoute):
        return EdgeUnavailable(f"nobody answers at {address}")
    return EdgeUnavailable(f"{address} cannot be asked: {failure.getErrorMessage()}")


def _timed_out(address: str) -> Callable[[Any, float], Message]:
    def refuse(_result: Any, seconds: float) -> Message:
        raise EdgeTimeout(f"no answer from {address} within {seconds:g} s")

    return refuse
