"""The composition root: settings in, a tree of services out. The only module that may import everything."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import define
from twisted.application.service import IService, Service
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred
from twisted.python import usage

from quantumd.api import notifications, nova
from quantumd.api.app import Api
from quantumd.api.counts import PortCounts
from quantumd.api.extensions.features import Served, serve
from quantumd.api.hosts.announce import CURSOR, Announcer
from quantumd.api.hosts.service import HostsService
from quantumd.api.policy.files import load_policy
from quantumd.api.policy.guard import rules_of_attributes
from quantumd.api.service import make_api_service
from quantumd.bus.memory import MemoryBus
from quantumd.config import Settings, load_settings
from quantumd.converge.loop import ConvergeService
from quantumd.core import OneCore
from quantumd.errors import QuantumdError
from quantumd.l2.drivers import find_driver
from quantumd.l2.drivers.interfaces import IL2Driver
from quantumd.l2.drivers.ovs.driver import parse_mappings
from quantumd.logs import LoggedService
from quantumd.metrics import Metrics
from quantumd.roles import ROLES, HostRoles, Roles
from quantumd.store.consumer import Consumer, ConsumerLimits, NoConsumer
from quantumd.store.retention import Retention
from quantumd.store.schema import ensure_schema
from quantumd.store.store import Store
from quantumd.version import VERSION
from quantumd.watchdog import StallWatchdog

SWITCH_INTERVAL_SECONDS = 0.002
"""How soon a thread that computes hands over to another (sys.setswitchinterval)."""

GATHER_SECONDS = 0.01
"""How long commits are gathered before hosts are told: what they wait for comes with the answer to their report."""

_COLLECT_AFTER = (10_000, 20, 20)
"""Allocations before a young collection, young ones before a middle one, middle ones before a full one."""


class Options(usage.Options):
    """Options of ``twistd quantumd``."""

    optParameters: ClassVar = [["config", "c", None, "The settings file; without one the defaults hold."]]

    def __init__(self) -> None:
        super().__init__()
        self.assignments: list[str] = []

    def opt_set(self, assignment: str) -> None:
        """One setting as section.name=value, after those of the file; may be repeated."""
        self.assignments.append(assignment)

    def load(self) -> Settings:
        """Return the settings. usage.UsageError says what is wrong with them."""
        path = self["config"]
        try:
            return load_settings(Path(path) if path else None, self.assignments)
        except QuantumdError as error:
            raise usage.UsageError(str(error)) from None


def makeService(options: Options) -> IService:
    """Return the all-in-one appliance: API, switch and address service in one process."""
    settings = options.load()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    try:
        service = make_appliance(settings, twisted_reactor)
    except QuantumdError as error:
        raise usage.UsageError(str(error)) from None
    spare_the_collector()
    return service


def spare_the_collector() -> None:
    """Take what was imported out of the garbage collector's sight, and have it look less often.

    What lives as long as the process need not be looked at again; a full look at it costs tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()


