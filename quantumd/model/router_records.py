"""Records of routers: what the l3 role of a host must know of a router that it carries."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


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
    ``protocol`` is ``tcp``, ``udp`` or ``sctp``.
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
class RouterRecord:
    """What the l3 role of a host must know of a router that it carries.

    ``nexthops`` are the gateways of the gateway port's subnets, one of each version of IP at most. With ``enable_snat``
    what leaves by the gateway gets the gateway's first IPv4 address. ``version`` is the position at which it was read,
    which no digest covers: see docs/decisions/record-versions.md. With ``enable_ndp_proxy`` the router answers on its
    gateway's link for the ``proxied`` IPv6 addresses inside, and lets in by it what is for them, and nothing else of
    IPv6. ``limits`` are of floating IPs and of addresses of the gateway, at most one of each in a direction.
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
    enable_ndp_proxy: bool = False
    proxied: tuple[str, ...] = ()
    limits: tuple[AddressLimit, ...] = ()
    meters: tuple[Meter, ...] = ()
