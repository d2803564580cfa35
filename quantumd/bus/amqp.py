"""The bus between processes, over a broker.

Each address has two queues: one for calls and one for messages. Each kind has a connection of its own, so that a flood
of one cannot stop the other. Several processes may consume one address; each message goes to one of them. Answers come
to one queue of the process, and know by an id what they answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from attrs import evolve
from twisted.application.internet import TimerService
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.bus.calls import ERROR_HEADER, PREFETCH, Calls
from quantumd.bus.codec import encode
from quantumd.bus.errors import Untrusted
from quantumd.bus.post import Post, refuse_other_queues
from quantumd.bus.signing import Signer
from quantumd.bus.users import HostUsers
from quantumd.bus.wiring import ASK, TELL, Wiring
from quantumd.edge.amqp.interfaces import Delivered, IBroker
from quantumd.edge.amqp.interfaces import Message as Sent
from quantumd.errors import EdgeError, QuantumdError
from quantumd.interfaces import IBus
from quantumd.model.messages import Message

LONGEST_ERROR: Final = 1000

CARE_SECONDS: Final = 60.0
"""How often what the bus needs of the broker is made again: nobody is told of a binding that somebody has removed."""

Receive = Callable[[Message], Any]


@implementer(IBus)
class AmqpBus(Service):
    """Implements IBus. Runs the two brokers while it runs itself.

    :param asks: the connection for calls and their answers.
    :param tells: the connection for messages.
    :param me: a name of this process, for its queue of answers: that of its host.
    :param signer: signs what is sent and checks what comes; None trusts everybody whom the broker lets in.
    :param care_seconds: how often what it needs of the broker is made again.
    :param users: who may speak for which host to an open address; None: whoever may speak there.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        asks: IBroker,
        tells: IBroker,
        me: str,
        wiring: Wiring = Wiring(),  # noqa: B008 - frozen
        signer: Signer | None = None,
        users: HostUsers | None = None,
        care_seconds: float = CARE_SECONDS,
    ) -> None:
        self._brokers = {ASK: asks, TELL: tells}
        self._wiring = wiring
        self._post = Post(wiring, signer, users)
        self._calls = Calls(clock, asks, self._post, me)
        self._addresses: set[str] = set()
        self._care = TimerService(care_seconds, self._make_all_again)
        self._care.clock = clock

    @property
    def is_connected(self) -> bool:
        """See IBus: both connections stand."""
        return all(broker.is_connected for broker in self._brokers.values())

    def startService(self) -> None:
        """Connect."""
        super().startService()
        for kind, broker in self._brokers.items():
            broker.startService()
            broker.on_lost(partial(self._make_again, kind))
        self._calls.start()
        self._care.startService()

    async def stopService(self) -> None:
        """Disconnect; fires when that is done."""
        super().stopService()
        self._care.stopService()
        for broker in self._brokers.values():
            await maybeDeferred(broker.stopService)

    def publish(self, address: str, message: Message) -> Deferred[None]:
        """See IBus."""
        sent = Sent(encode(message), is_persistent=False)
        return self._post.send(self._brokers[TELL], self._wiring.route(TELL, address), sent)

    def consume(self, address: str, receive: Receive) -> None:
        """See IBus."""
        self._consume(ASK, address, lambda delivered: self._asked(address, delivered, receive))
        self._consume(TELL, address, lambda delivered: self._told(address, delivered, receive))

    def call(self, address: str, message: Message, timeout_seconds: float) -> Deferred[Message]:
        """See IBus."""
        return self._calls.call(address, message, timeout_seconds)

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See IBus."""
        for broker in self._brokers.values():
            broker.on_lost(listener)
        # What was told before this connection had its queue went nowhere.
        self._brokers[TELL].on_connected(listener)

    def _consume(self, kind: str, address: str, take: Callable[[Delivered], Deferred[Any]]) -> None:
        self._addresses.add(address)
        broker, queue = self._brokers[kind], self._wiring.queue(kind, address)
        # Before the queue is there, the broker would refuse to hand out anything of it.
        declared = self._post.declare(broker, *self._wiring.declared(kind, address))
        declared.addCallback(lambda _: broker.consume(queue.name, take, PREFETCH))

    def _make_all_again(self) -> None:
        for kind in self._brokers:
            self._make_again(kind)

    def _make_again(self, kind: str) -> None:
        """Make what somebody has deleted; a broker that is away makes what is declared when it is back."""
        for address in sorted(self._addresses):
            self._post.declare(self._brokers[kind], *self._wiring.declared(kind, address))

    def _told(self, address: str, delivered: Delivered, receive: Receive) -> Deferred[Any]:
        def take() -> Any:
            return receive(self._post.open(address, delivered))

        return maybeDeferred(take).addErrback(self._failed, delivered.routing_key)

    def _asked(self, address: str, delivered: Delivered, receive: Receive) -> Deferred[Any]:
        asked = delivered.message

        def take() -> Any:
            message = self._post.open(address, delivered)
            refuse_other_queues(self._wiring, asked.reply_to)
            return receive(message)

        answered = maybeDeferred(take).addCallback(lambda reply: Sent(encode(reply), is_persistent=False))
        answered.addErrback(self._cannot_answer, delivered.routing_key)
        answered.addCallback(lambda sent: self._answer(asked, sent))
        return answered.addErrback(self._failed, delivered.routing_key)

    def _answer(self, asked: Sent, sent: Sent) -> Deferred[None]:
        answer = evolve(sent, correlation_id=asked.correlation_id)
        return self._post.send(self._brokers[ASK], ("", asked.reply_to), answer)

    def _cannot_answer(self, failure: Failure, key: str) -> Sent:
        """Return the answer that says why there is none; what nobody meant to raise is told in the log only."""
        if failure.check(Untrusted):
            # Whoever made it gets no answer.
            failure.raiseException()
        if failure.check(QuantumdError):
            why = failure.getErrorMessage()
            self.log.warn("what was asked at {key} could not be done: {why}", key=key, why=why)
        else:
            why = "it failed there"
            self.log.failure("what was asked at {key} could not be done", failure, key=key)
        return Sent(b"", headers={ERROR_HEADER: why[:LONGEST_ERROR]}, is_persistent=False)

    def _failed(self, failure: Failure, key: str) -> None:
        if failure.check(EdgeError):
            self.log.warn("a message to {key} came to nothing: {why}", key=key, why=failure.getErrorMessage())
        else:
            self.log.failure("a message to {key} came to nothing", failure, key=key)
