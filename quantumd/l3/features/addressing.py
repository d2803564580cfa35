"""Addresses and routes of a router. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from quantumd.edge.netns.interfaces import Address, Route
from quantumd.l3.features.base import Addressing
from quantumd.l3.features.neighbours import proxied_of
from quantumd.l3.names import GATEWAY, INSIDE, inner_of
from quantumd.model.router_records import RouterRecord

_ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


def addressing_of(router: RouterRecord) -> Addressing:
    """Return what a router answers to and for, and its routes."""
    return Addressing(frozenset(_addresses(router)), frozenset(_routes(router)), proxied_of(router))


def _addresses(router: RouterRecord) -> Iterator[Address]:
    for link in router.interfaces:
        yield from (Address(inner_of(INSIDE, link.port_id), each) for each in link.addresses)
    if router.gateway is not None:
        device = inner_of(GATEWAY, router.gateway.port_id)
        yield from (Address(device, each) for each in router.gateway.addresses)
        yield from (Address(device, f"{each.floating_ip}/32") for each in router.floating_ips)
        yield from (Address(device, f"{each.floating_ip}/32") for each in router.forwarded)


def _routes(router: RouterRecord) -> Iterator[Route]:
    several: defaultdict[str, set[str]] = defaultdict(set)
    for route in router.routes:
        several[route.destination].add(route.nexthop)
    for destination, nexthops in several.items():
        yield Route(destination, tuple(sorted(nexthops)))
    if router.gateway is not None:
        device = inner_of(GATEWAY, router.gateway.port_id)
        for nexthop in router.nexthops:
            anywhere = _ANYWHERE[6 if ":" in nexthop else 4]
            if anywhere not in several:
                # It may be outside of the subnet, and is on the link all the same.
                yield Route(anywhere, (nexthop,), device)
