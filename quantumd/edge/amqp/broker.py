"""The real provider: a service that keeps one connection to one of several brokers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

from attrs import frozen
from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.edge.amqp.errors import BrokerBusy, BrokerRefused, ConnectionLost
from quantumd.edge.amqp.interfaces import Declaration, IBroker, Message, Receive
from quantumd.edge.amqp.location import Location
from quantumd.edge.amqp.protocol import Client
from quantumd.edge.amqp.publisher import Publisher, PublishLimits
from quantumd.edge.amqp.session import Login, declare_all, declare_what_can_be, log_in, open_channel
from quantumd.edge.amqp.subscription import Subscription
from quantumd.edge.amqp.table import make_spec
from quantumd.errors import EdgeError, EdgeUnavailable

_LOCKED = 405
"""RESOURCE_LOCKED, AMQP 0-9-1 section 1.2."""

log = Logger()


@frozen
class Retry:
    """How long to wait before the next connection: ``first`` seconds, twice as long each time, at most ``most``."""

    first: float = 0.2
    most: float = 1.0


@implementer(IBroker)
class AmqpBroker(Service):
    """Implements IBroker over txAMQP. See the module ``protocol`` for what is hardened."""

    def __init__(
        self,
        reactor: Any,
        locations: Sequence[Location],
        login: Login,
        limits: PublishLimits = PublishLimits(),  # noqa: B008 - frozen
        retry: Retry = Retry(),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._reactor = reactor
        self._locations = cycle(locations)
        self._login = login
        self._limits = limits
        self._retry = retry
        self._chance = chance
        self._spec = make_spec()
        self._declared: dict[str, Declaration] = {}
        self._subscriptions: list[Subscription] = []
        self._lost_listeners: list[Callable[[], None]] = []
        self._connected_listeners: list[Callable[[], None]] = []
        self._client: Client | None = None
        self._publisher: Publisher | None = None
        self._user = ""
        self._loop: Deferred[None] = defer.succeed(None)

    @property
    def is_connected(self) -> bool:
        """See IBroker."""
        return self._publisher is not None

    @property
    def user(self) -> str:
        """See IBroker."""
        return self._user if self.is_connected else ""

    @property
    def unconfirmed(self) -> int:
        """See IBroker."""
        return 0 if self._publisher is None else self._publisher.unconfirmed

    def startService(self) -> None:
        """See IBroker."""
        super().startService()
        self._loop = Deferred.fromCoroutine(self._run())
        self._loop.addErrback(lambda failure: failure.trap(CancelledError) and None)

    def stopService(self) -> Deferred[None]:
        """See IBroker."""
        super().stopService()
        if self._client is None:
            self._loop.cancel()
        else:
            left = Deferred.fromCoroutine(self._client.leave())
            left.addErrback(lambda failure: log.failure("the broker could not be left", failure))
        return self._loop

    def declare(self, *declarations: Declaration) -> Deferred[None]:
        """See IBroker."""
        for each in declarations:
            self._declared[_key(each)] = each
        if self._client is None:
            return defer.fail(EdgeUnavailable("The broker is away; what is declared is remembered."))
        declared = Deferred.fromCoroutine(declare_all(self._client, declarations))

        def refused(failure: Any) -> Any:
            if failure.check(BrokerRefused):
                self.forget(*declarations)
            return failure

        return declared.addErrback(refused)

    def forget(self, *declarations: Declaration) -> None:
        """See IBroker."""
        for each in declarations:
            self._declared.pop(_key(each), None)

    def publish(self, exchange: str, routing_key: str, message: Message, mandatory: bool = False) -> Deferred[None]:
        """See IBroker."""
        if self._publisher is None or self._client is None:
            return defer.fail(EdgeUnavailable("The broker is away."))
        if self._client.is_blocked:
            return defer.fail(BrokerBusy(self._publisher.unconfirmed))
        return self._publisher.publish(exchange, routing_key, message, mandatory)

    def consume(self, queue: str, receive: Receive, prefetch: int = 100) -> Subscription:
        """See IBroker."""
        subscription = Subscription(
            queue, receive, prefetch, self._reactor, self._tell_lost, self._subscriptions.remove
        )
        self._subscriptions.append(subscription)
        if self._client is not None:
            subscription.attach(self._client)
        return subscription

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See IBroker."""
        self._lost_listeners.append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See IBroker."""
        self._connected_listeners.append(listener)

    async def _run(self) -> None:
        wait = self._retry.first
        while self.running:
            location = next(self._locations)
            try:
                await self._serve(location)
                wait = self._retry.first
            except CancelledError:
                return
            except EdgeError as error:
                log.warn("no broker at {location}: {error}", location=str(location), error=str(error))
            except Exception:  # noqa: BLE001 - the root of the loop: whatever fails is tried again
                log.failure("the connection to {location} failed", location=str(location))
            if self.running:
                await deferLater(self._reactor, wait * (0.5 + self._chance()))
                wait = min(wait * 2, self._retry.most)

    async def _serve(self, location: Location) -> None:
        """Connect, and return when the connection is gone. EdgeError when it could not be made whole."""
        client = await log_in(self._reactor, self._spec, location, self._login)
        try:
            await self._declare_remembered(client)
            self._client, self._user = client, location.user
            if not self.running:
                await client.leave()
            await self._begin(client)
            log.info("connected to broker {location}", location=str(location))
            reason = await _lost(client)
            log.warn("broker {location} is lost: {reason}", location=str(location), reason=str(reason))
        finally:
            client.transport.abortConnection()
            self._end()

    async def _declare_remembered(self, client: Client) -> None:
        refused = await declare_what_can_be(client, tuple(self._declared.values()))
        for each, refusal in refused:
            if refusal.code == _LOCKED:
                # An exclusive queue of ours, until the broker has noticed that the last connection is gone.
                raise refusal
            log.warn("the broker does not make {what}: {why}", what=each, why=str(refusal))

    async def _begin(self, client: Client) -> None:
        publisher = await self._open_publisher(client)
        # All at once: on a slow wire each takes a while.
        await gatherResults([subscription.attach(client) for subscription in tuple(self._subscriptions)])
        self._use(publisher)

    def _use(self, publisher: Publisher) -> None:
        if publisher.is_closed:
            raise ConnectionLost("The connection to the broker went while it was made.")
        self._publisher = publisher
        _tell(self._connected_listeners)

    async def _open_publisher(self, client: Client) -> Publisher:
        channel = await open_channel(client)
        channel.on_closed = lambda reason: self._publisher_closed(client, reason)
        await channel.confirm_select()
        return Publisher(channel, self._reactor, self._limits)

    def _publisher_closed(self, client: Client, reason: Exception) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is None:
            return
        publisher.lose(reason)
        if client.closed or isinstance(reason, ConnectionLost):
            return
        log.warn("the broker closed the channel of what is published: {reason}", reason=str(reason))
        self._tell_lost()
        reopened = Deferred.fromCoroutine(self._open_publisher(client))
        reopened.addCallback(self._use).addErrback(lambda _: client.transport.abortConnection())

    def _end(self) -> None:
        was_there, self._client = self._client is not None, None
        for subscription in tuple(self._subscriptions):
            subscription.detach()
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.lose(ConnectionLost("The connection to the broker is gone."))
        if was_there:
            self._tell_lost()

    def _tell_lost(self) -> None:
        _tell(self._lost_listeners)


def _key(declaration: Declaration) -> str:
    # Arguments of a queue may be a dict, which no key can hold.
    return repr(declaration)


def _lost(client: Client) -> Deferred[Exception]:
    waiting: Deferred[Exception] = Deferred()

    def tell(reason: Exception) -> Exception:
        waiting.callback(reason)
        return reason

    client.lost.addCallback(tell)
    return waiting


def _tell(listeners: Sequence[Callable[[], None]]) -> None:
    for listener in tuple(listeners):
        try:
            listener()
        except Exception:  # noqa: BLE001 - one listener's bug must not keep it from the others
            log.failure("a listener of the broker failed")
