"""Routers: which subnets one router may stand in together, and which routes it may have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import frozen

from quantumd.model.addresses import is_port_address, prefix_of
from quantumd.model.delegation import PROVISIONAL

GATEWAY = "gateway"
INTERFACE = "interface"
"""How a router uses a port: to reach the outside, or to stand in a subnet."""

PORT_OWNERS: Mapping[str, str] = {GATEWAY: "network:router_gateway", INTERFACE: "network:router_interface"}
"""The device_owner of its ports, by use."""

CARRIED = "l3_router"
"""What a journal row of an agent says that it carries, before or after."""


@frozen
class Link:
    """One address of a router: the subnet, its prefix, and the network that it is of."""

    subnet_id: str
    cidr: str
    ip_address: str
    network_id: str


def overlap(links: Iterable[Link], subnet_id: str, cidr: str) -> Link | None:
    """Return the link that stands in the same subnet or in one with addresses in common; None when there is none.

    What stands for a prefix that is still to come is in nobody's way.
    """
    wanted = prefix_of(cidr)
    for link in links:
        held = prefix_of(link.cidr)
        meets = held.version == wanted.version and held.overlaps(wanted) and PROVISIONAL not in (cidr, link.cidr)
        if link.subnet_id == subnet_id or meets:
            return link
    return None


def is_reached(links: Iterable[Link], address: str) -> bool:
    """Whether an address is on a link of the router."""
    return any(_holds(link, address) for link in links)


def route_fault(links: Sequence[Link], destination: str, nexthop: str) -> str | None:
    """Return why what is for a prefix cannot go to an address, None when it can.

    Source: Neutron 29; it takes what no kernel does: a next hop of the other version of IP, or one that is no host's.
    """
    if not is_reached(links, nexthop):
        return "the nexthop is not connected with router"
    if any(link.ip_address == nexthop for link in links):
        return "the nexthop is used by router"
    if prefix_of(destination).version != prefix_of(nexthop).version:
        return "the nexthop is not of the IP version of the destination"
    if not any(is_port_address(link.cidr, nexthop) for link in links):
        return "the nexthop is not the address of a host"
    return None


def _holds(link: Link, address: str) -> bool:
    host = prefix_of(address)
    held = prefix_of(link.cidr)
    return host.version == held.version and host.network_address in held


def is_in(zone: str, zones: Collection[str]) -> bool:
    """Whether a host of a zone may carry what must be in one of these zones; of none, it may be in any."""
    return not zones or zone in zones


def choose_host(hosts: Iterable[str], carried: Mapping[str, int]) -> str:
    """Return the host that carries the fewest routers, of several the first by name; '' when there is none.

    :param carried: how many routers a host carries; one that is not named carries none.
    """
    return min(hosts, key=lambda host: (carried.get(host, 0), host), default="")
