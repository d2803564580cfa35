"""Messages on their way: which the broker has confirmed, and which it has not."""

from __future__ import annotations

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from txamqp.content import Content
from txamqp.message import Message as Received

from quantumd.edge.amqp.channel import Channel
from quantumd.edge.amqp.errors import BrokerBusy, BrokerRefused, NoRoute
from quantumd.edge.amqp.interfaces import Message
from quantumd.edge.amqp.properties import properties_of
from quantumd.errors import EdgeTimeout


@frozen
class PublishLimits:
    """``messages`` and ``bytes`` may be unconfirmed at a time; a confirmation may take ``seconds``."""

    messages: int = 1000
    bytes: int = 32 * 1024 * 1024
    seconds: float = 30.0


@define(eq=False)
class _Sent:
    """A message that is not confirmed. ``answer`` may be nobody's any more; the message counts all the same."""

    answer: Deferred[None]
    size: int
    message_id: str
    refusal: BrokerRefused | None = None


@define(eq=False)
class Publisher:
    """Publishes on a channel in confirm mode."""

    _channel: Channel
    _clock: IReactorTime
    _limits: PublishLimits
    _sent: dict[int, _Sent] = field(factory=dict, init=False)
    _next_tag: int = field(default=1, init=False)
    _bytes: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Listen to the channel."""
        self._channel.on_confirm = self._confirmed
        self._channel.on_return = self._returned

    @property
    def unconfirmed(self) -> int:
        """How many messages the broker has not answered for."""
        return len(self._sent)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be published any more."""
        return bool(self._channel.closed)

    def publish(self, exchange: str, routing_key: str, message: Message, mandatory: bool) -> Deferred[None]:
        """See IBroker."""
        size = len(message.body)
        if len(self._sent) >= self._limits.messages or self._bytes + size > max(self._limits.bytes, size):
            return fail(BrokerBusy(len(self._sent)))
        if not message.message_id:
            # By it a message is known when it comes back.
            message = evolve(message, message_id=str(self._next_tag))
        written = self._channel.basic_publish(
            exchange=exchange,
            routing_key=routing_key,
            mandatory=mandatory,
            content=Content(message.body, properties=properties_of(message)),
        )
        if isinstance(written.result, Failure):
            # Nothing was sent.
            return written  # type: ignore[no-any-return] # txAMQP's methods are made from the table
        return self._wait(_Sent(Deferred(), size, message.message_id))

    def lose(self, reason: Exception) -> None:
        """The channel is gone; what became of the unconfirmed is not known."""
        sent, self._sent = self._sent, {}
        for each in sent.values():
            _settle(each, reason)

    def _wait(self, sent: _Sent) -> Deferred[None]:
        self._sent[self._next_tag] = sent
        self._next_tag += 1
        self._bytes += sent.size
        seconds = self._limits.seconds

        def late(_result: object, _seconds: float) -> None:
            raise EdgeTimeout(f"The broker did not confirm a message within {seconds:g} s.")

        return sent.answer.addTimeout(seconds, self._clock, onTimeoutCancel=late)

    def _returned(self, received: Received) -> None:
        wanted = received.content.properties.get("message id")
        for sent in self._sent.values():
            if sent.message_id == wanted and sent.refusal is None:
                # The broker confirms a message that it has returned, after it.
                sent.refusal = NoRoute(received.exchange, received.routing_key)
                return

    def _confirmed(self, tag: int, is_multiple: bool, is_kept: bool) -> None:
        tags = [each for each in self._sent if each <= tag] if is_multiple else [tag]
        for each in tags:
            sent = self._sent.pop(each, None)
            if sent is not None:
                self._bytes -= sent.size
                _settle(sent, sent.refusal if is_kept else BrokerRefused(0, "it could not take the message"))


def _settle(sent: _Sent, refusal: Exception | None) -> None:
    if sent.answer.called:
        return
    if refusal is None:
        sent.answer.callback(None)
    else:
        sent.answer.errback(refusal)
