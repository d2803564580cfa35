"""The deeds from what is there of a router to what is desired. Pure.

What is plugged wrongly is unplugged first, and wires are plugged last, when all is there that translates addresses.
Between them, what comes comes before what goes: so packets that pass before and afterwards pass all the while, and on
the way no packet passes that may pass neither before nor afterwards. What must end is written down in the transaction
that takes its filters away, so that it ends whatever happens on the way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import field, frozen

from quantumd.converge.plan import NOTHING, Plan, Stage
from quantumd.edge.netns import interfaces as i
from quantumd.edge.nft.interfaces import Ruleset
from quantumd.l3.desired import DesiredRouter, Wire, router_key
from quantumd.l3.filtering import filter_deeds
from quantumd.l3.names import GATEWAY, INSIDE
from quantumd.l3.steps import (
    AddNamespace,
    ChangeInside,
    ChangeRouter,
    Deed,
    Plug,
    RemoveNamespace,
    Unplug,
)


@frozen
class Observed:
    """What is there of a router: its namespace and what is in it, and its devices that are plugged, with their ports.

    ``inside`` is None when there is no namespace. The port of a device that is broken is ''.
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
    new = frozenset(_to_be_made(desired, inside))
    yield from map(Unplug, sorted(_plugged_wrongly(desired, seen, new)))
    if seen.inside is None or not (inside.is_named and inside.is_settled):
        yield AddNamespace()
    # What filters lead to must be there, or it would be sent elsewhere; as it is not plugged, nothing goes there yet.
    made = tuple(_made(desired, new, seen))
    if made:
        yield ChangeInside(made)
    yield from filter_deeds(desired, inside, seen.filters)
    gone = sorted(name for name in inside.devices if name not in desired.wires)
    operations = tuple(_operations(desired, inside, new, [each for each in gone if _is_ours(each)], seen))
    if operations:
        yield ChangeInside(operations)
    yield from _plugs(desired, seen, new)
    # Some devices cannot be removed: whoever put one here shall not keep the router from its work.
    theirs = tuple(i.RemovePair(name) for name in gone if not _is_ours(name))
    if theirs:
        yield ChangeInside(theirs)


def _to_be_made(desired: DesiredRouter, inside: i.Seen) -> Iterator[str]:
    """Yield the inner ends that are not there, or have another end than they must have."""
    for name, wire in desired.wires.items():
        device = inside.devices.get(name)
        if device is None or device.outer != wire.device.outer:
            yield name


def _plugged_wrongly(desired: DesiredRouter, seen: Observed, new: frozenset[str]) -> Iterator[str]:
    wires = {wire.device.outer: wire for wire in desired.wires.values()}
    for device, port_id in seen.plugged.items():
        wire = wires.get(device)
        # The switch does not notice that a device has gone and another one of its name has come.
        if wire is None or wire.device.name in new or port_id not in ("", wire.port_id):
            yield device


def _is_ours(device: str) -> bool:
    return device.startswith((INSIDE, GATEWAY))


def _made(desired: DesiredRouter, new: frozenset[str], seen: Observed) -> Iterator[i.Operation]:
    for name in sorted(new):
        yield i.PutPair(desired.wires[name].device, _alias(desired), seen.completes_checksums)
    for address in sorted(desired.addressing.addresses, key=repr):
        if address.device in new:
            yield i.PutAddress(address)


def _operations(
    desired: DesiredRouter, inside: i.Seen, new: frozenset[str], gone: Collection[str], seen: Observed
) -> Iterator[i.Operation]:
    wanted = desired.addressing
    held = frozenset(_held(desired, inside, new))
    surplus = held - wanted.addresses
    # Of IPv6 there is an address only once, with one prefix or another.
    first = {each for each in surplus if any(_excludes(each, other) for other in wanted.addresses)}
    yield from (i.RemoveAddress(each) for each in sorted(first, key=repr))
    for name, wire in sorted(desired.wires.items()):
        if name not in new and inside.devices[name] != wire.device:
            yield i.PutPair(wire.device, _alias(desired), seen.completes_checksums)
    put = (each for each in wanted.addresses - held if each.device not in new)
    yield from map(i.PutAddress, sorted(put, key=repr))
    answered = {each for each in inside.proxied if each.device in desired.wires and each.device not in new}
    yield from (i.RemoveProxied(each) for each in sorted(inside.proxied - wanted.proxied, key=repr))
    yield from (i.PutProxied(each) for each in sorted(wanted.proxied - answered, key=repr))
    # With a device that is made anew, or its address, routes go that may be wanted, whatever they went through.
    yield from _routing(desired, inside, wanted.routes if new or first else wanted.routes - inside.routes)
    yield from (i.RemoveAddress(each) for each in sorted(surplus - first, key=repr))
    yield from map(i.RemovePair, gone)
    if gone:
        # The same, and what was added meanwhile may have been given to a device that goes.
        yield from _put_routes(each for each in wanted.routes if not each.device)