def make_appliance(settings: Settings, reactor: Any, driver: IL2Driver | None = None) -> IService:
    """Return the service tree of an all-in-one appliance.

    :param driver: used in place of the one that the settings name.
    :raises QuantumdError: the settings or the database forbid the start.
    """
    host = settings.host.name or socket.gethostname()
    root = LoggedService(settings.log.level, reactor)
    metrics = Metrics()
    watchdog = StallWatchdog(reactor, settings.log.stall_seconds, on_stall=lambda seconds: metrics.stalls.inc())
    watchdog.setServiceParent(root)
    metrics.watch(watchdog.turns)
    metrics.info.labels(VERSION, "all").set(1)

    if settings.host.one_core:
        OneCore(reactor).setServiceParent(root)
    bus = MemoryBus(reactor)
    store = _make_store(settings, reactor)
    Retention(
        reactor, store, settings.database.journal_keep_seconds, settings.database.journal_keep_bytes
    ).setServiceParent(root)
    _StoreService(store).setServiceParent(root)
    driver = driver or find_driver(settings.l2.driver)
    announcer = Announcer(bus, store)
    consumer = Consumer(reactor, store, CURSOR, host, announcer.handle, ConsumerLimits(gather=GATHER_SECONDS))
    HostsService(bus, store, settings.l2.bind_unbound, settings.agents.availability_zone).setServiceParent(root)
    consumer.setServiceParent(root)
    metrics.cursor_lag.labels(CURSOR).set_function(lambda: consumer.lag_rows)
    metrics.cursor_lag_seconds.labels(CURSOR).set_function(lambda: consumer.lag_seconds)
    _make_nova(settings, reactor, store, host, metrics).setServiceParent(root)
    store.on_commit(metrics.journal_position.set)
    PortCounts(reactor, store, metrics).setServiceParent(root)

    roles = HostRoles(settings, reactor, host, bus, metrics, driver).make(ROLES)
    roles.service.setServiceParent(root)
    readiness = _readiness(store, roles.loops)
    served = _serve(settings, driver, host)
    _make_notifications(settings, reactor, store, host, metrics, served, roles).setServiceParent(root)
    _make_api(settings, reactor, store, served, metrics, readiness).setServiceParent(root)
    return root


@define(eq=False)
class _StoreService(Service):
    """The store's threads, as a service."""

    _store: Store

    def startService(self) -> None:
        super().startService()
        self._store.start()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return self._store.stop()


def _make_store(settings: Settings, reactor: Any) -> Store:
    if not settings.database.url:
        Path(settings.host.state_dir).mkdir(parents=True, exist_ok=True, mode=0o750)
    ensure_schema(settings.database_url)
    return Store(reactor, settings.database, settings.database_url)


def _readiness(store: Store, loops: dict[str, ConvergeService]) -> Callable[[], Awaitable[Sequence[str]]]:
    async def waiting_for() -> Sequence[str]:
        await store.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        return [f"role {role}: {loop.waits_for}" for role, loop in loops.items() if loop.waits_for]

    return waiting_for


def _serve(settings: Settings, driver: IL2Driver, host: str) -> Served:
    return serve(
        settings.network,
        parse_mappings(settings.l2.bridge_mappings),
        driver.capabilities,
        settings.api.preview,
        quota=settings.quota,
        agents=settings.agents,
        here=host,
    )


def _make_nova(settings: Settings, reactor: Any, store: Store, host: str, metrics: Metrics) -> IService:
    if not settings.nova.enabled:
        return NoConsumer(store, nova.CURSOR)
    # What is switched off is not loaded: it would make every start longer.
    from quantumd.api.nova.service import make_nova_service

    return make_nova_service(settings.nova, settings.keystone, reactor, store, host, metrics)


def _make_notifications(
    settings: Settings, reactor: Any, store: Store, host: str, metrics: Metrics, served: Served, roles: Roles
) -> IService:
    if not settings.notifications.enabled:
        return NoConsumer(store, notifications.CURSOR)
    from quantumd.api.notifications.service import make_notifications
    from quantumd.edge.amqp.made import make_broker

    broker = make_broker(reactor, settings.amqp)
    metrics.broker_connected.set_function(lambda: broker.is_connected)
    told = make_notifications(
        reactor,
        store,
        broker,
        settings.notifications,
        host,
        served.resources,
        metrics.notifications.inc,
        roles.read_counters,
    )
    metrics.cursor_lag.labels(notifications.CURSOR).set_function(lambda: told.consumer.lag_rows)
    return told.service


def _make_api(
    settings: Settings,
    reactor: Any,
    store: Store,
    served: Served,
    metrics: Metrics,
    readiness: Callable[[], Awaitable[Sequence[str]]],
) -> IService:
    api = Api(
        served=served,
        store=store,
        readiness=readiness,
        metrics=metrics,
        reactor=reactor,
        bulk_limit=settings.api.bulk_limit,
        version=VERSION,
        settings=settings.api,
        policy=load_policy(settings.api.policy_file, rules_of_attributes(served.resources)),
    )
    return make_api_service(settings.api, api, settings.keystone, settings.http_basic)
