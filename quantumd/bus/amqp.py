"""The bus between processes, over a broker.

Each address has two queues, on one direct exchange: ``ask.<address>`` for calls and ``tell.<address>`` for messages.
Each kind has a connection of its own, so that a flood of one cannot stop the other. Several processes may consume one
address; each message goes to one of them. Answers come to one queue of the process, and know by an id what they answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import uuid4

from attrs import evolve, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.bus.codec import decode, encode
from quantumd.bus.errors import AskedFailed, Untrusted
from quantumd.bus.signing import Signer
from quantumd.edge.amqp.errors import ConnectionLost, NoRoute
from quantumd.edge.amqp.interfaces import Binding, Delivered, Exchange, IBroker, Queue
from quantumd.edge.amqp.interfaces import Message as Sent
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable, QuantumdError
from quantumd.interfaces import IBus
from quantumd.model.records import Message

ASK, TELL = "ask", "tell"

ERROR_HEADER: Final = "quantumd-error"
"""In an answer: why there is none."""

LONGEST_ERROR: Final = 1000

STALE_SECONDS: Final = 60
"""How long a message may wait for a consumer: one that comes later compares digests and needs it no more."""

PREFETCH: Final = 32
"""How many calls, or messages, of an address a process has at work at a time."""

Receive = Callable[[Message], Any]


@frozen
class Wiring:
    """How the bus uses the broker. ``exchange`` is the first part of every queue's name, too.

    ``is_quorum``: the queues of addresses are quorum queues, kept on several brokers.
    """

    exchange: str = "quantumd"
    is_quorum: bool = False

    def queue(self, kind: str, address: str) -> Queue:
        """Return the queue of one kind of an address. It is bounded: what is oldest goes first."""
        arguments: dict[str, Any] = {"x-message-ttl": STALE_SECONDS * 1000, "x-max-length": 100_000}
        if self.is_quorum:
            arguments["x-queue-type"] = "quorum"
        return Queue(f"{self.exchange}.{kind}.{address}", arguments=arguments)


@implementer(IBus)
class AmqpBus(Service):
    """Implements IBus. Runs the two brokers while it runs itself.

    :param asks: the connection for calls and their answers.
    :param tells: the connection for messages.
    :param me: a name of this process, for its queue of answers.
    :param signer: signs what is sent and checks what comes; None trusts everybody whom the broker lets in.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        asks: IBroker,
        tells: IBroker,
        me: str,
        wiring: Wiring = Wiring(),
        signer: Signer | None = None,
    ) -> None:
        self._clock = clock
        self._brokers = {ASK: asks, TELL: tells}
        self._wiring = wiring
        self._signer = signer
        self._answer_queues = f"{wiring.exchange}.answers."
        self._answers = f"{self._answer_queues}{me}.{uuid4()}"
        self._waiting: dict[str, tuple[str, Deferred[Message]]] = {}
        self._addresses: set[str] = set()

    @property
    def is_connected(self) -> bool:
        """See IBus: both connections stand."""
        return all(broker.is_connected for broker in self._brokers.values())

    def startService(self) -> None:
        """Connect."""
        super().startService()
        for broker in self._brokers.values():
            broker.startService()
            self._declare(broker, Exchange(self._wiring.exchange, kind="direct"))
        for kind in self._brokers:
            self._brokers[kind].on_lost(partial(self._make_again, kind))
        asks = self._brokers[ASK]
        self._declare(asks, Queue(self._answers, is_durable=False, is_exclusive=True, is_auto_deleted=True))
        asks.consume(self._answers, self._take_answer, PREFETCH)
        asks.on_lost(self._lost_answers)

    async def stopService(self) -> None:
        """Disconnect; fires when that is done."""
        super().stopService()
        for broker in self._brokers.values():
            await maybeDeferred(broker.stopService)

    def publish(self, address: str, message: Message) -> Deferred[None]:
        """See IBus."""
        sent = Sent(encode(message), is_persistent=False)
        return self._send(TELL, self._wiring.exchange, f"{TELL}.{address}", sent)

    def consume(self, address: str, receive: Receive) -> None:
        """See IBus."""
        self._consume(ASK, address, lambda delivered: self._asked(delivered, receive))
        self._consume(TELL, address, lambda delivered: self._told(delivered, receive))

    def call(self, address: str, message: Message, timeout_seconds: float) -> Deferred[Message]:
        """See IBus."""
        number = str(uuid4())
        answer: Deferred[Message] = Deferred(lambda _: self._forget(number))
        self._waiting[number] = (address, answer)
        sent = Sent(
            encode(message),
            correlation_id=number,
            reply_to=self._answers,
            is_persistent=False,
            expires_seconds=timeout_seconds,
        )
        asked = self._send(ASK, self._wiring.exchange, f"{ASK}.{address}", sent, mandatory=True)
        asked.addErrback(lambda failure: self._settle(number, _not_asked(address, failure)))
        return answer.addTimeout(timeout_seconds, self._clock, onTimeoutCancel=_timed_out(address))

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See IBus."""
        for broker in self._brokers.values():
            broker.on_lost(listener)

    def _consume(self, kind: str, address: str, take: Callable[[Delivered], Deferred[Any]]) -> None:
        self._addresses.add(address)
        self._declare(self._brokers[kind], *self._place(kind, address))
        self._brokers[kind].consume(self._wiring.queue(kind, address).name, take, PREFETCH)

    def _place(self, kind: str, address: str) -> tuple[Queue, Binding]:
        queue = self._wiring.queue(kind, address)
        return queue, Binding(self._wiring.exchange, queue.name, f"{kind}.{address}")

    def _make_again(self, kind: str) -> None:
        """Make queues that somebody has deleted; a broker that is away makes what is declared when it is back."""
        if self._brokers[kind].is_connected:
            for address in sorted(self._addresses):
                self._declare(self._brokers[kind], *self._place(kind, address))

    def _declare(self, broker: IBroker, *declarations: Any) -> None:
        # A broker that is away remembers it.
        broker.declare(*declarations).addErrback(self._not_declared)

    def _not_declared(self, failure: Failure) -> None:
        failure.trap(EdgeError)
        if not failure.check(EdgeUnavailable):
            self.log.error("the broker does not make what the bus needs: {why}", why=failure.getErrorMessage())

    def _send(self, kind: str, exchange: str, key: str, sent: Sent, mandatory: bool = False) -> Deferred[None]:
        if self._signer is not None:
            sent = self._signer.sign(key, sent)
        published: Deferred[None] = self._brokers[kind].publish(exchange, key, sent, mandatory)
        return published

    def _check(self, delivered: Delivered) -> Sent:
        """Return what came. Untrusted."""
        if self._signer is not None:
            self._signer.check(delivered.routing_key, delivered.message)
        return delivered.message

    def _told(self, delivered: Delivered, receive: Receive) -> Deferred[Any]:
        def take() -> Any:
            return receive(decode(self._check(delivered).body))

        return maybeDeferred(take).addErrback(self._failed, delivered.routing_key)

    def _asked(self, delivered: Delivered, receive: Receive) -> Deferred[Any]:
        asked = delivered.message

        def take() -> Any:
            self._check(delivered)
            if not asked.reply_to.startswith(self._answer_queues):
                raise Untrusted("an answer is wanted in a queue that is none for answers")
            return receive(decode(asked.body))

        answered = maybeDeferred(take).addCallback(lambda reply: Sent(encode(reply), is_persistent=False))
        answered.addErrback(self._cannot_answer, delivered.routing_key)
        return answered.addCallback(
            lambda sent: self._send(ASK, "", asked.reply_to, evolve(sent, correlation_id=asked.correlation_id))
        ).addErrback(self._failed, delivered.routing_key)

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

    def _take_answer(self, delivered: Delivered) -> None:
        number = delivered.message.correlation_id
        if number not in self._waiting:
            return  # Its time was over.
        address, _ = self._waiting[number]
        try:
            came = self._check(delivered)
            why = came.headers.get(ERROR_HEADER)
            self._settle(number, decode(came.body) if why is None else AskedFailed(f"{address} could not do it: {why}"))
        except Untrusted as error:
            # The true answer may still come.
            self.log.warn("an answer of {address} is not taken: {why}", address=address, why=str(error))
        except QuantumdError as error:
            self._settle(number, error)

    def _lost_answers(self) -> None:
        """Answers went with the connection; whoever waits for one asks again."""
        for number, (address, _) in tuple(self._waiting.items()):
            self._settle(number, ConnectionLost(f"the broker went before {address} had answered"))

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
