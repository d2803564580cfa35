"""Records: the immutable values a host must know.

A record's ``version`` is the journal position of the last transaction that changed its *content*.
Of two records with the same key the higher version wins, so messages may repeat, get lost and overtake each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeAlias

from attrs import frozen

from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.logging_records import PortLogsRecord
from quantumd.model.qos_records import QosPolicyRecord
from quantumd.model.router_records import RouterRecord
from quantumd.model.security_records import AddressPair, AddressSetRecord, SecurityGroupRecord
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.model.tap_records import TapRecord

RecordKey: TypeAlias = tuple[str, str]
"""(kind, id)"""


@frozen
class FixedIp:
    """One address of a port. ``ip_address`` is in canonical text form (RFC 5952 for IPv6)."""

    subnet_id: str
    ip_address: str


@frozen
class HostRoute:
    """A static route told to clients: ``destination`` is a prefix, ``nexthop`` an address of the subnet."""

    destination: str
    nexthop: str


@frozen
class NetworkRecord:
    """What the l2 role of a host must know of a network that has ports on it.

    ``segmentation_id`` is the VLAN id on ``physical_network`` (vlan) or the id in the tunnels (gre, vxlan, geneve).
    ``dhcp_mac``, ``dhcp_addresses`` (IPv4) and ``dhcp_addresses6`` are those of the network's distributed DHCP port; no
    MAC, no DHCP, and no address of an IP version, no DHCP of it. ``qos_policy`` is for those of its ports that have
    none, see quantumd.model.qos. With ``vlan_transparent`` frames keep the tags that VMs give them.
    """

    kind: ClassVar[str] = "l2.network"
    id: str
    version: int
    network_type: str
    physical_network: str | None
    segmentation_id: int | None
    mtu_bytes: int
    admin_state_up: bool
    dhcp_mac: str | None
    dhcp_addresses: tuple[str, ...]
    qos_policy: str | None = None
    vlan_transparent: bool = False
    dhcp_addresses6: tuple[str, ...] = ()


@frozen
class PortRecord:
    """What the l2 role of a host must know of a port bound to it.

    Without ``port_security`` nothing that it sends or gets is checked, which is what records of before mean. A sub-port
    has no device: its frames travel on that of ``parent_id``, with the tag ``segmentation_id``.
    """

    kind: ClassVar[str] = "l2.port"
    id: str
    version: int
    network_id: str
    mac_address: str
    fixed_ips: tuple[FixedIp, ...]
    admin_state_up: bool
    device_owner: str
    port_security: bool = False
    security_groups: tuple[str, ...] = ()
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    qos_policy: str | None = None
    parent_id: str = ""
    segmentation_id: int = 0


@frozen
class PeerRecord:
    """Another host with ports of a tunnelled network that this host has ports of too; ``id`` is the host's name.

    Tunnels to it end at ``tunnel_ip``, and frames from it come from there.
    """

    kind: ClassVar[str] = "l2.peer"
    id: str
    version: int
    tunnel_ip: str


@frozen
class RemotePortRecord:
    """A port that is bound to another host, on a tunnelled network that this host has ports of."""

    kind: ClassVar[str] = "l2.remote_port"
    id: str
    version: int
    network_id: str
    host: str
    mac_address: str
    fixed_ips: tuple[FixedIp, ...]


@frozen
class DhcpSubnet:
    """One IPv4 subnet that is served: ``server_address`` is the DHCP port's address on it, ``cidr`` its prefix."""

    id: str
    cidr: str
    gateway_ip: str | None
    dns_nameservers: tuple[str, ...]
    host_routes: tuple[HostRoute, ...]
    server_address: str


@frozen
class DhcpSubnet6:
    """One IPv6 subnet that is served: with addresses if it is ``is_stateful``, else only with what else there is.

    ``server_address`` is the DHCP port's address on it, '' where it has none.
    """

    id: str
    cidr: str
    is_stateful: bool
    dns_nameservers: tuple[str, ...]
    server_address: str = ""


@frozen
class ExtraOption:
    """One of a port's ``extra_dhcp_opts``: ``name`` is a name or a number, as the user gave it."""

    ip_version: int
    name: str
    value: str


@frozen
class DhcpNetworkRecord:
    """What the dhcp role of a host must know of a network that has ports on it and at least one served subnet.

    ``subnets`` are those of IPv4.
    """

    kind: ClassVar[str] = "dhcp.network"
    id: str
    version: int
    mtu_bytes: int
    server_mac: str
    subnets: tuple[DhcpSubnet, ...]
    subnets6: tuple[DhcpSubnet6, ...] = ()


@frozen
class DhcpPortRecord:
    """What the dhcp role of a host must know of a port bound to it: its addresses, in the port's order.

    ``fixed_ips`` are those of IPv4.
    """

    kind: ClassVar[str] = "dhcp.port"
    id: str
    version: int
    network_id: str
    mac_address: str
    fixed_ips: tuple[FixedIp, ...]
    fixed_ips6: tuple[FixedIp, ...] = ()
    extra_options: tuple[ExtraOption, ...] = ()


Record: TypeAlias = (
    NetworkRecord
    | PortRecord
    | PeerRecord
    | RemotePortRecord
    | DhcpNetworkRecord
    | DhcpPortRecord
    | SecurityGroupRecord
    | AddressSetRecord
    | PortLogsRecord
    | QosPolicyRecord
    | TapRecord
    | TapMirrorRecord
    | RouterRecord
    | InstanceRecord
    | DnsZoneRecord
    | DnsNameRecord
)
RECORD_TYPES: tuple[type[Record], ...] = (
    NetworkRecord,
    PortRecord,
    PeerRecord,
    RemotePortRecord,
    DhcpNetworkRecord,
    DhcpPortRecord,
    SecurityGroupRecord,
    AddressSetRecord,
    PortLogsRecord,
    QosPolicyRecord,
    TapRecord,
    TapMirrorRecord,
    RouterRecord,
    InstanceRecord,
    DnsZoneRecord,
    DnsNameRecord,
)
KINDS: tuple[str, ...] = tuple(cls.kind for cls in RECORD_TYPES)
"""The kinds of records that this version understands."""

VERSIONED_BY_READING: frozenset[str] = frozenset(
    cls.kind
    for cls in (
        SecurityGroupRecord,
        AddressSetRecord,
        PortLogsRecord,
        QosPolicyRecord,
        TapRecord,
        TapMirrorRecord,
        RouterRecord,
        InstanceRecord,
        DnsZoneRecord,
        DnsNameRecord,
    )
)
"""Kinds whose version is the position at which they were read, so that the same content may have several."""

ADDED_SINCE: Mapping[str, tuple[object, ...]] = {
    NetworkRecord.kind: (None, False, ()),
    PortRecord.kind: (None, "", 0),
    DhcpNetworkRecord.kind: ((),),
    DhcpPortRecord.kind: ((), ()),
    DnsNameRecord.kind: (True,),
    RouterRecord.kind: ((), 1, (), False, (), False, (), (), (), (), (), ()),
}
"""What the last fields say, where they say nothing, of kinds that hosts of before know without these fields."""


def key_of(record: Record) -> RecordKey:
    """Return the (kind, id) under which a record is known."""
    return (record.kind, record.id)
