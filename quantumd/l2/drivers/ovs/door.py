"""The way of ports to the services of this host, and who is known by which address behind it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from quantumd.edge.ovsdb.interfaces import InterfaceChange, IOvsdb
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import Asker, IServiceDoor
from quantumd.l2.drivers.ovs.bridges import OWNED, BridgePlan
from quantumd.l2.drivers.ovs.device_ports import DevicePorts
from quantumd.l2.drivers.ovs.pipeline import TAG_BITS, TAGGED
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.dns_zones import Zone
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.records import NetworkRecord, PortRecord
from quantumd.model.service_place import OUTER_DEVICE, mtu_for
from quantumd.model.services import InnerAddress, ServicePoint, asking_ipv4, asking_ipv6, read_inner


@implementer(IServiceDoor)
@define(eq=False)
class OvsServiceDoor:
    """See IServiceDoor."""

    _ovsdb: IOvsdb
    _plan: BridgePlan
    _view: HostView
    _clock: IReactorTime
    _listeners: list[Callable[[], None]] = field(factory=list, init=False)
    _ports: DevicePorts = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._ports = DevicePorts(self._ovsdb, self._plan.integration, self._clock)
        self._ovsdb.on_connected(self._tell)
        self._ovsdb.on_interfaces(self._changed)

    @property
    def points(self) -> tuple[ServicePoint, ...]:
        """See IServiceDoor."""
        return self._plan.points

    @property
    def completes_checksums(self) -> bool:
        """See IServiceDoor: nobody does it behind the userspace datapath."""
        bridge = self._ovsdb.bridge(self._plan.integration)
        return bridge is not None and bridge.datapath_type == "netdev"

    @property
    def mtu_bytes(self) -> int:
        """See IServiceDoor."""
        networks = self._view.records.of_kind(NetworkRecord.kind)
        return mtu_for(record.mtu_bytes for record in networks if isinstance(record, NetworkRecord))

    def observe(self) -> Deferred[None]:
        """See IServiceDoor."""
        if not self._ovsdb.is_connected:
            return fail(EdgeUnavailable("Open vSwitch's database is not connected"))
        if self._ovsdb.bridge(self._plan.integration) is None:
            return fail(EdgeUnavailable(f"there is no bridge {self._plan.integration} yet"))
        return succeed(None)

    def plugged(self) -> bool | None:
        """See IServiceDoor."""
        row = self._ovsdb.interfaces().get(OUTER_DEVICE)
        if row is None or OUTER_DEVICE not in self._ovsdb.ports_of(self._plan.integration):
            return False
        return True if row.error is None else None

    def plug(self) -> Deferred[None]:
        """See IServiceDoor."""
        return self._ports.put(OUTER_DEVICE, OWNED)

    def unplug(self) -> Deferred[None]:
        """See IServiceDoor."""
        return self._ports.remove(OUTER_DEVICE)

    def on_change(self, listener: Callable[[], None]) -> None:
        """See IServiceDoor."""
        self._listeners.append(listener)

    def asker_at(self, address: str) -> Asker | None:
        """See IServiceDoor."""
        inner = read_inner(address)
        port = self._view.port_numbered(_number(inner)) if inner is not None else None
        if inner is None or port is None:
            return None
        real = _real_address(port, inner)
        used = self._view.records.get(InstanceRecord.kind, port.id)
        network = self._view.records.get(NetworkRecord.kind, port.network_id)
        if not (real and isinstance(used, InstanceRecord) and isinstance(network, NetworkRecord)):
            return None
        return Asker(
            port.id, port.network_id, used.project_id, used.device_id, real, port.mac_address,
            tuple(ip.ip_address for ip in port.fixed_ips), network.mtu_bytes, used.name, used.dns_name, used.tags,
        )  # fmt: skip

    def zone_of(self, network_id: str, domain: str) -> Zone:
        """See IServiceDoor."""
        return self._view.zones.of(network_id, domain)

    def _changed(self, changes: tuple[InterfaceChange, ...]) -> None:
        if any(row is not None and row.name == OUTER_DEVICE for each in changes for row in (each.old, each.new)):
            self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _number(inner: InnerAddress) -> int:
    """Return the whole number of the port: only sub-ports have a VLAN id in it."""
    return inner.number | TAGGED if inner.number >> TAG_BITS[0] else inner.number


def _real_address(port: PortRecord, inner: InnerAddress) -> str:
    if inner.link_local:
        return inner.link_local
    if inner.place6:
        others = asking_ipv6(ip.ip_address for ip in port.fixed_ips)
        return others[inner.place6 - 1] if inner.place6 <= len(others) else ""
    places = asking_ipv4(ip.ip_address for ip in port.fixed_ips)
    return places[inner.place] if inner.place < len(places) else ""
