"""Addresses, routes and rules of a router. Pure.

Where there are several gateways each has a table of its own with what is reached by it. Connections that go by a
gateway are marked, and what is marked is looked for there first: see features/marks.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_interface, ip_network
from typing import Final

from quantumd.edge.netns.interfaces import Address, Route, Rule
from quantumd.l3.features.base import Addressing
from quantumd.l3.features.neighbours import proxied_of
from quantumd.l3.names import GATEWAY, INSIDE, inner_of
from quantumd.model.router_records import RouterGateway, RouterRecord

LAST_METRIC: Final = 1000
"""That of the route which refuses what no other one of a gateway's table leads anywhere."""
_TABLES: Final = 100
"""The table of a gateway is this and its number."""
_ANYWHERE: Final = {4: "0.0.0.0/0", 6: "::/0"}

_Extra = Mapping[str, set[str]]
"""Next hops by destination."""


def addressing_of(router: RouterRecord) -> Addressing:
    """Return what a router answers to and for, its routes, and its rules."""
    extra: defaultdict[str, set[str]] = defaultdict(set)
    for route in router.routes:
        extra[route.destination].add(route.nexthop)
    beside = _beside(router, extra)
    routes = {*_routes(router, extra), *_on_links(router, beside)}
    several = router.gateways if len(router.gateways) > 1 else ()
    routes.update(route for gateway in several for route in _table(gateway, extra, beside))
    rules = frozenset(rule for gateway in several for rule in _rules(gateway))
    return Addressing(frozenset(_addresses(router)), frozenset(routes), rules, proxied_of(router))


def _addresses(router: RouterRecord) -> Iterator[Address]:
    for link in router.interfaces:
        yield from (Address(inner_of(INSIDE, link.port_id), each) for each in link.addresses)
    for gateway in router.gateways:
        device = device_of(gateway)
        yield from (Address(device, each) for each in gateway.link.addresses)
        yield from (Address(device, f"{each.floating_ip}/32") for each in gateway.floating_ips)
        yield from (Address(device, f"{each.floating_ip}/32") for each in gateway.forwarded)


def device_of(gateway: RouterGateway) -> str:
    """Return the router's own end of the wire of a gateway."""
    return inner_of(GATEWAY, gateway.link.port_id)


def _routes(router: RouterRecord, extra: _Extra) -> Iterator[Route]:
    for destination, nexthops in extra.items():
        yield Route(destination, tuple(sorted(nexthops)))
    for version, anywhere in _ANYWHERE.items():
        ways = [
            (nexthop, device_of(gateway))
            for gateway in router.gateways
            for nexthop in gateway.nexthops
            if ip_address(nexthop).version == version
        ]
        if ways and anywhere not in extra:
            yield _default(anywhere, ways if router.enable_default_route_ecmp else ways[:1])


def _beside(router: RouterRecord, extra: _Extra) -> Mapping[str, tuple[str, ...]]:
    """Return, by the ports of gateways, what else is on their links: nothing of what is inside, or led elsewhere."""
    inside = [ip_interface(each).network for link in router.interfaces for each in link.addresses]

    def is_outside(cidr: str) -> bool:
        wanted = ip_network(cidr)
        meets = any(wanted.version == each.version and wanted.overlaps(each) for each in inside)
        return cidr not in extra and not meets

    return {each.port_id: tuple(filter(is_outside, each.prefixes)) for each in router.beside}


def _on_links(router: RouterRecord, beside: Mapping[str, tuple[str, ...]]) -> Iterator[Route]:
    """Yield the ways to subnets that are on links of gateways; of several there the first leads to them."""
    first: dict[str, str] = {}
    for gateway in router.gateways:
        for cidr in beside.get(gateway.link.port_id, ()):
            first.setdefault(cidr, device_of(gateway))
    yield from (Route(cidr, (), device) for cidr, device in first.items())


def _default(anywhere: str, ways: list[tuple[str, str]]) -> Route:
    """Return the way to anywhere. Next hops may be outside of the subnet, and are on the link all the same."""
    if len(ways) == 1:
        ((nexthop, device),) = ways
        return Route(anywhere, (nexthop,), device)
    nexthops, devices = zip(*sorted(ways), strict=True)
    return Route(anywhere, nexthops, devices=devices)


def _table(gateway: RouterGateway, extra: _Extra, beside: Mapping[str, tuple[str, ...]]) -> Iterator[Route]:
    """Yield what is reached by a gateway: what is on its link, and what is behind a next hop there."""
    device, table = device_of(gateway), _TABLES + gateway.number
    nexthops = {_ANYWHERE[ip_address(each).version]: {each} for each in gateway.nexthops}
    on_link = {ip_interface(each).network for each in gateway.link.addresses}
    on_link |= {ip_network(each) for each in beside.get(gateway.link.port_id, ())}
    for destination, several in extra.items():
        near = {each for each in several if any(ip_address(each) in network for network in on_link)}
        if near and ip_network(destination) not in on_link:
            nexthops[destination] = near
    yield from (Route(str(network), (), device, table=table) for network in on_link)
    yield from (Route(to, tuple(sorted(several)), device, table=table) for to, several in nexthops.items())
    for version in _versions(gateway):
        yield Route(_ANYWHERE[version], (), metric=LAST_METRIC, table=table)


def _rules(gateway: RouterGateway) -> Iterator[Rule]:
    for version in _versions(gateway):
        yield Rule(version, gateway.number, _TABLES + gateway.number)


def _versions(gateway: RouterGateway) -> set[int]:
    return {ip_interface(each).version for each in gateway.link.addresses}
