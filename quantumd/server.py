"""Puts the server side together: store, journal and its readers, the conversation with hosts, and the REST API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred

from quantumd.api import notifications, nova
from quantumd.api.app import Api
from quantumd.api.counts import PortCounts
from quantumd.api.extensions.features import Served, serve
from quantumd.api.former_subnets import FormerSubnets
from quantumd.api.health import Readiness
from quantumd.api.hosts.announce import CURSOR, Announcer
from quantumd.api.hosts.counters import METERS, PORTS, HostCounters
from quantumd.api.hosts.hearing import Hearing
from quantumd.api.hosts.service import HostsService
from quantumd.api.policy.files import load_policy
from quantumd.api.policy.guard import rules_of_attributes
from quantumd.api.resources.chance import system_chance
from quantumd.api.resources.dhcp_port import DhcpPorts
from quantumd.api.service import make_api_service
from quantumd.config import NetworkSettings, Settings
from quantumd.interfaces import IBus
from quantumd.l2.drivers.interfaces import IL2Driver
from quantumd.l2.mappings import parse_bridges, parse_interfaces
from quantumd.model.host_life import HostLife, report_seconds
from quantumd.process import Ground
from quantumd.roles import Roles
from quantumd.store.consumer import Consumer, ConsumerLimits, NoConsumer
from quantumd.store.retention import Retention
from quantumd.store.schema import ensure_schema
from quantumd.store.store import Store
from quantumd.version import VERSION

GATHER_SECONDS = 0.01
"""How long commits are gathered before hosts are told: what they wait for comes with the answer to their report."""

HOSTS_RETRY_SECONDS = 1.0
"""The longest time between tries to tell hosts while the broker is away: they wait for nothing else when it is back."""


def accounted(settings: NetworkSettings) -> frozenset[str]:
    """Return what is announced though packets do not obey it, because the operator says that counting it is enough."""
    guarantees = {"qos-bw-minimum", "qos-bw-minimum-ingress"}
    return frozenset(guarantees if settings.bandwidth_guarantees == "account" else ())


def announced(capabilities: frozenset[str], settings: Settings) -> frozenset[str]:
    """Return what is announced of what a driver makes packets obey, and what the operator says that is enough."""
    return frozenset(capabilities - _switched_off(settings)) | accounted(settings.network)


def _switched_off(settings: Settings) -> frozenset[str]:
    # Hosts say nothing of it: as with metadata, they agree with the server about what is on.
    off = frozenset() if settings.dns.enabled else frozenset({"dns-integration"})
    # What is counted is of use to whoever is told.
    is_told = settings.notifications.enabled and settings.notifications.meters_seconds > 0
    return off if is_told else off | {"metering"}


@define(eq=False)
class ServerSide:
    """The server side of one process. ``begin`` what hosts talk to, then their roles, then ``finish`` with the API."""

    _ground: Ground
    _bus: IBus
    _driver: IL2Driver
    _holder: str
    """A name that no other process has which reads the same journal."""
    _store: Store = field(init=False)
    _hearing: Hearing = field(init=False)

    def begin(self) -> None:
        """Make the store, and what tells hosts and listens to them. QuantumdError: the database forbids it."""
        ground = self._ground
        settings, reactor, metrics, root = ground.settings, ground.reactor, ground.metrics, ground.root
        store = self._store = _make_store(settings, reactor)
        keep = settings.database
        Retention(reactor, store, keep.journal_keep_seconds, keep.journal_keep_bytes).setServiceParent(root)
        _StoreService(store).setServiceParent(root)
        pace = report_seconds(settings.agents.down_seconds)
        self._hearing = Hearing(self._bus, store, reactor, ground.host, pace)
        self._hearing.setServiceParent(root)
        zone = settings.agents.availability_zone
        HostsService(self._bus, store, settings.l2.bind_unbound, zone, pace).setServiceParent(root)
        handle = Announcer(self._bus, store).handle
        limits = ConsumerLimits(gather=GATHER_SECONDS, retry_most=HOSTS_RETRY_SECONDS)
        consumer = Consumer(reactor, store, CURSOR, self._holder, handle, limits)
        consumer.setServiceParent(root)
        metrics.journal.cursor_lag.labels(CURSOR).set_function(lambda: consumer.lag_rows)
        metrics.journal.cursor_lag_seconds.labels(CURSOR).set_function(lambda: consumer.lag_seconds)
        self._make_nova().setServiceParent(root)
        store.on_commit(metrics.journal.position.set)
        PortCounts(reactor, store, metrics.api.ports).setServiceParent(root)

    def finish(self, roles: Roles, ready: Callable[[], Sequence[str]] = tuple) -> None:
        """Make what tells others, and the API.

        :param roles: those of this process.
        :param ready: returns what is waited for besides the database and the roles.
        """
        settings, driver = self._ground.settings, self._driver
        served = serve(
            settings.network,
            {**parse_bridges(settings.l2.bridge_mappings), **parse_interfaces(settings.l2.interface_mappings)},
            announced(driver.capabilities, settings),
            settings.api.preview,
            quota=settings.quota,
            agents=settings.agents,
            # Elsewhere only reports tell whether a host lives.
            here=self._ground.host if roles.loops else "",
            deafness=self._hearing.deafness,
        )
        dhcp_ports = DhcpPorts(settings.network, system_chance())
        FormerSubnets(self._store, dhcp_ports).setServiceParent(self._ground.root)
        self._make_notifications(served, bool(roles.loops)).setServiceParent(self._ground.root)
        self._make_api(served, _readiness(self._store, roles, ready)).setServiceParent(self._ground.root)

    def _make_nova(self) -> IService:
        ground = self._ground
        if not ground.settings.nova.enabled:
            return NoConsumer(self._store, nova.CURSOR)
        # What is switched off is not loaded: it would make every start longer.
        from quantumd.api.nova.service import make_nova_service

        settings = ground.settings
        return make_nova_service(
            settings.nova, settings.keystone, ground.reactor, self._store, self._holder, ground.metrics
        )

    def _make_notifications(self, served: Served, has_roles: bool) -> IService:
        ground = self._ground
        settings, reactor, metrics = ground.settings, ground.reactor, ground.metrics
        if not settings.notifications.enabled:
            return NoConsumer(self._store, notifications.CURSOR)
        from quantumd.api.notifications.service import make_notifications
        from quantumd.edge.amqp.made import make_broker

        # Whom no other process can reach over the bus.
        own = ground.host if has_roles and not settings.bus.joined_by_hosts else ""
        life = HostLife(settings.agents.down_seconds, ground.host if has_roles else "", self._hearing.deafness)
        broker = make_broker(reactor, settings.amqp)
        metrics.telling.broker_connected.set_function(lambda: broker.is_connected)
        told = make_notifications(
            reactor,
            self._store,
            broker,
            settings.notifications,
            self._holder,
            served.resources,
            metrics.telling.notifications.inc,
            HostCounters(self._bus, self._store, life, PORTS, own),
            HostCounters(self._bus, self._store, life, METERS, own),
            is_alone=bool(own),
        )
        metrics.journal.cursor_lag.labels(notifications.CURSOR).set_function(lambda: told.consumer.lag_rows)
        return told.service

    def _make_api(self, served: Served, readiness: Callable[[], Awaitable[Sequence[str]]]) -> IService:
        settings = self._ground.settings
        api = Api(
            served=served,
            store=self._store,
            readiness=readiness,
            metrics=self._ground.metrics,
            reactor=self._ground.reactor,
            bulk_limit=settings.api.bulk_limit,
            version=VERSION,
            settings=settings.api,
            policy=load_policy(settings.api.policy_file, rules_of_attributes(served.resources)),
        )
        return make_api_service(settings.api, api, settings.keystone, settings.http_basic)


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


def _readiness(store: Store, roles: Roles, ready: Callable[[], Sequence[str]]) -> Readiness:
    async def waiting_for() -> Sequence[str]:
        await store.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        return [*ready(), *roles.waits_for()]

    return waiting_for
