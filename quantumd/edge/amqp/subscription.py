"""Taking messages out of a queue, again on each connection."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from txamqp.message import Message as Received
from zope.interface import implementer

from quantumd.edge.amqp.channel import Channel
from quantumd.edge.amqp.interfaces import Delivered, ISubscription, Receive
from quantumd.edge.amqp.properties import message_of
from quantumd.edge.amqp.protocol import Client
from quantumd.errors import EdgeError

RETRY_SECONDS = 1.0
"""After how long a queue that is not there is asked for again."""

log = Logger()


@implementer(ISubscription)
@define(eq=False)
class Subscription:
    """Implements ISubscription on a channel of its own, so that its end ends nothing else."""

    _queue: str
    _receive: Receive
    _prefetch: int
    _clock: IReactorTime
    _tell_lost: Callable[[], None]
    _forget: Callable[[Subscription], None]
    is_active: bool = field(default=False, init=False)
    _client: Client | None = field(default=None, init=False)
    _channel: Channel | None = field(default=None, init=False)
    _retry: IDelayedCall | None = field(default=None, init=False)

    def attach(self, client: Client) -> Deferred[None]:
        """Begin on a connection; fires when that has gone well or ill, and is tried again in the second case."""
        self._client = client
        return self._try()

    def detach(self) -> None:
        """The connection is gone."""
        self._client = self._channel = None
        self.is_active = False
        if self._retry is not None and self._retry.active():
            self._retry.cancel()

    def cancel(self) -> Deferred[None]:
        """See ISubscription."""
        channel = self._channel
        self.detach()
        self._forget(self)
        if channel is None or channel.closed:
            return succeed(None)
        closing: Deferred[object] = channel.channel_close(reply_code=200, reply_text="enough")

        def closed(result: object) -> None:
            channel.do_close(ConnectionError("the consumer went"))
            if isinstance(result, Failure) and not result.check(EdgeError):
                log.failure("a consumer of {queue} could not be ended", result, queue=self._queue)

        return closing.addBoth(closed)

    def _try(self) -> Deferred[None]:
        began = Deferred.fromCoroutine(self._begin())
        return began.addErrback(self._failed)

    async def _begin(self) -> None:
        client = self._client
        if client is None:
            return
        channel = self._channel = client.new_channel()
        channel.on_deliver = lambda received: self._take(channel, received)
        channel.on_cancel = self._cancelled
        channel.on_closed = lambda reason: self._closed(channel, reason)
        await channel.channel_open()
        await channel.basic_qos(prefetch_count=self._prefetch)
        await channel.basic_consume(queue=self._queue)
        self.is_active = self._channel is channel and not channel.closed

    def _failed(self, failure: Failure) -> None:
        failure.trap(EdgeError)
        if self._client is not None:
            log.info("no messages of queue {queue} yet: {why}", queue=self._queue, why=failure.getErrorMessage())
            self._later()

    def _later(self) -> None:
        if self._client is not None and (self._retry is None or not self._retry.active()):
            self._retry = self._clock.callLater(RETRY_SECONDS, self._try)

    def _cancelled(self) -> None:
        """The queue is gone. Its channel is left, so that the next try begins from nothing."""
        channel, self._channel = self._channel, None
        self.is_active = False
        log.warn("the broker hands out no messages of {queue} any more", queue=self._queue)
        if channel is not None:
            channel.channel_close(reply_code=200, reply_text="the queue is gone").addErrback(
                lambda failure: failure.trap(EdgeError)
            ).addCallback(lambda _: channel.do_close(ConnectionError("the queue is gone")))
        self._tell_lost()
        self._later()

    def _closed(self, channel: Channel, reason: Exception) -> None:
        if channel is self._channel and self.is_active:
            self.is_active = False
            if channel.client.closed:
                # Of a connection that is gone its owner tells, once for all who had a part of it.
                return
            log.warn("the broker closed the consumer of {queue}: {why}", queue=self._queue, why=str(reason))
            self._tell_lost()
            self._later()

    def _take(self, channel: Channel, received: Received) -> None:
        tag = received.delivery_tag
        if received.content.body is None:
            log.error("a message of queue {queue} is too large and is rejected", queue=self._queue)
            channel.basic_reject(delivery_tag=tag, requeue=False)
            return
        message = message_of(received.content.body, received.content.properties)
        delivered = Delivered(message, received.exchange, received.routing_key, received.redelivered)
        done = maybeDeferred(self._receive, delivered)
        done.addCallbacks(lambda _: self._acknowledge(channel, tag), lambda why: self._reject(channel, tag, why))

    def _acknowledge(self, channel: Channel, tag: int) -> None:
        if not channel.closed:
            channel.basic_ack(delivery_tag=tag)

    def _reject(self, channel: Channel, tag: int, failure: Failure) -> None:
        log.failure("a message of queue {queue} is rejected: it could not be handled", failure, queue=self._queue)
        if not channel.closed:
            channel.basic_reject(delivery_tag=tag, requeue=False)