def _routing(desired: DesiredRouter, inside: i.Seen, coming: Collection[i.Route]) -> Iterator[i.Operation]:
    """Yield changes of routes and rules: a table is looked into while all is in it, and the main one changes meanwhile.

    So what is marked never goes with what is not.
    """
    wanted, going = desired.addressing, sorted(_surplus_routes(desired, inside), key=_length)
    yield from _put_routes(each for each in coming if each.table != i.MAIN)
    yield from (i.PutRule(each) for each in sorted(wanted.rules - inside.rules, key=repr))
    yield from _put_routes(each for each in coming if each.table == i.MAIN)
    yield from (i.RemoveRoute(each) for each in going if each.table == i.MAIN)
    yield from (i.RemoveRule(each) for each in sorted(inside.rules - wanted.rules, key=repr))
    yield from (i.RemoveRoute(each) for each in going if each.table != i.MAIN)


def _put_routes(routes: Iterable[i.Route]) -> Iterator[i.Operation]:
    return (i.PutRoute(each) for each in sorted(routes, key=_coming, reverse=True))


def _coming(route: i.Route) -> tuple[bool, int, str]:
    """Return what routes that come are sorted by: what a table refuses is known before anything is found in it."""
    return (not (route.nexthops or route.device), *_length(route))


def _held(desired: DesiredRouter, inside: i.Seen, new: frozenset[str]) -> Iterator[i.Address]:
    """Yield the addresses of devices that stay."""
    for address in inside.addresses:
        if address.device in desired.wires and address.device not in new:
            yield address


def _excludes(one: i.Address, other: i.Address) -> bool:
    same = one.device == other.device and one.address.partition("/")[0] == other.address.partition("/")[0]
    return same and ":" in one.address


def _surplus_routes(desired: DesiredRouter, inside: i.Seen) -> Iterator[i.Route]:
    """Yield the routes that go, and in whose place no other one comes."""
    places = {each.place for each in desired.addressing.routes}
    for route in inside.routes - desired.addressing.routes:
        if route.place not in places:
            yield route


def _length(route: i.Route) -> tuple[int, str]:
    """Return what routes are sorted by.

    What comes comes from the longest prefix to the shortest, and what goes goes the other way: so that a packet never
    follows a route that it follows neither before nor afterwards.
    """
    return int(route.destination.rpartition("/")[2]), repr(route)


def _alias(desired: DesiredRouter) -> str:
    return f"quantumd router {desired.id}"


def _plugs(desired: DesiredRouter, seen: Observed, new: frozenset[str]) -> Iterator[Deed]:
    missing = {
        name: wire
        for name, wire in sorted(desired.wires.items())
        if name in new or seen.plugged.get(wire.device.outer) != wire.port_id
    }
    for wire in missing.values():
        yield Plug(wire.port_id, wire.device.outer, wire.device.mac)
    told = tuple(_announcements(desired, seen.inside or i.Seen(), missing))
    if told:
        yield ChangeInside(told)


def _announcements(desired: DesiredRouter, inside: i.Seen, plugged: Mapping[str, Wire]) -> Iterator[i.Operation]:
    """Announce what neighbours do not know, or knew at another MAC."""
    held = inside.addresses | inside.proxied
    for address in sorted(desired.addressing.addresses | desired.addressing.proxied, key=repr):
        device = desired.wires[address.device].device
        before = inside.devices.get(address.device)
        has_moved = before is not None and before.mac != device.mac
        if address not in held or address.device in plugged or has_moved:
            yield i.Announce(device.mac, address)
