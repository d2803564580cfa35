"""What the l3 role of a host must know of routers: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.model.nouns import Router, RouterPort
from quantumd.model.router_records import AdvertisedPrefix, RouterLink, RouterRecord


def router_record(router: Router, position: int) -> RouterRecord:
    """Compile a router, as read at a position of the journal.

    A port that is disabled, or whose network is, carries nothing: the router does not stand there.
    """
    standing = [port for port in router.ports if port.is_enabled]
    gateway = next((port for port in standing if port.is_gateway), None)
    return RouterRecord(
        id=router.id,
        version=position,
        admin_state_up=router.admin_state_up,
        interfaces=tuple(_link(port) for port in standing if not port.is_gateway),
        gateway=None if gateway is None else _link(gateway),
        nexthops=() if gateway is None else _nexthops(gateway),
        enable_snat=router.enable_snat,
        routes=router.routes,
        floating_ips=router.floating_ips,
        forwarded=router.forwarded,
        enable_ndp_proxy=router.enable_ndp_proxy,
        limits=() if gateway is None else router.limits,
        meters=() if gateway is None else router.meters,
        proxied=router.proxied if router.enable_ndp_proxy else (),
    )


def _link(port: RouterPort) -> RouterLink:
    addresses = tuple(f"{each.ip_address}/{each.cidr.partition('/')[2]}" for each in port.addresses)
    # What is outside has routers of its own.
    advertised = () if port.is_gateway else tuple(_advertised(port))
    return RouterLink(port.id, port.network_id, port.mac_address, port.mtu_bytes, addresses, advertised)


def _advertised(port: RouterPort) -> Iterator[AdvertisedPrefix]:
    for each in port.addresses:
        if each.ipv6_ra_mode is not None:
            servers = tuple(server for server in each.dns_nameservers if ":" in server)
            yield AdvertisedPrefix(each.cidr, each.ipv6_ra_mode, servers)


def _nexthops(port: RouterPort) -> tuple[str, ...]:
    """Return the first gateway of each version of IP; the router itself is none."""
    own = {each.ip_address for each in port.addresses}
    found: dict[bool, str] = {}
    for each in port.addresses:
        if each.gateway_ip is not None and each.gateway_ip not in own:
            found.setdefault(":" in each.gateway_ip, each.gateway_ip)
    return tuple(found.values())
