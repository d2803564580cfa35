"""Records: the immutable values a host must know, and the messages in which they travel.

A record's ``version`` is the journal position of the last transaction that changed its *content*.
Of two records with the same key the higher version wins, so messages may repeat, get lost and overtake each other.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from attrs import frozen

from quantumd.model.counters import CountersReply, CountersRequest
from quantumd.model.role_state import RoleState
from quantumd.model.security_records import AddressPair, AddressSetRecord, SecurityGroupRecord

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
    ``dhcp_mac`` and ``dhcp_addresses`` (IPv4) are those of the network's distributed DHCP port; no MAC, no DHCP.
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


@frozen
class PortRecord:
    """What the l2 role of a host must know of a port bound to it.

    Without ``port_security`` nothing that it sends or gets is checked, which is what records of before mean.
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
class DhcpNetworkRecord:
    """What the dhcp role of a host must know of a network that has ports on it and at least one served subnet."""

    kind: ClassVar[str] = "dhcp.network"
    id: str
    version: int
    mtu_bytes: int
    server_mac: str
    subnets: tuple[DhcpSubnet, ...]


@frozen
class DhcpPortRecord:
    """What the dhcp role of a host must know of a port bound to it: its IPv4 addresses, in the port's order."""

    kind: ClassVar[str] = "dhcp.port"
    id: str
    version: int
    network_id: str
    mac_address: str
    fixed_ips: tuple[FixedIp, ...]


Record: TypeAlias = (
    NetworkRecord
    | PortRecord
    | PeerRecord
    | RemotePortRecord
    | DhcpNetworkRecord
    | DhcpPortRecord
    | SecurityGroupRecord
    | AddressSetRecord
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
)
VERSIONED_BY_READING: frozenset[str] = frozenset((SecurityGroupRecord.kind, AddressSetRecord.kind))
"""Kinds whose version is the position at which they were read, so that the same content may have several."""


def key_of(record: Record) -> RecordKey:
    """Return the (kind, id) under which a record is known."""
    return (record.kind, record.id)


@frozen
class Gone:
    """A record that a host no longer needs since journal position ``version``; deleted, or needed elsewhere."""

    kind: str
    id: str
    version: int
    is_deleted: bool = False


@frozen
class Update:
    """Records put and gone for one (host, role); a hint that may repeat, get lost or arrive late.

    ``request_id`` is that of the last request which led to it, for the host's log.
    """

    message_kind: ClassVar[str] = "update"
    host: str
    role: str
    put: tuple[Record, ...] = ()
    gone: tuple[Gone, ...] = ()
    request_id: str = ""


BUCKETS = 256
"""Into how many buckets a snapshot's keys are hashed for comparison."""


@frozen
class CompareRequest:
    """A host's question: in which buckets does my snapshot differ from what I must know?

    ``digests`` maps a bucket number to the digest of what the host has in it; a bucket not named is empty there.
    """

    message_kind: ClassVar[str] = "compare"
    host: str
    role: str
    digests: tuple[tuple[int, str], ...]


@frozen
class CompareReply:
    """The buckets that differ, in ascending order; none means that both sides know the same."""

    message_kind: ClassVar[str] = "compare_reply"
    buckets: tuple[int, ...]


@frozen
class FetchRequest:
    """A host's request for what it must know in the named buckets, but for what it says it knows.

    ``known`` are the digests of the records that it has there; none asks for everything.
    """

    message_kind: ClassVar[str] = "fetch"
    host: str
    role: str
    buckets: tuple[int, ...]
    known: tuple[str, ...] = ()


@frozen
class FetchReply:
    """What belongs in the buckets of the request and was not known there, as of journal position ``position``.

    ``gone`` are the digests that were known and belong there no more.
    """

    message_kind: ClassVar[str] = "fetch_reply"
    position: int
    records: tuple[Record, ...]
    gone: tuple[str, ...] = ()


@frozen
class PortReport:
    """What a host observed of one port in one role.

    ``version`` is that of the record which is realised (0: none); ``plugged`` is whether its device is there
    (always True from roles that do not see devices); ``fault`` says why it is not realised.
    """

    port_id: str
    version: int
    plugged: bool
    fault: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether a device says it is this port and nothing of it is realised: its host may not know the port yet."""
        return self.plugged and self.version == 0 and self.fault is None


@frozen
class Report:
    """Observed state of one (host, role).

    A complete report names every port that the role sees or has realised, in ``ports`` or, if it was reported just
    before, in ``named``: what it does not name is unplugged.
    """

    message_kind: ClassVar[str] = "report"
    host: str
    role: str
    ports: tuple[PortReport, ...]
    is_complete: bool = False
    named: tuple[str, ...] = ()


@frozen
class HostReport:
    """What a host's role is, can do, and how far it is; sent when it starts, when that changes, and now and then.

    ``vif_type`` and ``vif_details`` (JSON text of an object) are what a port bound to this host answers with.
    ``physical_networks`` are those that the role carries frames to; None from a role that does not say. ``state`` is
    None from hosts of before; the others are answered with a HostReply. ``availability_zone`` is the host's, '' from
    one that does not say. ``tunnel_ip`` is where tunnels of ``tunnel_types`` to this host end, '' when there are none.
    """

    message_kind: ClassVar[str] = "host"
    host: str
    role: str
    quantumd_version: str
    vif_type: str | None = None
    vif_details: str = "{}"
    physical_networks: tuple[str, ...] | None = None
    state: RoleState | None = None
    availability_zone: str = ""
    tunnel_ip: str = ""
    tunnel_types: tuple[str, ...] = ()


@frozen
class HostReply:
    """The server has durably taken a HostReport, and wants the next one within ``report_seconds``."""

    message_kind: ClassVar[str] = "host_reply"
    report_seconds: float


@frozen
class Ack:
    """The receiver has durably taken what it was sent.

    ``records``: of ports that a report named and its host had no record of, what the host must know of them.
    """

    message_kind: ClassVar[str] = "ack"
    records: tuple[Record, ...] = ()


Message: TypeAlias = (
    Update
    | CompareRequest
    | CompareReply
    | FetchRequest
    | FetchReply
    | Report
    | HostReport
    | HostReply
    | CountersRequest
    | CountersReply
    | Ack
)
MESSAGE_TYPES: tuple[type[Message], ...] = (
    Update,
    CompareRequest,
    CompareReply,
    FetchRequest,
    FetchReply,
    Report,
    HostReport,
    HostReply,
    CountersRequest,
    CountersReply,
    Ack,
)
