"""Open vSwitch as an L2 driver: which edges it is made of, and in which order they come and go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

from attrs import define, evolve, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from zope.interface import implementer

from quantumd.config import L2Settings
from quantumd.edge.frames.channel import ChannelFrames
from quantumd.edge.hostlock import HostLock
from quantumd.edge.openflow.channel import OvsPacketChannel
from quantumd.edge.openflow.interfaces import IPacketChannel, ISwitch
from quantumd.edge.openflow.switch import OvsSwitch
from quantumd.edge.ovsdb.idl import OvsIdl
from quantumd.edge.ovsdb.interfaces import IOvsdb
from quantumd.edge.tracked.interfaces import IConnections
from quantumd.edge.tracked.ovs import OvsConnections
from quantumd.errors import SettingsError
from quantumd.l2.drivers.interfaces import FrameParts, IL2Driver, L2Parts, PlugParts, Site
from quantumd.l2.drivers.ovs.bridges import BridgePlan, TunnelPlan
from quantumd.l2.drivers.ovs.converger import OvsConverger
from quantumd.l2.drivers.ovs.desired import PuntSettings
from quantumd.l2.drivers.ovs.door import OvsServiceDoor
from quantumd.l2.drivers.ovs.numbers import NetworkNumbers
from quantumd.l2.drivers.ovs.packet_log import PacketLog
from quantumd.l2.drivers.ovs.plugs import OvsPlugs
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.l2.mappings import parse_bridges
from quantumd.model.counters import PortCounters, counters_of
from quantumd.model.network import TUNNEL_TYPES, VXLAN, first_unknown_type
from quantumd.model.tap_mirrors import MIRROR_TYPES
from quantumd.ordered import OrderedServices

if TYPE_CHECKING:
    from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch

CONTROLLER_ID = 0x5164
"""The packet channel's OpenFlow controller id: flows name it, so that no other connection gets our frames."""

LOG_CONTROLLER_ID = 0x5165
"""That of copies for logs: they go to the process that has the records."""


@frozen
class OvsEdges:
    """The edges of an Open vSwitch bridge."""

    ovsdb: IOvsdb
    switch: ISwitch
    channel: IPacketChannel
    log_channel: IPacketChannel
    connections: IConnections


@define(eq=False)
class _Switch(Service):
    """Connects to the switch's database and flows when it starts, disconnects when it stops; both stay as they are."""

    _ovsdb: IOvsdb
    _switch: ISwitch
    _packet_log: PacketLog

    def startService(self) -> None:
        super().startService()
        self._ovsdb.startService()
        self._switch.start()
        self._packet_log.startService()

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        stops = (self._packet_log.stopService, self._switch.stop, self._ovsdb.stopService)
        return gatherResults([maybeDeferred(stop) for stop in stops])


@define(eq=False)
class _Connection(Service):
    """One connection to the switch alone: made when it starts, ended when it stops."""

    _connect: Callable[[], object]
    _disconnect: Callable[[], object]

    def startService(self) -> None:
        super().startService()
        self._connect()

    def stopService(self) -> Any:
        super().stopService()
        return self._disconnect()


@define(eq=False)
class _Locked(OrderedServices):
    """Runs a service only while no other daemon does the same at this bridge; lets it go when the service has ended."""

    _site: Site
    _what: str
    _service: Service

    def __attrs_post_init__(self) -> None:
        OrderedServices.__init__(self)
        path = f"{self._site.l2.ovs_run_dir}/{self._what}-{self._site.l2.integration_bridge}.lock"
        HostLock(self._site.reactor, path, self._locked).setServiceParent(self)

    def _locked(self) -> None:
        self._service.setServiceParent(self)


def _alone(site: Site, what: str, service: Service) -> Service:
    return service if site.edges == "memory" else _Locked(site, what, service)


