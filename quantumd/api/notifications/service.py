"""The journal's reader that tells other services, and what tells them of itself now and then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, frozen
from twisted.application.service import IService
from twisted.internet.defer import Deferred

from quantumd.api.notifications import CURSOR
from quantumd.api.notifications.audit import Audit
from quantumd.api.notifications.counters import CounterTeller
from quantumd.api.notifications.counting import Counting
from quantumd.api.notifications.messages import Teller
from quantumd.api.notifications.meters import MeterTeller
from quantumd.api.notifications.outbox import Address, Outbox
from quantumd.api.notifications.rounds import Rounds
from quantumd.api.resource import Resource
from quantumd.config import NotificationSettings
from quantumd.interfaces import IStore
from quantumd.model.counters import PortCount
from quantumd.model.meter_counts import MeterCount
from quantumd.ordered import OrderedServices
from quantumd.store.consumer import Consumer, ConsumerLimits
from quantumd.store.journal import JournalRow

LIMITS = ConsumerLimits(rows=200, retry_most=2.0, stop=2.0)


@define(eq=False)
class Notifier:
    """Handles stretches of the journal for the consumer that reads it. ``count`` is told how many were confirmed."""

    _teller: Teller
    _outbox: Outbox
    _count: Callable[[float], None] = lambda confirmed: None

    def handle(self, rows: Sequence[JournalRow]) -> Deferred[None]:
        """Fires when the broker is responsible for the notifications of these rows. EdgeError: again, please."""
        return Deferred.fromCoroutine(self._tell(rows))

    async def _tell(self, rows: Sequence[JournalRow]) -> None:
        made = [each for row in rows for each in self._teller.tell(row)]
        if made:
            await self._outbox.send(made)
            self._count(len(made))


@frozen
class Notifications:
    """What runs: ``service`` holds the broker, the consumer and the audit."""

    service: IService
    consumer: Consumer


def make_notifications(
    reactor: Any,
    store: IStore,
    broker: Any,
    settings: NotificationSettings,
    host: str,
    resources: Sequence[Resource],
    count: Callable[[float], None] = lambda confirmed: None,
    counting: Counting[PortCount] | None = None,
    metering: Counting[MeterCount] | None = None,
    is_alone: bool = False,
) -> Notifications:
    """Return what tells other services of every change from now on, as the settings say.

    :param broker: an IBroker that is a service.
    :param counting: what knows what ports sent and received; without it that is not told.
    :param metering: what knows what routers counted by labels; the same.
    :param is_alone: it knows that of ports of which no other process does.
    """
    address = Address(settings.exchange, settings.topics, settings.durable, settings.quorum)
    publisher_id = f"network.{host}"
    teller = Teller(resources)
    outbox = Outbox(broker, reactor, address, publisher_id)
    notifier = Notifier(teller, outbox, count)
    consumer = Consumer(reactor, store, CURSOR, host, notifier.handle, LIMITS, begins_at_end=True)
    outbox.open()
    service = OrderedServices()
    broker.setServiceParent(service)
    consumer.setServiceParent(service)
    if settings.exists_seconds:
        beside = Outbox(broker, reactor, address, publisher_id)
        audit = Audit(store, beside, teller, resources, lambda: consumer.has_lease)
        Rounds(reactor, settings.exists_seconds, audit.tell, "what exists").setServiceParent(service)
    if settings.counters_seconds and counting is not None:
        beside = Outbox(broker, reactor, address, publisher_id)
        counters = CounterTeller(store, beside, counting, lambda: is_alone or consumer.has_lease)
        Rounds(reactor, settings.counters_seconds, counters.tell, "counters of ports").setServiceParent(service)
    if settings.meters_seconds and metering is not None:
        beside = Outbox(broker, reactor, address, publisher_id)
        meters = MeterTeller(store, beside, metering, lambda: is_alone or consumer.has_lease)
        Rounds(reactor, settings.meters_seconds, meters.tell, "meters of routers").setServiceParent(service)
    return Notifications(service, consumer)
