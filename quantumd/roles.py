"""Puts a host's roles together: what each must have, the loop that brings it about, and the reports of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import SystemRandom, random
from typing import TYPE_CHECKING, Any, Final

from attrs import define, evolve, field, frozen
from twisted.application.service import IService

from quantumd.config import Settings
from quantumd.converge.client import RecordsClient, Reporter
from quantumd.converge.counting import NO_ANSWERS, Answers, meters_counted, ports_counted
from quantumd.converge.loop import ConvergeService, PassSummary
from quantumd.converge.presence import Presence, Progress
from quantumd.converge.records import Records
from quantumd.errors import SettingsError
from quantumd.interfaces import IBus, IConverger, IPlugs, IServiceDoor
from quantumd.l2.drivers.interfaces import FrameParts, IL2Driver, L2Parts, Site
from quantumd.metrics import LoopMetrics, Metrics, ServiceMetrics
from quantumd.model.bandwidth import Bandwidth, parse_bandwidth
from quantumd.model.messages import HostReport
from quantumd.model.service_place import NAMESPACE_ENDING
from quantumd.model.services import DNS, METADATA, ServicePoint
from quantumd.ordered import OrderedServices
from quantumd.version import VERSION

if TYPE_CHECKING:
    from quantumd.services.listeners import Listener

L2: Final = "l2"
DHCP: Final = "dhcp"
L3: Final = "l3"
SERVICES: Final = "services"
ROLES: Final = (L2, DHCP, L3)
"""What a host can do."""

_KERNEL_DATAPATH = Path("/sys/module/openvswitch")


@frozen
class Roles:
    """The host's roles: what runs them, and their loops by role."""

    service: IService
    loops: dict[str, ConvergeService]

    def waits_for(self) -> Sequence[str]:
        """Return what the roles wait for, each in a few words."""
        return [f"role {role}: {loop.waits_for}" for role, loop in self.loops.items() if loop.waits_for]


