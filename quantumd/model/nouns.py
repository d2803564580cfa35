"""Networks, subnets and ports as stored, for the code that compiles and decides; lists for the API bypass these."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from quantumd.model.qos_records import QosLimit
from quantumd.model.records import ExtraOption, FixedIp, HostRoute
from quantumd.model.router_records import (
    AddressLimit,
    FloatingAddress,
    ForwardedPorts,
    HelpedPort,
    Meter,
    RouterRoute,
)
from quantumd.model.security_records import AddressPair, SecurityRule
from quantumd.model.subnet import is_served


@frozen
class Network:
    """A network. ``record_version``: see quantumd.model.records."""

    id: str
    project_id: str
    admin_state_up: bool
    mtu_bytes: int
    network_type: str
    physical_network: str | None
    segmentation_id: int | None
    record_version: int
    qos_policy: str | None = None
    vlan_transparent: bool | None = None


@frozen
class Subnet:
    """A subnet; ``cidr`` in canonical text form, ``ip_version`` 4 or 6."""

    id: str
    network_id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    dns_nameservers: tuple[str, ...]
    host_routes: tuple[HostRoute, ...]
    ipv6_ra_mode: str | None = None
    ipv6_address_mode: str | None = None

    @property
    def is_served(self) -> bool:
        """Whether DHCP answers clients on it, with addresses or without."""
        return is_served(self.ip_version, self.enable_dhcp, self.ipv6_ra_mode, self.ipv6_address_mode)


@frozen
class Port:
    """A port; ``host_id`` is '' until it is bound. ``parent_id`` is that of the trunk in which it is a sub-port."""

    id: str
    network_id: str
    mac_address: str
    admin_state_up: bool
    status: str
    device_owner: str
    host_id: str
    fixed_ips: tuple[FixedIp, ...]
    record_version: int
    port_security_enabled: bool = True
    security_groups: tuple[str, ...] = ()
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    qos_policy: str | None = None
    parent_id: str = ""
    segmentation_id: int = 0
    extra_options: tuple[ExtraOption, ...] = ()


@frozen
class SecurityGroup:
    """A security group with what it lets pass, its rules in the order of their ids."""

    id: str
    is_stateful: bool
    rules: tuple[SecurityRule, ...]


@frozen
class QosPolicy:
    """A QoS policy with what hosts do of it."""

    id: str
    limits: tuple[QosLimit, ...]
    dscp_mark: int | None


@frozen
class TunnelEnd:
    """Where tunnels to a host end. ``version``: how far the journal was when that last changed."""

    host: str
    tunnel_ip: str
    version: int
    types: tuple[str, ...] = ()


@frozen
class Tap:
    """A tap flow with what its copies need: where both of its ports are, '' of one that is on no host.

    ``number`` is the id under which copies travel between hosts.
    """

    id: str
    source_id: str
    target_id: str
    direction: str
    number: int
    source_host: str
    target_host: str


DHCP_OWNER = "network:dhcp"
"""device_owner of a network's one distributed DHCP port."""


@frozen
class TapMirror:
    """A tap mirror, and the host that its port is bound to, '' of one that is on no host.

    ``ids`` are those under which copies travel of what the port gets, and of what it sends; 0 is no copies.
    """

    id: str
    port_id: str
    host: str
    mirror_type: str
    remote_ip: str
    ids: tuple[int, int]


@frozen
class RouterAddress:
    """An address of a port that a router uses, with the prefix of its subnet and what else matters of that.

    ``delegated_to``: the id of the subnet, where its prefix is delegated to the router that has this address; else ''.
    """

    ip_address: str
    cidr: str
    gateway_ip: str | None
    ipv6_ra_mode: str | None = None
    dns_nameservers: tuple[str, ...] = ()
    address_scope: str = ""
    delegated_to: str = ""


@frozen
class RouterPort:
    """A port that a router uses. ``is_enabled``: the port is and its network is. Addresses are in the port's order.

    A gateway has an ``ordinal``, by which they are ordered, and a ``number`` of its own, which it keeps; ``beside`` are
    the prefixes of the other subnets of its network that are there too.
    """

    id: str
    is_gateway: bool
    network_id: str
    mac_address: str
    mtu_bytes: int
    is_enabled: bool
    addresses: tuple[RouterAddress, ...]
    ordinal: int = 0
    number: int = 1
    beside: tuple[str, ...] = ()


@frozen
class Router:
    """A router with all that its record is made of; ``host`` is '' while none carries it.

    Ports are in the order of their ids, floating IPs in that of their addresses, and lead somewhere. What is
    ``forwarded`` is in the order of the floating IPs, protocols and ports. ``outside`` are the networks of floating
    IPs by their addresses. ``proxied`` are addresses in their order.
    """

    id: str
    host: str
    admin_state_up: bool
    enable_snat: bool
    routes: tuple[RouterRoute, ...]
    ports: tuple[RouterPort, ...]
    floating_ips: tuple[FloatingAddress, ...]
    forwarded: tuple[ForwardedPorts, ...] = ()
    outside: Mapping[str, str] = field(factory=dict)
    enable_default_route_ecmp: bool = False
    enable_ndp_proxy: bool = False
    proxied: tuple[str, ...] = ()
    limits: tuple[AddressLimit, ...] = ()
    helped: tuple[HelpedPort, ...] = ()
    meters: tuple[Meter, ...] = ()
