"""The bus inside one process. It encodes and decodes every message, so that nothing is shared by reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.bus.codec import decode, encode
from quantumd.errors import EdgeTimeout, EdgeUnavailable
from quantumd.interfaces import IBus
from quantumd.model.messages import Message

Receive = Callable[[Message], Any]


@implementer(IBus)
@define(eq=False)
class MemoryBus:
    """Delivers on the next turn of the reactor, in order."""

    is_connected: ClassVar[bool] = True
    _clock: IReactorTime
    _consumers: dict[str, Receive] = field(factory=dict, init=False)
    _lost: list[Callable[[], None]] = field(factory=list, init=False)
    _log = Logger()

    def publish(self, address: str, message: Message) -> Deferred[None]:
        """See IBus."""
        data = encode(message)
        self._clock.callLater(0, self._deliver, address, data)
        return succeed(None)

    def consume(self, address: str, receive: Receive) -> None:
        """See IBus."""
        self._consumers[address] = receive

    def call(self, address: str, message: Message, timeout_seconds: float) -> Deferred[Message]:
        """See IBus."""
        if address not in self._consumers:
            return fail(EdgeUnavailable(f"nobody answers at {address}"))
        answer: Deferred[Message] = Deferred()
        data = encode(message)

        def ask() -> None:
            asked = maybeDeferred(self._consumers[address], decode(data))
            asked.addCallback(lambda reply: decode(encode(reply)))
            asked.addBoth(settle)

        def settle(result: Message | Failure) -> None:
            if not answer.called:
                answer.callback(result)

        self._clock.callLater(0, ask)
        return answer.addTimeout(timeout_seconds, self._clock, onTimeoutCancel=_timed_out(address))

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See IBus."""
        self._lost.append(listener)

    def lose(self) -> None:
        """Tell every listener that messages may have been lost."""
        for listener in tuple(self._lost):
            listener()

    def _deliver(self, address: str, data: bytes) -> None:
        receive = self._consumers.get(address)
        if receive is None:
            return
        received = maybeDeferred(receive, decode(data))
        received.addErrback(self._failed, address)

    def _failed(self, failure: Failure, address: str) -> None:
        self._log.failure("consumer of {address} failed", failure, address=address)


def _timed_out(address: str) -> Callable[[Any, float], Message]:
    def refuse(_result: Any, seconds: float) -> Message:
        raise EdgeTimeout(f"no answer from {address} within {seconds} s")

    return refuse
