"""A connection to a broker: txAMQP's client behind reading, writing and heartbeats of our own."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from txamqp.client import TwistedDelegate
from txamqp.message import Message as Received
from txamqp.protocol import AMQClient
from txamqp.spec import Spec

from quantumd.edge.amqp.channel import Channel, error_of
from quantumd.edge.amqp.errors import BadFrame, BrokerRefused
from quantumd.edge.amqp.framing import FRAME_MAX, HEARTBEAT, PROTOCOL_HEADER, Frame, Frames, read_header, read_method
from quantumd.edge.amqp.table import FRAME_BODY, FRAME_HEADER, FRAME_HEARTBEAT, FRAME_METHOD
from quantumd.version import VERSION

_CAPABILITIES = {
    "publisher_confirms": True, "consumer_cancel_notify": True, "basic.nack": True, "connection.blocked": True,
    "authentication_failure_close": True,
}  # fmt: skip


class _Delegate(TwistedDelegate):  # type: ignore[misc] # txAMQP carries no annotations
    """What to do when the broker says something by itself."""

    client: Client

    def connection_start(self, ch: Channel, msg: Received) -> None:
        """Say who we are and what we understand."""
        known = {"product": "quantumd", "version": VERSION, "capabilities": _CAPABILITIES}
        ch.connection_start_ok(
            client_properties=known,
            mechanism=self.client.mechanism,
            response=self.client.response,
            locale=self.client.locale,
        )

    def connection_tune(self, ch: Channel, msg: Received) -> None:
        """Agree on sizes and heartbeats; 0 is the broker's word for no limit."""
        self.client.tuned(msg.frame_max or FRAME_MAX, msg.channel_max or 65_535, msg.heartbeat)
        client = self.client
        ch.connection_tune_ok(client.channel_max, client.MAX_LENGTH, client.heartbeat_seconds)
        client.started.fire()

    def connection_blocked(self, ch: Channel, msg: Received) -> None:
        """The broker reads no more of what we publish."""
        self.client.is_blocked = True
        self.client.log.warn("the broker takes no messages: {reason}", reason=msg.reason)

    def connection_unblocked(self, ch: Channel, msg: Received) -> None:
        """It does again."""
        self.client.is_blocked = False

    def basic_deliver(self, ch: Channel, msg: Received) -> None:
        """A message for a consumer."""
        ch.on_deliver(msg)

    def basic_return(self, ch: Channel, msg: Received) -> None:
        """A message that no queue took."""
        ch.on_return(msg)

    # txAMQP asks for the name that Python's keyword leaves.
    basic_return_ = basic_return

    def basic_ack(self, ch: Channel, msg: Received) -> None:
        """The broker has taken messages."""
        ch.on_confirm(msg.delivery_tag, msg.multiple, True)

    def basic_nack(self, ch: Channel, msg: Received) -> None:
        """The broker has not taken messages."""
        ch.on_confirm(msg.delivery_tag, msg.multiple, False)

    def basic_cancel(self, ch: Channel, msg: Received) -> None:
        """The queue of a consumer is gone."""
        ch.on_cancel()


class Client(AMQClient):  # type: ignore[misc] # txAMQP carries no annotations
    """One connection. Whatever the broker does wrong ends it; nothing makes it hang.

    ``heartbeat`` in seconds: the broker is told to expect one, and given up when it has been silent twice as long;
    the broker may ask for a shorter one. ``call_seconds`` is the time limit of each call.
    """

    channelClass = Channel
    log = Logger()

    def __init__(self, spec: Spec, vhost: str, clock: IReactorTime, heartbeat: int, call_seconds: float) -> None:
        # Stock heartbeats stay off: they start a new timer for each frame.
        super().__init__(_Delegate(), vhost, spec, heartbeat=0, clock=clock)
        self.heartbeat_seconds = heartbeat
        self.call_seconds = call_seconds
        self.channel_max = 65_535
        self.is_blocked = False
        self.lost: Deferred[Exception] = Deferred()
        """Fires, once, with why the connection is no more."""
        self._frames = Frames()
        self._heard = 0.0
        self._beat = LoopingCall(self._tick)
        self._beat.clock = clock
        self._broken: Exception | None = None

    def connectionMade(self) -> None:
        """Name the protocol."""
        self.channels[0] = self.channelFactory(0, None, self)
        self.transport.write(PROTOCOL_HEADER)

    def tuned(self, frame_max: int, channel_max: int, heartbeat: int) -> None:
        """The broker proposes; take the smaller of each."""
        self.MAX_LENGTH = min(frame_max, FRAME_MAX)
        self.channel_max = min(channel_max, self.channel_max)
        self.heartbeat_seconds = min(heartbeat or self.heartbeat_seconds, self.heartbeat_seconds)
        self._heard = self.clock.seconds()
        self._beat.start(max(self.heartbeat_seconds, 1) / 2, now=False)

    def new_channel(self) -> Channel:
        """Return a channel with a free number; it has to be opened. BrokerRefused, ConnectionLost."""
        if self.closed:
            raise error_of(self._broken)
        number = next((each for each in range(1, self.channel_max + 1) if each not in self.channels), None)
        if number is None:
            raise BrokerRefused(0, "every channel is in use")
        channel: Channel = self.channelFactory(number, None, self)
        self.channels[number] = channel
        return channel

    def dataReceived(self, data: bytes) -> None:
        """Read frames; what cannot be understood ends the connection."""
        self._heard = self.clock.seconds()
        try:
            for frame in self._frames.feed(data):
                self._take(frame)
        except Exception as error:  # noqa: BLE001 - on a connection out of step nothing can be believed
            if not isinstance(error, BadFrame):
                self.log.failure("a frame of the broker could not be handled")
            self._broken = error
            self.transport.abortConnection()

    def do_close(self, reason: Any) -> None:
        """The broker, or we, end the connection."""
        self._broken = self._broken or error_of(reason)
        # First, so that nobody who hears of it begins anything here.
        self.closed = True
        for channel in tuple(self.channels.values()):
            channel.do_close(self._broken)
        self.delegate.close(reason)

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008 - as Twisted has it
        """Whoever waits hears of it."""
        if self._beat.running:
            self._beat.stop()
        self.do_close(reason)
        if not self.lost.called:
            self.lost.callback(self._broken or error_of(reason))

    async def leave(self) -> None:
        """Say goodbye and go; within the time limit of a call in any case."""
        if not self.closed:
            try:
                await self.channels[0].connection_close(reply_code=200, reply_text="goodbye")
            except Exception as error:  # noqa: BLE001 - it is left anyway
                self.log.debug("the broker did not say goodbye: {error}", error=error)
        self.transport.abortConnection()

    def _take(self, frame: Frame) -> None:
        if frame.kind == FRAME_HEARTBEAT:
            return
        channel = self.channels.get(frame.channel)
        if channel is None:
            # What was under way when the channel closed.
            return
        if frame.kind == FRAME_METHOD:
            channel.take_method(*read_method(self.spec, frame.payload))
        elif frame.kind == FRAME_HEADER:
            channel.take_header(read_header(self.spec, frame.payload))
        elif frame.kind == FRAME_BODY:
            channel.take_body(frame.payload)
        else:
            raise BadFrame(f"a frame of kind {frame.kind}")

    def _tick(self) -> None:
        if not self.heartbeat_seconds:
            return
        silent = self.clock.seconds() - self._heard
        if silent > 2 * self.heartbeat_seconds:
            self._broken = error_of(ConnectionError(f"it has been silent for {silent:.1f} s"))
            self.transport.abortConnection()
        else:
            self.transport.write(HEARTBEAT)