@define(eq=False)
class HostRoles:
    """Makes the roles of this host. Each has a loop of its own, and talks to the server side over the bus."""

    _settings: Settings
    _reactor: Any
    _host: str
    _bus: IBus
    _metrics: Metrics
    _driver: IL2Driver
    _service: OrderedServices = field(factory=OrderedServices, init=False)
    _loops: dict[str, ConvergeService] = field(factory=dict, init=False)

    def make(self, wanted: Collection[str]) -> Roles:
        """Return the wanted ones of ROLES, in one service."""
        records = Records()
        site = self._site(records)
        if L2 in wanted:
            return self._make_l2(self._driver.install(site), records, wanted)
        if DHCP in wanted:
            self._make_dhcp(self._driver.frames(site))
        if L3 in wanted:
            parts = self._driver.plugs(site)
            if parts is None:
                raise SettingsError(f"l2.driver: {self._driver.name} carries no routers")
            self._make_l3(parts.plugs)
            parts.connection.setServiceParent(self._service)
        return Roles(self._service, self._loops)

    def _make_l2(self, parts: L2Parts, records: Records, wanted: Collection[str]) -> Roles:
        self._metrics.switch.foreign_flows.set_function(parts.count_foreign_flows)
        self._metrics.switch.repaired_flows.set_function(parts.count_repaired_flows)
        self._metrics.switch.unlogged_packets.set_function(parts.count_unlogged)
        answers = ports_counted(parts.read_counters)
        self._run(parts.converger, records, lambda: {**parts.faults(), **self._faults_of_services()}, answers)
        if DHCP in wanted:
            self._make_dhcp(parts.frames)
        if L3 in wanted and parts.plugs is not None:
            self._make_l3(parts.plugs)
        if parts.door is not None:
            self._make_services(parts.door)
        parts.connections.setServiceParent(self._service)
        return Roles(self._service, self._loops)

    def _site(self, records: Records) -> Site:
        return Site(
            host=self._host,
            l2=self._settings.l2,
            dhcp=self._settings.dhcp,
            records=records,
            reactor=self._reactor,
            edges=self._settings.host.edges,
            kernel_datapath=_KERNEL_DATAPATH.exists(),
            run_dir=self._settings.host.run_dir,
            points=self._points(),
        )

    def _make_dhcp(self, parts: FrameParts) -> None:
        # An API process that only takes this module's types loads none of it.
        from quantumd.dhcp.converger import DhcpConverger
        from quantumd.dhcp.options import Told
        from quantumd.dhcp.service import DhcpService
        from quantumd.dhcp.table import DhcpTable

        records, table = Records(), DhcpTable()
        self._run(DhcpConverger(self._host, VERSION, records, table, parts.frames, self._reactor), records)
        counter = _DhcpCounter(self._metrics.services)
        metadata = self._settings.metadata.enabled and parts.has_services
        dns = self._settings.dns.enabled and parts.has_services
        answering = DhcpService(parts.frames, table, self._settings.dhcp, self._reactor, counter, Told(metadata, dns))
        answering.setServiceParent(self._service)
        parts.connection.setServiceParent(self._service)

    def _faults_of_services(self) -> Mapping[tuple[str, str], str]:
        loop = self._loops.get(SERVICES)
        return loop.faults if loop is not None else {}

    def _points(self) -> tuple[ServicePoint, ...]:
        metadata = (METADATA,) if self._settings.metadata.enabled else ()
        return (*metadata, *(DNS if self._settings.dns.enabled else ()))

    def _make_services(self, door: IServiceDoor) -> None:
        # What is switched off is not loaded.
        from quantumd.l3.names import parse_prefix
        from quantumd.services.converger import ServicesConverger
        from quantumd.services.listeners import Listeners
        from quantumd.services.service import NamespaceService, make_namespaces

        namespace = f"{parse_prefix(self._settings.l3.namespace_prefix)}{NAMESPACE_ENDING}"
        namespaces = make_namespaces(self._reactor, self._settings.host.edges, namespace)
        answering, listening = self._make_answering(door)
        listeners = Listeners(self._reactor, namespaces, namespace, listening)
        begin = listeners.begin if self._settings.host.edges == "real" else _nothing
        converger = ServicesConverger(self._host, VERSION, namespace, namespaces, door, begin)
        self._metrics.services.repaired.set_function(lambda: converger.repaired)
        loop = ConvergeService(
            converger, self._reactor, lambda reports, is_complete: None, self._settings.l2.drift_seconds
        )
        for service in (NamespaceService(namespaces), *answering, listeners, loop):
            service.setServiceParent(self._service)
        # No records are waited for: what must be there is always the same.
        loop.records_changed(frozenset(), True)
        self._loops[SERVICES] = loop

    def _make_answering(self, door: IServiceDoor) -> tuple[list[IService], dict[ServicePoint, Listener]]:
        """Return the services that are switched on, and what listens for them."""
        services: list[IService] = []
        listening: dict[ServicePoint, Listener] = {}
        if self._settings.metadata.enabled:
            from quantumd.services.metadata.service import make_metadata

            metadata = make_metadata(
                self._settings.metadata, self._reactor, door, _metadata_counter(self._metrics.services)
            )
            services.append(metadata)
            listening[METADATA] = metadata.site
        if self._settings.dns.enabled:
            from quantumd.services.dns.service import make_dns

            domain, count = self._settings.network.dns_domain, _dns_counter(self._metrics.services)
            dns = make_dns(self._settings.dns, domain, self._reactor, door, count)
            services.append(dns)
            listening.update(dns.listeners)
        return services, listening

    def _make_l3(self, plugs: IPlugs) -> None:
        # What is switched off is not loaded.
        from quantumd.l3.advertiser import Advertiser
        from quantumd.l3.converger import L3Converger
        from quantumd.l3.delegation.book import LeaseBook
        from quantumd.l3.delegation.delegator import Delegator
        from quantumd.l3.names import parse_prefix
        from quantumd.l3.service import L3Service, make_edges

        prefix = parse_prefix(self._settings.l3.namespace_prefix)
        host = self._settings.host
        records, edges = Records(), make_edges(self._reactor, host.edges, prefix, Path(host.state_dir))
        book = LeaseBook(edges.leases)
        delegator = Delegator(edges.clients, self._reactor, SystemRandom().random, book, prefix)
        advertiser = Advertiser(edges.solicitations, self._reactor, random, prefix, delegator.remaining)
        converger = L3Converger(self._host, VERSION, records, edges.namespaces, plugs, advertiser, delegator, prefix)
        self._metrics.routers.repaired_routers.set_function(lambda: converger.repaired)
        for state in ("held", "awaited"):
            count = partial(delegator.count, are_held=state == "held")
            self._metrics.routers.delegated_prefixes.labels(state).set_function(count)
        L3Service(edges.namespaces, advertiser, delegator, book).setServiceParent(self._service)
        self._run(converger, records, answers=meters_counted(converger.read_meters))

    def _run(
        self,
        converger: IConverger,
        records: Records,
        faults: Callable[[], Mapping[tuple[str, str], str]] = dict,
        answers: Answers = NO_ANSWERS,
    ) -> None:
        role = converger.role
        # They need each other: what comes back with a report goes to the client, which wakes the loop.
        reporter = Reporter(self._bus, self._reactor, self._host, role, lambda update: client.take(update))
        count_pass = _pass_counter(self._metrics.loops)

        def passed(summary: PassSummary) -> None:
            count_pass(summary)
            presence.look()

        loop = ConvergeService(converger, self._reactor, reporter.tell, self._settings.l2.drift_seconds, passed)
        presence = self._presence(converger, Progress(loop, records, faults))
        client = RecordsClient(self._bus, self._reactor, self._host, role, records, loop, presence.when_told, answers)
        for service in (loop, presence, client, reporter):
            service.setServiceParent(self._service)
        self._keep(role, loop)

    def _presence(self, converger: IConverger, progress: Progress) -> Presence:
        zone = self._settings.agents.availability_zone
        bandwidths = parse_bandwidths(self._settings.l2.bandwidth_kbps) if converger.role == L2 else ()

        def describe() -> HostReport:
            return evolve(converger.describe(), availability_zone=zone, bandwidths=bandwidths)

        return Presence(self._bus, self._reactor, describe, progress.state)

    def _keep(self, role: str, loop: ConvergeService) -> None:
        self._metrics.loops.waiting_keys.labels(role).set_function(lambda: loop.waiting_keys)
        self._metrics.loops.lag_seconds.labels(role).set_function(lambda: loop.lag_seconds)
        self._loops[role] = loop


