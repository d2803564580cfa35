"""What a router in memory does with a packet: a small model, against which plans are checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface, ip_network

from attrs import define, field, frozen

from quantumd.edge.netns.interfaces import Seen
from quantumd.edge.nft.interfaces import Place
from quantumd.l3.features.nat import FAMILY, FIXED, FLOATING
from quantumd.l3.names import GATEWAY, namespace_of
from tests.l3.world import ROUTER_ID, World


@frozen
class Packet:
    """A packet that arrives by one of the router's devices."""

    device: str
    source: str
    destination: str


@frozen
class Way:
    """Where a packet goes: by which device it leaves, and to whom."""

    device: str
    destination: str


@frozen
class Look:
    """How a packet looks that leaves: from whom it is, and by which rules it may be translated more.

    What rules mean is not looked at, only which they are. They are for packets that leave by the gateway, and for those
    that went to a floating IP.
    """

    source: str
    rules: str


@define(eq=False)
class Model:
    """What a router does at a time."""

    _elements: Mapping[Place, str]
    _leaving: str
    """By which rules packets leave that may be translated."""
    _live: frozenset[str]
    """The devices that are plugged."""
    _own: frozenset[str]
    _ways: tuple[tuple[IPv4Network | IPv6Network, int, str], ...]
    """Prefix, metric and device of each."""
    _known: dict[str, str] = field(factory=dict)
    """The device by which packets to an address leave, '' when there is none, or it is the router's own."""

    def way(self, packet: Packet) -> Way | None:
        """Return where a packet goes; None of one that is dropped, or comes to the router itself."""
        if packet.device not in self._live:
            return None
        destination = self._elements.get((FAMILY, FLOATING, packet.destination), packet.destination)
        device = self._way(destination)
        return Way(device, destination) if device in self._live else None

    def look(self, packet: Packet, way: Way) -> Look:
        """Return how a packet looks that goes this way."""
        if not way.device.startswith(GATEWAY) and way.destination == packet.destination:
            return Look(packet.source, "")
        return Look(self._elements.get((FAMILY, FIXED, packet.source), packet.source), self._leaving)

    def _way(self, destination: str) -> str:
        if destination not in self._known:
            self._known[destination] = self._find_way(destination)
        return self._known[destination]

    def _find_way(self, destination: str) -> str:
        address = ip_address(destination)
        ways = [way for way in self._ways if address in way[0]] if destination not in self._own else []
        # The longest prefix; of equal ones the lowest metric.
        return max(ways, key=lambda way: (way[0].prefixlen, -way[1]))[2] if ways else ""


def model_of(world: World, router_id: str = ROUTER_ID) -> Model:
    """Return what a router does now."""
    seen = world.seen(router_id)
    if seen is None:
        return Model({}, "", frozenset(), frozenset(), ())
    filters = world.namespaces.filters_of(namespace_of(router_id))
    chain = filters.chains.get((FAMILY, "postrouting"))
    own = frozenset(each.address.partition("/")[0] for each in seen.addresses)
    live = frozenset(name for name in seen.devices if _is_live(world, seen, name))
    return Model(dict(filters.elements), chain.digest if chain is not None else "", live, own, tuple(_ways(seen)))


def _is_live(world: World, seen: Seen, name: str) -> bool:
    device = seen.devices[name]
    row = world.ovsdb.interfaces().get(device.outer) if device.is_up else None
    return row is not None and row.error is None


def _ways(seen: Seen) -> Iterator[tuple[IPv4Network | IPv6Network, int, str]]:
    near = [(ip_interface(each.address).network, 0, each.device) for each in seen.addresses]
    yield from near
    for route in seen.routes:
        hops = [ip_address(each) for each in route.nexthops]
        device = route.device or next((way[2] for way in near if hops[0] in way[0]), "")
        yield ip_network(route.destination), route.metric, device