@implementer(IL2Driver)
@frozen
class OvsDriver:
    """See IL2Driver."""

    name = "ovs"
    capabilities = frozenset(
        {
            "binding",
            "provider",
            "net-mtu",
            "dhcpv6",
            "extra_dhcp_opt",
            "multi-provider",
            "segment",
            "vlan-transparent",
            "port-security",
            "allowed-address-pairs",
            "security-group",
            "stateful-security-group",
            "security-groups-remote-address-group",
            "address-group",
            "logging",
            "qos",
            "qos-bw-limit-direction",
            "qos-pps",
            "qos-fip",
            "qos-gateway-ip",
            "trunk",
            "router",
            "floating-ip-port-forwarding",
            "l3-ndp-proxy",
            "metering",
            "l3-conntrack-helper",
            "ipv6-modes",
            "dns-integration",
            "taas",
            "tap-mirror",
            *(f"tap-mirror-{each}" for each in MIRROR_TYPES),
            *TUNNEL_TYPES,
        }
    )

    def install(self, site: Site) -> L2Parts:
        """See IL2Driver."""
        return self.install_on(site, _edges(site))

    def frames(self, site: Site) -> FrameParts:
        """See IL2Driver."""
        return _frames(site, _edges(site).channel)

    def plugs(self, site: Site) -> PlugParts:
        """See IL2Driver."""
        ovsdb = _edges(site).ovsdb
        return PlugParts(
            _plugs(site, ovsdb), _alone(site, "quantumd-plugs", _Connection(ovsdb.startService, ovsdb.stopService))
        )

    def install_on(self, site: Site, edges: OvsEdges) -> L2Parts:
        """Make the parts on given edges."""
        view = HostView(site.records, NetworkNumbers())
        plan = evolve(_bridge_plan(site.l2, site.kernel_datapath), points=site.points)
        packet_log = PacketLog(edges.log_channel, edges.switch, view, site.reactor)
        converger = OvsConverger(
            host=site.host,
            ovsdb=edges.ovsdb,
            switch=edges.switch,
            view=view,
            bridges=plan,
            punt=PuntSettings(CONTROLLER_ID, site.dhcp.rate_per_port_pps, site.dhcp.rate_per_port_pps),
            clock=site.reactor,
            connections=edges.connections,
            removes_foreign=site.l2.foreign_flows == "remove",
            logging=PuntSettings(LOG_CONTROLLER_ID, site.l2.log_rate_pps, site.l2.log_burst_packets),
            storm_pps=site.l2.storm_rate_pps,
            zone_limit=site.l2.connections_per_network,
            service_pps=site.l2.service_rate_pps,
        )
        return L2Parts(
            converger,
            _alone(site, "quantumd", _Switch(edges.ovsdb, edges.switch, packet_log)),
            _frames(site, edges.channel),
            lambda: converger.drift.foreign_flows,
            lambda: _read_counters(edges.ovsdb),
            converger.faults,
            lambda: converger.drift.repaired_flows,
            lambda: packet_log.lost,
            _plugs(site, edges.ovsdb),
            OvsServiceDoor(edges.ovsdb, plan, view, site.reactor) if plan.points else None,
        )


def _plugs(site: Site, ovsdb: IOvsdb) -> OvsPlugs:
    return OvsPlugs(ovsdb, site.l2.integration_bridge, site.reactor)


def _frames(site: Site, channel: IPacketChannel) -> FrameParts:
    connection = _alone(site, "quantumd-frames", _Connection(channel.start, channel.stop))
    return FrameParts(ChannelFrames(channel), connection, has_services=True)


def _read_counters(ovsdb: IOvsdb) -> Deferred[Mapping[str, PortCounters]]:
    def by_port(statistics: Mapping[str, Mapping[str, int]]) -> Mapping[str, PortCounters]:
        ids = {name: row.external_ids.get("iface-id") for name, row in ovsdb.interfaces().items()}
        named = ((ids.get(name), counters) for name, counters in statistics.items())
        return {port_id: counters_of(counters) for port_id, counters in named if port_id}

    return ovsdb.statistics().addCallback(by_port)


def _bridge_plan(settings: L2Settings, has_kernel_datapath: bool) -> BridgePlan:
    datapath_type = settings.datapath_type
    if datapath_type == "auto":
        datapath_type = "system" if has_kernel_datapath else "netdev"
    mappings, tunnels = parse_bridges(settings.bridge_mappings), tunnel_plan(settings)
    return BridgePlan(settings.integration_bridge, mappings, datapath_type, tunnels)


def tunnel_plan(settings: L2Settings) -> TunnelPlan:
    """Return which tunnels the settings ask for. SettingsError."""
    if not settings.tunnel_ip:
        if settings.tunnel_types:
            raise SettingsError("l2.tunnel_types: there are no tunnels without l2.tunnel_ip")
        return TunnelPlan()
    try:
        local_ip = str(ip_address(settings.tunnel_ip))
    except ValueError:
        raise SettingsError(f"l2.tunnel_ip: {settings.tunnel_ip!r} is not an IP address") from None
    types = settings.tunnel_types or (VXLAN,)
    unknown = first_unknown_type(types, TUNNEL_TYPES)
    if unknown is not None:
        raise SettingsError(f"l2.tunnel_types: {unknown!r} is none of {', '.join(TUNNEL_TYPES)}")
    return TunnelPlan(local_ip, tuple(dict.fromkeys(types)))


def _edges(site: Site) -> OvsEdges:
    return _memory_edges(site) if site.edges == "memory" else _real_edges(site)


def _real_edges(site: Site) -> OvsEdges:
    run_dir = site.l2.ovs_run_dir
    socket = f"{run_dir}/{site.l2.integration_bridge}.mgmt"
    reactor = cast(Any, site.reactor)
    return OvsEdges(
        OvsIdl(reactor, f"unix:{run_dir}/db.sock"),
        OvsSwitch(reactor, socket),
        OvsPacketChannel(reactor, socket, CONTROLLER_ID),
        OvsPacketChannel(reactor, socket, LOG_CONTROLLER_ID),
        OvsConnections(reactor, run_dir),
    )


def _memory_edges(site: Site) -> OvsEdges:
    # What is only for trying out is imported only then: it would cost each start some 50 ms and 2 MiB.
    from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch

    world = MemoryOpenVswitch(site.reactor, site.l2.integration_bridge, CONTROLLER_ID)
    return edges_of(world)


def edges_of(world: MemoryOpenVswitch) -> OvsEdges:
    """Return the edges to an Open vSwitch in memory."""
    log_channel = world.channel_of(LOG_CONTROLLER_ID)
    return OvsEdges(world.ovsdb, world.switch, world.channel, log_channel, world.connections)
