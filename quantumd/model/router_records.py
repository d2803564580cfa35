"""Records of routers: what the l3 role of a host must know of a router that it carries."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from quantumd.model.delegation import Delegation


@frozen
class AdvertisedPrefix:
    """A subnet that a router advertises on a link: its ``prefix`` and ``mode``, which is its ipv6_ra_mode."""

    prefix: str
    mode: str
    dns_nameservers: tuple[str, ...] = ()


@frozen
class RouterLink:
    """A port with which a router stands in a network.

    ``addresses`` are the port's, with the lengths of their subnets' prefixes: ``10.0.0.1/24``. ``advertised`` is what
    the router tells hosts on the link of IPv6; nothing, and it does not advertise itself there.
    """

    port_id: str
    network_id: str
    mac_address: str
    mtu_bytes: int
    addresses: tuple[str, ...]
    advertised: tuple[AdvertisedPrefix, ...] = ()


@frozen
class RouterRoute:
    """A route beside those of the links: what is for ``destination``, a prefix, goes to the address ``nexthop``."""

    destination: str
    nexthop: str


@frozen
class FloatingAddress:
    """A floating IP, by its id, and the address of a port inside to which it leads."""

    id: str
    floating_ip: str
    fixed_ip: str


@frozen
class ForwardedPorts:
    """Ports of a floating IP, from the first to the last, and to which of an address inside they lead.

    Inside it is one port, or there are as many: then each leads to the one that is as far from the first.
    ``protocol`` is ``tcp``, ``udp``, ``sctp`` or ``icmp``, of which ports mean nothing.
    """

    floating_ip: str
    protocol: str
    first_port: int
    last_port: int
    fixed_ip: str
    first_fixed_port: int
    last_fixed_port: int


@frozen
class AddressLimit:
    """The most that may come to an IPv4 address of the gateway's link (ingress) or go out as from it (egress).

    Kilobits a second, and kilobits at once; a burst of 0 leaves it to the host.
    """

    address: str
    direction: str
    rate_kbps: int
    burst_kbits: int = 0


@frozen
class MeterRule:
    """What a label counts, or does not: what goes out from addresses inside (egress), or comes in to them (ingress)."""

    direction: str
    prefix: str
    is_excluded: bool = False


@frozen
class Meter:
    """A metering label: what is counted together."""

    label_id: str
    rules: tuple[MeterRule, ...] = ()


@frozen
class RouterGateway:
    """A way outside: its port, and the floating IPs of its network.

    ``number`` is its own among the gateways of the router, from 1, and stays with it: connections that go by it are
    known by it. ``nexthops`` are the gateways of the port's subnets, one of each version of IP at most.
    """

    link: RouterLink
    number: int
    nexthops: tuple[str, ...] = ()
    floating_ips: tuple[FloatingAddress, ...] = ()
    forwarded: tuple[ForwardedPorts, ...] = ()


@frozen
class LinkScope:
    """The address scopes that a port of the router is in, by version of IP; '' is that of what is in none."""

    port_id: str
    ipv4_scope: str = ""
    ipv6_scope: str = ""


@frozen
class LinkNeighbours:
    """Prefixes that are on the link of a gateway too, though it has no address of them."""

    port_id: str
    prefixes: tuple[str, ...]


@frozen
class HelpedPort:
    """A port to which connections say what others will come, and the helper that understands it.

    ``protocol`` is ``tcp`` or ``udp``; ``helper`` is one of ``conntrack_helper.KERNEL_NAMES``.
    """

    protocol: str
    port: int
    helper: str


@frozen
class RouterRecord:
    """What the l3 role of a host must know of a router that it carries.

    ``gateway``, with its ``nexthops`` and number, is the first; ``floating_ips`` and what is ``forwarded`` are of its
    network. ``gateways`` are all of them. With ``enable_snat`` what leaves by a gateway gets the gateway's first IPv4
    address, unless it comes from the same address scope. ``scopes`` has the ports that are in any. With
    ``enable_default_route_ecmp`` connections are spread over all gateways. ``delegations`` are the subnets inside for
    which servers behind the first gateway are asked for prefixes. ``version`` is the position at which it was read,
    which no digest covers: see docs/decisions/record-versions.md. With ``enable_ndp_proxy`` the router
    answers on its first gateway's link for the ``proxied`` IPv6 addresses inside, and lets in from outside what is for
    them, and nothing else of IPv6. ``limits`` are of floating IPs and of addresses of gateways, at most one of each in
    a direction; ``helped`` are ports whose connections have helpers. ``beside`` has the gateways beside whose own
    subnets there are others.
    """

    kind: ClassVar[str] = "l3.router"
    id: str
    version: int
    admin_state_up: bool
    interfaces: tuple[RouterLink, ...]
    gateway: RouterLink | None = None
    nexthops: tuple[str, ...] = ()
    enable_snat: bool = True
    routes: tuple[RouterRoute, ...] = ()
    floating_ips: tuple[FloatingAddress, ...] = ()
    forwarded: tuple[ForwardedPorts, ...] = ()
    gateway_number: int = 1
    more_gateways: tuple[RouterGateway, ...] = ()
    enable_default_route_ecmp: bool = False
    scopes: tuple[LinkScope, ...] = ()
    enable_ndp_proxy: bool = False
    proxied: tuple[str, ...] = ()
    limits: tuple[AddressLimit, ...] = ()
    helped: tuple[HelpedPort, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    meters: tuple[Meter, ...] = ()
    beside: tuple[LinkNeighbours, ...] = ()

    @property
    def gateways(self) -> tuple[RouterGateway, ...]:
        """All gateways, the first one first."""
        if self.gateway is None:
            return self.more_gateways
        first = RouterGateway(self.gateway, self.gateway_number, self.nexthops, self.floating_ips, self.forwarded)
        return (first, *self.more_gateways)
