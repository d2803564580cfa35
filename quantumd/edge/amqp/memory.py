"""A broker in memory, for tests and for trying things out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from attrs import define, evolve, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.edge.amqp.errors import BrokerBusy, BrokerRefused, ConnectionLost, NoRoute
from quantumd.edge.amqp.framing import pack_content
from quantumd.edge.amqp.interfaces import (
    Declaration,
    Delivered,
    IBroker,
    ISubscription,
    Message,
    Receive,
)
from quantumd.edge.amqp.memory_server import MemoryServer, WaitingMessages
from quantumd.edge.amqp.properties import properties_of
from quantumd.edge.amqp.table import make_spec
from quantumd.errors import EdgeUnavailable

_BASIC = make_spec().classes.byname["basic"]

log = Logger()


@implementer(ISubscription)
@define(eq=False)
class MemorySubscription:
    """Implements ISubscription."""

    _broker: MemoryBroker
    _queue: str
    _receive: Receive
    _prefetch: int
    _from: WaitingMessages | None = field(default=None, init=False)
    _held: dict[int, Delivered] = field(factory=dict, init=False)
    _count: int = field(default=0, init=False)
    _is_cancelled: bool = field(default=False, init=False)

    @property
    def is_active(self) -> bool:
        """See ISubscription."""
        return self._from is not None

    @property
    def has_room(self) -> bool:
        """Whether one more message may be received."""
        return len(self._held) < self._prefetch

    def attach(self) -> None:
        """Begin, now or when there is the queue."""
        server = self._broker.server
        if not self._broker.is_connected or self.is_active or self._is_cancelled:
            return
        queue = self._from = server.find(self._queue, self)
        if queue is not None:
            queue.takers.append(self)
            server.wake(queue)

    def detach(self) -> None:
        """End; what was not acknowledged goes back to where it was."""
        queue, self._from = self._from, None
        held, self._held = self._held, {}
        if queue is not None:
            queue.takers.remove(self)
            queue.messages.extendleft(evolve(each, is_again=True) for each in reversed(held.values()))
            self._broker.server.wake(queue)

    def cancel(self) -> Deferred[None]:
        """See ISubscription."""
        self._is_cancelled = True
        self.detach()
        self._broker.forget_subscription(self)
        return succeed(None)

    def lose_queue(self) -> None:
        """The queue is gone."""
        self._from = None
        self._held.clear()
        self._broker.tell_lost()
        self.attach()

    def take(self, delivered: Delivered) -> None:
        """Receive one."""
        self._count += 1
        number, queue = self._count, self._from
        self._held[number] = delivered
        done = maybeDeferred(self._receive, delivered)
        done.addCallbacks(lambda _: self._settle(number, queue), lambda why: self._reject(number, queue, why))

    def _reject(self, number: int, queue: WaitingMessages | None, failure: Failure) -> None:
        log.failure("a message of queue {queue} is rejected: it could not be handled", failure, queue=self._queue)
        delivered = self._held.get(number)
        if queue is not None and delivered is not None:
            self._broker.server.bury(queue, delivered)
        self._settle(number, queue)

    def _settle(self, number: int, queue: WaitingMessages | None) -> None:
        if self._held.pop(number, None) is not None and queue is not None:
            self._broker.server.wake(queue)


@implementer(IBroker)
class MemoryBroker(Service):
    """Implements IBroker. ``connect`` and ``disconnect`` are the hands that move the network behind it."""

    def __init__(self, server: MemoryServer, limit: int = 1000, user: str = "quantumd") -> None:
        self.server = server
        self.is_connected = False
        self._limit = limit
        self._user = user
        self._declared: dict[str, Declaration] = {}
        self._subscriptions: list[MemorySubscription] = []
        self._lost_listeners: list[Callable[[], None]] = []
        self._connected_listeners: list[Callable[[], None]] = []
        self._sent: list[Deferred[None]] = []

    @property
    def user(self) -> str:
        """See IBroker."""
        return self._user if self.is_connected else ""

    @property
    def unconfirmed(self) -> int:
        """See IBroker."""
        return len(self._sent)

    def startService(self) -> None:
        """See IBroker."""
        super().startService()
        if self.server.is_up:
            self.connect()

    def stopService(self) -> None:
        """See IBroker."""
        super().stopService()
        self.disconnect()

    def connect(self) -> None:
        """The broker is there."""
        self.server.is_up = True
        for each in self._declared.values():
            with suppress(BrokerRefused):
                self.server.declare(each)
        self.is_connected = True
        for subscription in tuple(self._subscriptions):
            subscription.attach()
        for listener in tuple(self._connected_listeners):
            listener()

    def disconnect(self) -> None:
        """The broker is away."""
        if not self.is_connected:
            return
        self.is_connected = False
        for subscription in tuple(self._subscriptions):
            subscription.detach()
        sent, self._sent = self._sent, []
        for each in sent:
            if not each.called:
                each.errback(ConnectionLost("The connection to the broker is gone."))
        self.tell_lost()

    def declare(self, *declarations: Declaration) -> Deferred[None]:
        """See IBroker."""
        for each in declarations:
            self._declared[repr(each)] = each
        if not self.is_connected:
            return fail(EdgeUnavailable("The broker is away; what is declared is remembered."))
        try:
            for each in declarations:
                self.server.declare(each)
        except BrokerRefused:
            self.forget(*declarations)
            return fail()
        return succeed(None)

    def forget(self, *declarations: Declaration) -> None:
        """See IBroker."""
        for each in declarations:
            self._declared.pop(repr(each), None)

    def publish(self, exchange: str, routing_key: str, message: Message, mandatory: bool = False) -> Deferred[None]:
        """See IBroker."""
        if not self.is_connected:
            return fail(EdgeUnavailable("The broker is away."))
        if len(self._sent) >= self._limit:
            return fail(BrokerBusy(len(self._sent)))
        try:
            pack_content(1, _BASIC, properties_of(message), b"", 4096)
        except Exception:  # noqa: BLE001 - the same as the real one: nothing was sent
            return fail()
        if message.user_id not in ("", self._user):
            return fail(BrokerRefused(406, f"user_id {message.user_id} is not that of the connection"))
        sent: Deferred[None] = Deferred()
        self._sent.append(sent)
        self.server.clock.callLater(0, self._deliver, sent, exchange, routing_key, message, mandatory)
        return sent

    def consume(self, queue: str, receive: Receive, prefetch: int = 100) -> MemorySubscription:
        """See IBroker."""
        subscription = MemorySubscription(self, queue, receive, prefetch)
        self._subscriptions.append(subscription)
        subscription.attach()
        return subscription

    def forget_subscription(self, subscription: MemorySubscription) -> None:
        """It was cancelled."""
        self._subscriptions.remove(subscription)

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See IBroker."""
        self._lost_listeners.append(listener)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See IBroker."""
        self._connected_listeners.append(listener)

    def tell_lost(self) -> None:
        """Messages may have been lost."""
        for listener in tuple(self._lost_listeners):
            listener()

    def _deliver(self, sent: Deferred[None], exchange: str, key: str, message: Message, mandatory: bool) -> None:
        if sent not in self._sent:
            return
        self._sent.remove(sent)
        outcome: Any = None
        try:
            is_routed = self.server.put(exchange, key, message)
            if mandatory and not is_routed:
                outcome = NoRoute(exchange, key)
        except BrokerRefused as refusal:
            outcome = refusal
        if sent.called:
            return
        if outcome is None:
            sent.callback(None)
        else:
            sent.errback(outcome)
