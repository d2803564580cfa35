"""Publishing notifications: confirmed, in order for each resource, and again only what was not confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
"""How many notifications are unconfirmed at a time: as many as oslo.messaging's listeners remember to drop repeats."""

PATIENCE_SECONDS = 15.0
"""How long one call waits for a broker that is away; well below the lease of the consumer's cursor."""

REST_SECONDS = 0.25
"""How long after a failure the next try comes."""

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
class Outbox:
    """Sends notifications to a broker."""

    _broker: IBroker
    _clock: IReactorTime
    _address: Address
    _publisher_id: str
    _confirmed: set[tuple[UUID, str]] = field(factory=set, init=False)

    def open(self) -> None:
        """Have the broker declare what is needed, now or when it is there."""
        self._broker.declare(*self._address.declarations()).addErrback(_said)

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Return when the broker has confirmed all. EdgeError: not in time; what was confirmed is remembered.

        Call again with the same notifications, more behind them or not: none that was confirmed is sent twice.
        """
        until = self._clock.seconds() + PATIENCE_SECONDS
        while True:
            failure = await self._round(notifications)
            if failure is None:
                self._confirmed.clear()
                return
            if self._clock.seconds() >= until:
                raise failure
            if isinstance(failure, NoRoute):
                # Somebody has deleted the queue.
                await self._broker.declare(*self._address.declarations()).addErrback(_said)
            await deferLater(self._clock, REST_SECONDS)

    async def _round(self, notifications: Iterable[Notification]) -> EdgeError | None:
        """Send what is not confirmed; return what went wrong first."""
        lanes: dict[str, list[Notification]] = {}
        for each in notifications:
            lanes.setdefault(each.lane, []).append(each)
        failures: list[EdgeError] = []
        tokens = DeferredSemaphore(WINDOW)
        sent = [tokens.run(self._send_lane, lane, failures) for lane in lanes.values()]
        await gatherResults(sent, consumeErrors=True)
        return failures[0] if failures else None

    def _send_lane(self, lane: Iterable[Notification], failures: list[EdgeError]) -> Deferred[None]:
        return Deferred.fromCoroutine(self._lane(lane, failures))

    async def _lane(self, lane: Iterable[Notification], failures: list[EdgeError]) -> None:
        """Send those of one resource, each when the one before is confirmed; stop when anything went wrong."""
        for notification in lane:
            message = as_message(notification, self._publisher_id)
            for key in self._address.keys:
                if (notification.message_id, key) in self._confirmed:
                    continue
                if failures:
                    return
                try:
                    await self._broker.publish(self._address.exchange, key, message, mandatory=True)
                except EdgeError as failure:
                    failures.append(failure)
                    return
                self._confirmed.add((notification.message_id, key))


def _said(failure: Failure) -> None:
    error = failure.value
    if isinstance(error, BrokerRefused):
        # An exchange or queue of the name with other options is there: it is used as it is.
        log.warn("the queue of notifications is another than the settings say: {why}", why=str(error))
    elif not isinstance(error, EdgeError):
        log.failure("the queue of notifications could not be declared", failure)
