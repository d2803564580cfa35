"""Publishing notifications: confirmed, in order for each resource, and again only what was not confirmed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TypeAlias
from uuid import UUID

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.api.notifications.envelope import TOPIC_PRIORITY, as_message
from quantumd.api.notifications.messages import Notification
from quantumd.edge.amqp.errors import BrokerRefused, NoRoute
from quantumd.edge.amqp.interfaces import Binding, Declaration, Exchange, IBroker, Queue
from quantumd.errors import EdgeError

WINDOW = 16
"""How many notifications there are at most from the oldest unconfirmed one to the last one sent.

oslo.messaging's listeners remember as many to drop repeats. Source: DUP_MSG_CHECK_SIZE in its _drivers/amqp.py.
"""

PATIENCE_SECONDS = 15.0
"""How long one call waits for a broker that is away; well below the lease of the consumer's cursor."""

REST_SECONDS = 0.25
"""How long after a failure the next try comes."""

Sending: TypeAlias = "tuple[UUID, str]"
"""What is confirmed: a notification, by its id, to one routing key."""

log = Logger()


@frozen
class Address:
    """Where notifications go: an exchange, and a queue for each topic, named ``<topic>.info``.

    ``is_durable`` and ``is_quorum`` are oslo.messaging's amqp_durable_queues and rabbit_quorum_queue.
    """

    exchange: str = "neutron"
    topics: tuple[str, ...] = ("notifications",)
    is_durable: bool = False
    is_quorum: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The routing keys, each also the name of a queue."""
        return tuple(f"{topic}.{TOPIC_PRIORITY}" for topic in self.topics)

    def declarations(self) -> tuple[Declaration, ...]:
        """What oslo.messaging declares before it publishes, so that nothing is lost before somebody listens."""
        durable = self.is_durable or self.is_quorum
        arguments = {"x-queue-type": "quorum"} if self.is_quorum else {}
        found: list[Declaration] = [Exchange(self.exchange, is_durable=durable)]
        for key in self.keys:
            found += [Queue(key, is_durable=durable, arguments=arguments), Binding(self.exchange, key, key)]
        return tuple(found)


@define(eq=False)
class Window:
    """What was sent: the oldest that is unconfirmed and all behind it, in its order; and everything confirmed.

    A broker may confirm in another order than that in which it was sent to. A limit on how many are unconfirmed would
    let one wait while any number of others go by, and its repeat would come when listeners have forgotten it.
    """

    _size: int
    _sent: deque[Sending] = field(factory=deque, init=False)
    _confirmed: set[Sending] = field(factory=set, init=False)
    _waiting: deque[Deferred[bool]] = field(factory=deque, init=False)

    async def enter(self, sending: Sending) -> bool:
        """Return whether it may be sent: when there is room, at once when it was sent before, not when dismissed."""
        while sending not in self._sent and len(self._sent) >= self._size:
            room: Deferred[bool] = Deferred()
            self._waiting.append(room)
            if not await room:
                return False
        if sending not in self._sent:
            self._sent.append(sending)
        return True

    def confirm(self, sending: Sending) -> None:
        """The broker has it."""
        self._confirmed.add(sending)
        while self._sent and self._sent[0] in self._confirmed:
            self._sent.popleft()
            if self._waiting:
                self._waiting.popleft().callback(True)

    def is_confirmed(self, sending: Sending) -> bool:
        """Whether the broker has it."""
        return sending in self._confirmed

    def place(self, sending: Sending) -> int:
        """Return how many were sent before it and are in the window: all of them, when it was not sent."""
        return self._sent.index(sending) if sending in self._sent else len(self._sent)

    def dismiss(self) -> None:
        """Let none of those who wait send."""
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.callback(False)

    def keep(self, wanted: Iterable[Sending]) -> None:
        """Forget the others: nobody sends them again."""
        known = {*self._sent, *self._confirmed}.intersection(wanted)
        self._sent = deque(each for each in self._sent if each in known)
        self._confirmed &= known


@define(eq=False)
class Outbox:
    """Sends notifications to a broker."""

    _broker: IBroker
    _clock: IReactorTime
    _address: Address
    _publisher_id: str
    _window: Window = field(factory=lambda: Window(WINDOW), init=False)

    def open(self) -> None:
        """Have the broker declare what is needed, now or when it is there."""
        self._broker.declare(*self._address.declarations()).addErrback(_said)

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Return when the broker has confirmed all. EdgeError: not in time; what was confirmed is remembered.

        Call again with the same notifications, more behind them or not: none that was confirmed is sent twice.
        """
        until = self._clock.seconds() + PATIENCE_SECONDS
        self._window.keep(sending for each in notifications for sending in self._sendings(each))
        while True:
            failure = await self._round(notifications)
            if failure is None:
                return
            if self._clock.seconds() >= until:
                raise failure
            if isinstance(failure, NoRoute):
                # Somebody has deleted the queue.
                await self._broker.declare(*self._address.declarations()).addErrback(_said)
            await deferLater(self._clock, REST_SECONDS)

    async def _round(self, notifications: Iterable[Notification]) -> EdgeError | None:
        """Send what is not confirmed, first what was sent before; return what went wrong first."""
        lanes: dict[str, list[Notification]] = {}
        for each in notifications:
            if any(not self._window.is_confirmed(sending) for sending in self._sendings(each)):
                lanes.setdefault(each.lane, []).append(each)
        failures: list[EdgeError] = []
        tokens = DeferredSemaphore(WINDOW)
        sent = [tokens.run(self._send_lane, lane, failures) for lane in sorted(lanes.values(), key=self._place)]
        await gatherResults(sent, consumeErrors=True)
        return failures[0] if failures else None

    def _sendings(self, notification: Notification) -> list[Sending]:
        return [(notification.message_id, key) for key in self._address.keys]

    def _place(self, lane: Sequence[Notification]) -> int:
        return min(self._window.place(sending) for sending in self._sendings(lane[0]))

    def _send_lane(self, lane: Iterable[Notification], failures: list[EdgeError]) -> Deferred[None]:
        return Deferred.fromCoroutine(self._lane(lane, failures))

    async def _lane(self, lane: Iterable[Notification], failures: list[EdgeError]) -> None:
        """Send those of one resource, each when the one before is confirmed; stop when anything went wrong."""
        for notification in lane:
            message = as_message(notification, self._publisher_id)
            for sending in self._sendings(notification):
                if self._window.is_confirmed(sending):
                    continue
                if failures or not await self._window.enter(sending):
                    return
                try:
                    await self._broker.publish(self._address.exchange, sending[1], message, mandatory=True)
                except EdgeError as failure:
                    failures.append(failure)
                    self._window.dismiss()
                    return
                self._window.confirm(sending)


def _said(failure: Failure) -> None:
    error = failure.value
    if isinstance(error, BrokerRefused):
        # An exchange or queue of the name with other options is there: it is used as it is.
        log.warn("the queue of notifications is another than the settings say: {why}", why=str(error))
    elif not isinstance(error, EdgeError):
        log.failure("the queue of notifications could not be declared", failure)
