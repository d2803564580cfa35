"""What a router in memory does with a packet: a small model, against which plans are checked."""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface, ip_network

from attrs import define, field, frozen

from quantumd.edge.netns.interfaces import MAIN, Seen
from quantumd.edge.nft.interfaces import Place
from quantumd.l3.features.base import FAMILY
from quantumd.l3.features.forwarding import FORWARDED, GATHERED, SPREAD
from quantumd.l3.features.marks import COMING
from quantumd.l3.features.nat import FIXED, FLOATING
from quantumd.l3.features.neighbours import PROXIED
from quantumd.l3.features.scopes import CROSSING
from quantumd.l3.names import GATEWAY, INSIDE, namespace_of
from tests.l3.world import ROUTER_ID, World

_BACKWARDS = re.compile(r'^oifname "([^"]+)" snat ip to ip saddr map @(\S+)$', re.MULTILINE)


@frozen
class Packet:
    """A packet that arrives by one of the router's devices; of a protocol with ports it goes to one.

    It is of a connection that has a ``mark``, 0 of one that has none yet.
    """

    device: str
    source: str
    destination: str
    protocol: int = 0
    port: int = 0
    mark: int = 0


@frozen
class Way:
    """Where a packet goes: by which device it leaves, to whom, and to which port."""

    device: str
    destination: str
    port: int = 0


@frozen
class Look:
    """How a packet looks that leaves: from whom it is, and by which rules it may be translated more, or be dropped.

    What rules mean is not looked at, only which they are. Those that translate are for packets that leave by a gateway,
    and for those that went to a floating IP.
    """

    source: str
    rules: str
    crossing: str


@frozen
class WayOut:
    """A route: by which devices what is for a prefix leaves; none, and it is refused."""

    prefix: IPv4Network | IPv6Network
    metric: int
    devices: tuple[str, ...]


@define(eq=False)
class Model:
    """What a router does at a time."""

    _elements: Mapping[Place, str]
    _leaving: str
    """By which rules packets leave that may be translated."""
    _crossing: str
    """By which rules packets may go from network to network."""
    _is_marking: bool
    """Whether packets from inside get the marks of their connections."""
    _backwards: Mapping[str, str]
    """The maps from fixed addresses to floating IPs by the devices of their gateways."""
    _live: frozenset[str]
    """The devices that are plugged."""
    _own: frozenset[str]
    _ways: Mapping[int, Sequence[WayOut]]
    """By table."""
    _tables: Mapping[int, int]
    """By mark, those of rules of IPv4."""
    _spans: Mapping[tuple[str, int], Sequence[tuple[int, int, str, int]]] = field(init=False)
    """First and last of ports that are translated, to which address and port, 0: to themselves."""
    _known: dict[tuple[int, str], tuple[str, ...]] = field(factory=dict)
    """The devices by which packets to an address leave, of one table or rule and the main one."""
    _lets_in: frozenset[str] | None = None
    """Which addresses of IPv6 packets may go to from the gateway inside; None: any."""

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
        is_marked = self._is_marking and packet.device.startswith(INSIDE)
        devices = self._way(self._tables.get(packet.mark, 0) if is_marked else 0, destination)
        # Of several the kernel takes one, for the same connection always the same.
        device = devices[zlib.crc32(repr(packet).encode()) % len(devices)] if devices else ""
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
            return Look(packet.source, "", self._crossing)
        fixed = self._backwards.get(way.device, FIXED)
        source = self._elements.get((FAMILY, fixed, packet.source), packet.source)
        return Look(source, self._leaving, self._crossing)

    def _way(self, table: int, destination: str) -> tuple[str, ...]:
        where = table, destination
        if where not in self._known:
            self._known[where] = self._find_way(*where)
        return self._known[where]

    def _find_way(self, table: int, destination: str) -> tuple[str, ...]:
        address = ip_address(destination)
        if destination in self._own:
            return ()
        for of_table in filter(None, (table, MAIN)):
            ways = [way for way in self._ways.get(of_table, ()) if address in way.prefix]
            if ways:
                # The longest prefix; of equal ones the lowest metric.
                return max(ways, key=lambda way: (way.prefix.prefixlen, -way.metric)).devices
        return ()


def model_of(world: World, router_id: str = ROUTER_ID) -> Model:
    """Return what a router does now."""
    seen = world.seen(router_id)
    if seen is None:
        return Model({}, "", "", False, {}, frozenset(), frozenset(), {}, {})
    filters = world.namespaces.filters_of(namespace_of(router_id))
    names = ("postrouting", "prerouting", CROSSING, COMING)
    chain, arriving, crossing, coming = (filters.chains.get((FAMILY, name)) for name in names)
    # A map that no rule looks into does nothing.
    looked_into = " ".join(arriving.rules) if arriving is not None else ""
    elements = {place: value for place, value in filters.elements.items() if f"@{place[1]}" in looked_into}
    elements |= {place: value for place, value in filters.elements.items() if place[1].startswith(FIXED)}
    own = frozenset(each.address.partition("/")[0] for each in seen.addresses)
    live = frozenset(name for name in seen.devices if _is_live(world, seen, name))
    lets_in = None
    if (FAMILY, PROXIED) in filters.chains:
        lets_in = frozenset(place[2] for place in filters.elements if place[1] == PROXIED)
    found: defaultdict[int, list[WayOut]] = defaultdict(list)
    for table, way in _ways(seen):
        found[table].append(way)
    return Model(
        elements,
        chain.digest if chain is not None else "",
        crossing.digest if crossing is not None else "",
        coming is not None and any("meta mark set ct mark" in rule for rule in coming.rules),
        dict(_BACKWARDS.findall("\n".join(chain.rules))) if chain is not None else {},
        live,
        own,
        found,
        {rule.mark: rule.table for rule in seen.rules if rule.version == 4},
        lets_in=lets_in,
    )


def _is_live(world: World, seen: Seen, name: str) -> bool:
    device = seen.devices[name]
    row = world.ovsdb.interfaces().get(device.outer) if device.is_up else None
    return row is not None and row.error is None


def _ways(seen: Seen) -> Iterator[tuple[int, WayOut]]:
    near = [WayOut(ip_interface(each.address).network, 0, (each.device,)) for each in seen.addresses]
    yield from ((MAIN, each) for each in near)
    for route in seen.routes:
        devices = route.devices or tuple(filter(None, (route.device,)))
        if not devices and route.nexthops:
            hop = ip_address(route.nexthops[0])
            devices = next((way.devices for way in near if hop in way.prefix), ())
        yield route.table, WayOut(ip_network(route.destination), route.metric, devices)
