"""What the l3 role of a host must know of routers: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from quantumd.compile.delegations import delegations_of, standing_addresses
from quantumd.model.nouns import Router, RouterPort
from quantumd.model.router_records import (
    AdvertisedPrefix,
    FloatingAddress,
    ForwardedPorts,
    LinkNeighbours,
    LinkScope,
    RouterGateway,
    RouterLink,
    RouterRecord,
)

_NOBODY: Final = "::"
"""As the only DNS server of a subnet it says that its clients get none."""


def router_record(router: Router, position: int) -> RouterRecord:
    """Compile a router, as read at a position of the journal.

    A port that is disabled, or whose network is, carries nothing: the router does not stand there.
    """
    standing = [port for port in router.ports if port.is_enabled]
    outside = sorted((port for port in standing if port.is_gateway), key=lambda port: port.ordinal)
    gateways = [_gateway(router, port, outside) for port in outside]
    first = gateways[0] if gateways else None
    return RouterRecord(
        id=router.id,
        version=position,
        admin_state_up=router.admin_state_up,
        interfaces=tuple(_link(port) for port in standing if not port.is_gateway),
        gateway=first.link if first else None,
        nexthops=first.nexthops if first else (),
        enable_snat=router.enable_snat,
        routes=router.routes,
        floating_ips=first.floating_ips if first else (),
        forwarded=first.forwarded if first else (),
        gateway_number=first.number if first else 1,
        more_gateways=tuple(gateways[1:]),
        enable_default_route_ecmp=router.enable_default_route_ecmp,
        scopes=tuple(_scopes(standing)),
        helped=router.helped,
        enable_ndp_proxy=router.enable_ndp_proxy,
        meters=router.meters if first else (),
        proxied=router.proxied if router.enable_ndp_proxy else (),
        limits=router.limits if first else (),
        delegations=delegations_of(standing) if first else (),
        beside=tuple(LinkNeighbours(port.id, port.beside) for port in outside if port.beside),
    )


def _gateway(router: Router, port: RouterPort, outside: Sequence[RouterPort]) -> RouterGateway:
    """Return a gateway with the floating IPs of its network; of several there the first has them."""
    of_networks = {each.network_id: each.id for each in reversed(outside)}

    def is_here(address: FloatingAddress | ForwardedPorts) -> bool:
        network_id = router.outside.get(address.floating_ip, outside[0].network_id)
        return of_networks.get(network_id) == port.id

    return RouterGateway(
        _link(port),
        port.number,
        _nexthops(port),
        tuple(filter(is_here, router.floating_ips)),
        tuple(filter(is_here, router.forwarded)),
    )


def _link(port: RouterPort) -> RouterLink:
    addresses = tuple(f"{each.ip_address}/{each.cidr.partition('/')[2]}" for each in standing_addresses(port))
    # What is outside has routers of its own.
    advertised = () if port.is_gateway else tuple(_advertised(port))
    return RouterLink(port.id, port.network_id, port.mac_address, port.mtu_bytes, addresses, advertised)


def _advertised(port: RouterPort) -> Iterator[AdvertisedPrefix]:
    for each in standing_addresses(port):
        if each.ipv6_ra_mode is not None:
            servers = tuple(server for server in each.dns_nameservers if ":" in server and server != _NOBODY)
            yield AdvertisedPrefix(each.cidr, each.ipv6_ra_mode, servers)


def _nexthops(port: RouterPort) -> tuple[str, ...]:
    """Return the first gateway of each version of IP; the router itself is none."""
    own = {each.ip_address for each in port.addresses}
    found: dict[bool, str] = {}
    for each in port.addresses:
        if each.gateway_ip is not None and each.gateway_ip not in own:
            found.setdefault(":" in each.gateway_ip, each.gateway_ip)
    return tuple(found.values())


def _scopes(standing: Sequence[RouterPort]) -> Iterator[LinkScope]:
    """Yield the scopes of the ports that are in any: all subnets of a version on a network are in the same."""
    for port in standing:
        found = {":" in each.ip_address: each.address_scope for each in port.addresses}
        if any(found.values()):
            yield LinkScope(port.id, found.get(False, ""), found.get(True, ""))
