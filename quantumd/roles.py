"""Puts a host's roles together: what each must have, the loop that brings it about, and the reports of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred

from quantumd.bus.memory import MemoryBus
from quantumd.config import Settings
from quantumd.converge.client import RecordsClient, Reporter
from quantumd.converge.loop import ConvergeService, PassSummary
from quantumd.converge.records import Records
from quantumd.dhcp.converger import DhcpConverger
from quantumd.dhcp.service import DhcpService
from quantumd.dhcp.table import DhcpTable
from quantumd.interfaces import IConverger
from quantumd.l2.drivers.interfaces import IL2Driver, L2Parts, Site
from quantumd.metrics import Metrics
from quantumd.model.counters import PortCounters
from quantumd.ordered import OrderedServices
from quantumd.version import VERSION

_KERNEL_DATAPATH = Path("/sys/module/openvswitch")


@frozen
class Roles:
    """The host's roles: what runs them, and their loops by role."""

    service: IService
    loops: dict[str, ConvergeService]
    read_counters: Callable[[], Deferred[Mapping[str, PortCounters]]]


def make_roles(
    settings: Settings, reactor: Any, host: str, bus: MemoryBus, metrics: Metrics, driver: IL2Driver
) -> Roles:
    service = OrderedServices()
    records = {"l2": Records(), "dhcp": Records()}
    site = Site(
        host=host,
        l2=settings.l2,
        dhcp=settings.dhcp,
        records=records["l2"],
        reactor=reactor,
        edges=settings.host.edges,
        kernel_datapath=_KERNEL_DATAPATH.exists(),
    )
    parts: L2Parts = driver.install(site)
    metrics.foreign_flows.set_function(parts.count_foreign_flows)
    table = DhcpTable()
    dhcp = DhcpConverger(host, VERSION, records["dhcp"], table, parts.frames, reactor)
    loops = {
        converger.role: _run_role(service, converger, records[converger.role], reactor, host, bus, metrics, settings)
        for converger in (parts.converger, dhcp)
    }
    DhcpService(parts.frames, table, settings.dhcp, reactor, _DhcpCounter(metrics)).setServiceParent(service)
    parts.connections.setServiceParent(service)
    return Roles(service, loops, parts.read_counters)


def _run_role(
    parent: MultiService,
    converger: IConverger,
    records: Records,
    reactor: Any,
    host: str,
    bus: MemoryBus,
    metrics: Metrics,
    settings: Settings,
) -> ConvergeService:
    role = converger.role
    # The three need each other: what comes back with a report goes to the client, which wakes the loop.
    reporter = Reporter(bus, reactor, host, role, lambda update: client.take(update))
    count = _pass_counter(metrics)

    def passed(summary: PassSummary) -> None:
        count(summary)
        client.describe_anew()

    loop = ConvergeService(converger, reactor, reporter.tell, settings.l2.drift_seconds, passed)
    client = RecordsClient(bus, reactor, converger.describe, records, loop)
    loop.setServiceParent(parent)
    client.setServiceParent(parent)
    metrics.waiting_keys.labels(role).set_function(lambda: loop.waiting_keys)
    metrics.lag_seconds.labels(role).set_function(lambda: loop.lag_seconds)
    return loop


def _pass_counter(metrics: Metrics) -> Callable[[PassSummary], None]:
    def count(summary: PassSummary) -> None:
        metrics.passes.labels(summary.role, "failed" if summary.failed_keys else "done").inc()
        metrics.pass_seconds.labels(summary.role).observe(summary.seconds)
        metrics.steps.labels(summary.role).inc(summary.steps)

    return count


@frozen
class _DhcpCounter:
    """Counts what clients asked and what came of it."""

    _metrics: Metrics

    def add(self, asked: str, outcome: str) -> None:
        """One more."""
        self._metrics.dhcp_messages.labels(asked, outcome).inc()
