"""The deeds from what is there of a router to what is desired. Pure.

What is taken away goes first; what translates addresses is there before packets come, which is when the wires are
plugged. So no packet passes on the way that may pass neither before nor afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from quantumd.converge.plan import NOTHING, Plan, Stage
from quantumd.edge.netns import interfaces as i
from quantumd.edge.nft.interfaces import Change, Ruleset
from quantumd.l3.desired import DesiredRouter, Wire, router_key
from quantumd.l3.features.nat import FAMILY, FLOATING
from quantumd.l3.names import GATEWAY
from quantumd.l3.steps import (
    AddNamespace,
    ChangeFilters,
    ChangeInside,
    ChangeRouter,
    Deed,
    EndTranslated,
    Plug,
    RemoveNamespace,
    Unplug,
)


@frozen
class Observed:
    """What is there of a router: its namespace and what is in it, and its devices that are plugged, with their ports.

    ``inside`` is None when there is no namespace.
    """

    inside: i.Seen | None = None
    filters: Ruleset = field(factory=Ruleset)
    plugged: Mapping[str, str] = field(factory=dict)
    completes_checksums: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing of it."""
        return self.inside is None and not self.plugged


def plan_router(router_id: str, desired: DesiredRouter | None, seen: Observed) -> Plan:
    """Return what makes the router as desired; empty when it is."""
    deeds = tuple(_removal(seen) if desired is None else _changes(desired, seen))
    if not deeds:
        return NOTHING
    return Plan((Stage("routers", (ChangeRouter(frozenset({router_key(router_id)}), router_id, deeds),)),))


def _removal(seen: Observed) -> Iterator[Deed]:
    yield from map(Unplug, sorted(seen.plugged))
    if seen.inside is not None:
        yield RemoveNamespace()


def _changes(desired: DesiredRouter, seen: Observed) -> Iterator[Deed]:
    inside = seen.inside or i.Seen()
    wires = {wire.outer: wire for wire in desired.wires.values()}
    new = {name for name in desired.wires if name not in inside.devices}
    for device, port_id in sorted(seen.plugged.items()):
        wire = wires.get(device)
        # The switch does not notice that a device has gone and another one of its name has come.
        if wire is None or wire.port_id != port_id or wire.device.name in new:
            yield Unplug(device)
    if seen.inside is None or not seen.inside.is_named:
        yield AddNamespace()
    gone = tuple(i.RemovePair(name) for name in sorted(inside.devices) if name not in desired.wires)
    if gone:
        yield ChangeInside(gone)
    change = filters_change(desired, seen.filters)
    if not change.is_nothing:
        yield ChangeFilters(change)
    operations = tuple(_operations(desired, inside, seen.completes_checksums))
    if operations:
        yield ChangeInside(operations)
    ended = frozenset(_ended(desired, inside, seen.filters))
    if ended:
        yield EndTranslated(ended)
    yield from _plugs(desired, seen, new)


def _ended(desired: DesiredRouter, inside: i.Seen, filters: Ruleset) -> Iterator[str]:
    """Yield the outer addresses that are gone, or lead elsewhere than before."""
    for place, value in filters.elements.items():
        if place[:2] == (FAMILY, FLOATING) and desired.filters.elements.get(place) != value:
            yield place[2]
    for each in inside.addresses - desired.addressing.addresses:
        if each.device.startswith(GATEWAY):
            yield each.address.partition("/")[0]


def _operations(desired: DesiredRouter, inside: i.Seen, completes_checksums: bool) -> Iterator[i.Operation]:
    held = {address for address in inside.addresses if address.device in desired.wires}
    kept = {route for route in inside.routes if not route.device or route.device in desired.wires}
    wanted = desired.addressing
    yield from (i.RemoveRoute(each) for each in sorted(kept - wanted.routes, key=repr) if not _stays(each, desired))
    yield from (i.RemoveAddress(each) for each in sorted(held - wanted.addresses, key=repr))
    for name, wire in sorted(desired.wires.items()):
        if name not in inside.devices:
            yield i.AddPair(wire.device, wire.outer, _alias(desired), completes_checksums)
        elif inside.devices[name] != wire.device:
            yield i.ChangeDevice(wire.device, wire.outer)
    yield from (i.PutAddress(each) for each in sorted(wanted.addresses - held, key=repr))
    yield from (i.PutRoute(each) for each in sorted(wanted.routes - kept, key=repr))


def _stays(route: i.Route, desired: DesiredRouter) -> bool:
    """Whether another route to the same destination takes the place of this one."""
    return any(each.destination == route.destination for each in desired.addressing.routes)


def _alias(desired: DesiredRouter) -> str:
    return f"quantumd router {desired.id}"


def filters_change(desired: DesiredRouter, seen: Ruleset) -> Change:
    """Return what makes filters as desired."""
    wanted = desired.filters
    chains = {name: each for name, each in wanted.chains.items() if seen.chains.get(name) != each.digest}
    # The value of an element cannot be changed: it goes and comes in the same transaction.
    gone = {place: value for place, value in seen.elements.items() if wanted.elements.get(place) != value}
    gone_sets = frozenset(seen.sets - wanted.sets.keys())
    return Change(
        chains=chains,
        sets={name: each for name, each in wanted.sets.items() if name not in seen.sets},
        elements={place: value for place, value in wanted.elements.items() if seen.elements.get(place) != value},
        gone_chains=frozenset(seen.chains.keys() - wanted.chains.keys()),
        gone_sets=gone_sets,
        gone_elements={place: value for place, value in gone.items() if place[:2] not in gone_sets},
    )


def _plugs(desired: DesiredRouter, seen: Observed, new: set[str]) -> Iterator[Deed]:
    missing = {
        name: wire
        for name, wire in sorted(desired.wires.items())
        if name in new or seen.plugged.get(wire.outer) != wire.port_id
    }
    for wire in missing.values():
        yield Plug(wire.port_id, wire.outer, wire.device.mac)
    told = tuple(_announcements(desired, seen.inside or i.Seen(), missing))
    if told:
        yield ChangeInside(told)


def _announcements(desired: DesiredRouter, inside: i.Seen, plugged: Mapping[str, Wire]) -> Iterator[i.Operation]:
    """Announce what neighbours do not know, or knew at another MAC."""
    for address in sorted(desired.addressing.addresses, key=repr):
        device = desired.wires[address.device].device
        before = inside.devices.get(address.device)
        has_moved = before is not None and before.mac != device.mac
        if address not in inside.addresses or address.device in plugged or has_moved:
            yield i.Announce(device.mac, address)
