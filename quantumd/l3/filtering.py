"""The deeds that make a router's filters as desired, and end the connections that those allowed which go. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attrs import evolve

from quantumd.edge.netns.interfaces import OuterPorts, Seen
from quantumd.edge.nft.interfaces import Change, Kind, Name, Place, Ruleset
from quantumd.l3.desired import DesiredRouter
from quantumd.l3.features.base import FAMILY
from quantumd.l3.features.forwarding_changes import changed_ports
from quantumd.l3.features.nat import FLOATING, OWN
from quantumd.l3.names import GATEWAY
from quantumd.l3.steps import ChangeFilters, Deed, EndTranslated

ENDING: Final[Name] = (FAMILY, "ending")
"""The set of outer addresses whose connections have to end. It is there until they have ended."""
ENDING_PORTS: Final[Name] = (FAMILY, "ending_ports")
"""The same of ports: address, protocol, the first port and the last."""
_TRANSLATING: Final = ((FAMILY, FLOATING), (FAMILY, OWN))
"""What outer addresses are in whose connections end when they go."""
_PORTS: Final = re.compile(r"([0-9.]+) \. ([0-9]+) \. ([0-9]+) \. ([0-9]+)")
_KINDS: Final = {
    ENDING: Kind("type ipv4_addr;"),
    ENDING_PORTS: Kind("type ipv4_addr . inet_proto . inet_service . inet_service;"),
}


def filter_deeds(desired: DesiredRouter, inside: Seen, filters: Ruleset) -> Iterator[Deed]:
    """Yield what makes filters as desired; connections end at once, whatever comes behind."""
    change = filters_change(desired, filters)
    addresses = frozenset(_ending(desired, inside, filters))
    ports = frozenset(_ending_ports(desired, inside, filters))
    sets = frozenset(name for name, ending in ((ENDING, addresses), (ENDING_PORTS, ports)) if ending)
    if sets:
        change = _with_ending(change, sets, (*map(_address_place, addresses), *map(_port_place, ports)))
    if not change.is_nothing:
        yield ChangeFilters(change)
    if sets:
        yield EndTranslated(addresses, ports)
        yield ChangeFilters(Change(gone_sets=sets))


def _with_ending(change: Change, sets: frozenset[Name], places: tuple[Place, ...]) -> Change:
    return evolve(
        change,
        sets={**change.sets, **{name: _KINDS[name] for name in sets}},
        elements={**change.elements, **dict.fromkeys(places, "")},
        gone_sets=change.gone_sets - sets,
    )


def _address_place(address: str) -> Place:
    return (*ENDING, address)


def _port_place(ports: OuterPorts) -> Place:
    return (*ENDING_PORTS, f"{ports.address} . {ports.protocol} . {ports.first} . {ports.last}")


def _ending(desired: DesiredRouter, inside: Seen, filters: Ruleset) -> Iterator[str]:
    """Yield the outer addresses that are gone, or lead elsewhere than before, and those that had to end before."""
    for place, value in filters.elements.items():
        if place[:2] in _TRANSLATING and desired.filters.elements.get(place) != value:
            yield place[2]
        if place[:2] == ENDING:
            yield place[2]
    for each in inside.addresses - desired.addressing.addresses:
        # Only addresses of IPv4 are translated.
        if each.device.startswith(GATEWAY) and ":" not in each.address:
            yield each.address.partition("/")[0]


def _ending_ports(desired: DesiredRouter, inside: Seen, filters: Ruleset) -> Iterator[OuterPorts]:
    """Yield the ports that lead elsewhere than before, and those that had to end before."""
    held = {each.address.partition("/")[0] for each in inside.addresses}
    yield from changed_ports(filters.elements, desired.filters.elements, held)
    for place in filters.elements:
        said = _PORTS.fullmatch(place[2]) if place[:2] == ENDING_PORTS else None
        if said is not None:
            yield OuterPorts(said[1], int(said[2]), int(said[3]), int(said[4]))


def filters_change(desired: DesiredRouter, seen: Ruleset) -> Change:
    """Return what makes filters as desired."""
    wanted = desired.filters
    # The value of an element cannot be changed: it goes and comes in the same transaction.
    gone = {place: value for place, value in seen.elements.items() if wanted.elements.get(place) != value}
    gone_sets = frozenset(seen.sets - wanted.sets.keys())
    return Change(
        chains={name: each for name, each in wanted.chains.items() if seen.chains.get(name) != each.digest},
        sets={name: each for name, each in wanted.sets.items() if name not in seen.sets},
        elements={place: value for place, value in wanted.elements.items() if seen.elements.get(place) != value},
        gone_chains=frozenset(seen.chains.keys() - wanted.chains.keys()),
        gone_sets=gone_sets,
        gone_elements={place: value for place, value in gone.items() if place[:2] not in gone_sets},
        counters=frozenset(wanted.counters - seen.counters.keys()),
        gone_counters=frozenset(seen.counters.keys() - wanted.counters),
        helpers={name: each for name, each in wanted.helpers.items() if name not in seen.helpers},
        gone_helpers=frozenset(seen.helpers - wanted.helpers.keys()),
    )