def _pass_counter(metrics: LoopMetrics) -> Callable[[PassSummary], None]:
    def count(summary: PassSummary) -> None:
        metrics.passes.labels(summary.role, "failed" if summary.failed_keys else "done").inc()
        metrics.pass_seconds.labels(summary.role).observe(summary.seconds)
        metrics.steps.labels(summary.role).inc(summary.steps)

    return count


def _metadata_counter(metrics: ServiceMetrics) -> Callable[[int], None]:
    return lambda status: metrics.metadata_answers.labels(str(status)).inc()


def _dns_counter(metrics: ServiceMetrics) -> Callable[[str], None]:
    return lambda outcome: metrics.dns_questions.labels(outcome).inc()


def _nothing() -> None:
    """In memory there is nowhere to listen."""


@frozen
class _DhcpCounter:
    """Counts what clients asked and what came of it."""

    _metrics: ServiceMetrics

    def add(self, asked: str, outcome: str) -> None:
        """One more."""
        self._metrics.dhcp_messages.labels(asked, outcome).inc()


def parse_bandwidths(texts: Iterable[str]) -> tuple[Bandwidth, ...]:
    """Return what the setting says that this host can guarantee. SettingsError."""
    found: dict[str, Bandwidth] = {}
    for text in texts:
        try:
            bandwidth = parse_bandwidth(text)
        except ValueError:
            raise SettingsError(f"l2.bandwidth_kbps: {text!r} is not physical_network:egress:ingress") from None
        if bandwidth.physical_network in found:
            raise SettingsError(f"l2.bandwidth_kbps: {bandwidth.physical_network} is named twice")
        found[bandwidth.physical_network] = bandwidth
    return tuple(found.values())
