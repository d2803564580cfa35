"""What a router in memory does with a packet: a small model, against which plans are checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface, ip_network

from attrs import define, field, frozen

from quantumd.edge.netns.interfaces import Seen
from quantumd.edge.nft.interfaces import Place
from quantumd.l3.features.base import FAMILY
from quantumd.l3.features.forwarding import FORWARDED, GATHERED, SPREAD
from quantumd.l3.features.nat import FIXED, FLOATING
from quantumd.l3.features.neighbours import PROXIED
from quantumd.l3.names import GATEWAY, INSIDE, namespace_of
from tests.l3.world import ROUTER_ID, World


@frozen
class Packet:
    """A packet that arrives by one of the router's devices; of a protocol with ports it goes to one."""

    device: str
    source: str
    destination: str
    protocol: int = 0
    port: int = 0


@frozen
class Way:
    """Where a packet goes: by which device it leaves, to whom, and to which port."""

    device: str
    destination: str
    port: int = 0


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
    _spans: Mapping[tuple[str, int], Sequence[tuple[int, int, str, int]]] = field(init=False)
    """First and last of ports that are translated, to which address and port, 0: to themselves."""
    _lets_in: frozenset[str] | None = None
    """Which addresses of IPv6 packets may go to from the gateway inside; None: any."""
    _known: dict[str, str] = field(factory=dict)
    """The device by which packets to an address leave, '' when there is none, or it is the router's own."""

    @_spans.default
    def _read_spans(self) -> Mapping[tuple[str, int], Sequence[tuple[int, int, str, int]]]:
        found: defaultdict[tuple[str, int], list[tuple[int, int, str, int]]] = defaultdict(list)
        for (_, name, outside), inside in self._elements.items():
            if name in (FORWARDED, GATHERED, SPREAD):
                address, protocol, ports = outside.split(" . ")
                first, _, last = ports.partition("-")
                target, _, port = inside.partition(" . ")
                found[address, int(protocol)].append((int(first), int(last or first), target, int(port or 0)))
        return found

    def way(self, packet: Packet) -> Way | None:
        """Return where a packet goes; None of one that is dropped, or comes to the router itself."""
        if packet.device not in self._live:
            return None
        destination, port = self._led(packet)
        device = self._way(destination)
        if self._is_kept_out(packet, device):
            return None
        return Way(device, destination, port) if device in self._live else None

    def _is_kept_out(self, packet: Packet, device: str) -> bool:
        comes_in = packet.device.startswith(GATEWAY) and device.startswith(INSIDE)
        return (
            comes_in
            and ":" in packet.destination
            and packet.destination not in (self._lets_in if self._lets_in is not None else (packet.destination,))
        )

    def _led(self, packet: Packet) -> tuple[str, int]:
        """Return to which address and port a packet is translated; as it is said when it is not."""
        whole = self._elements.get((FAMILY, FLOATING, packet.destination))
        if whole is not None:
            return whole, packet.port
        for first, last, address, port in self._spans.get((packet.destination, packet.protocol), ()):
            if packet.port and first <= packet.port <= last:
                return address, port or packet.port
        return packet.destination, packet.port

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
    chain, arriving = (filters.chains.get((FAMILY, name)) for name in ("postrouting", "prerouting"))
    # A map that no rule looks into does nothing.
    looked_into = " ".join(arriving.rules) if arriving is not None else ""
    elements = {place: value for place, value in filters.elements.items() if f"@{place[1]}" in looked_into}
    elements |= {place: value for place, value in filters.elements.items() if place[1] == FIXED}
    own = frozenset(each.address.partition("/")[0] for each in seen.addresses)
    live = frozenset(name for name in seen.devices if _is_live(world, seen, name))
    lets_in = None
    if (FAMILY, PROXIED) in filters.chains:
        lets_in = frozenset(place[2] for place in filters.elements if place[1] == PROXIED)
    return Model(elements, chain.digest if chain is not None else "", live, own, tuple(_ways(seen)), lets_in)


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
