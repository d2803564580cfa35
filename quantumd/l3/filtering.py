"""The deeds that make a router's filters as desired, and end the connections that those allowed which go. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from quantumd.edge.netns.interfaces import Seen
from quantumd.edge.nft.interfaces import Change, Kind, Name, Place, Ruleset
from quantumd.l3.desired import DesiredRouter
from quantumd.l3.features.nat import FAMILY, FLOATING
from quantumd.l3.names import GATEWAY
from quantumd.l3.steps import ChangeFilters, Deed, EndTranslated

ENDING: Final[Name] = (FAMILY, "ending")
"""The set of outer addresses whose connections have to end. It is there until they have ended."""
_KIND: Final = Kind("type ipv4_addr;")


def filter_deeds(desired: DesiredRouter, inside: Seen, filters: Ruleset) -> Iterator[Deed]:
    """Yield what makes filters as desired; connections end at once, whatever comes behind."""
    change, ending = filters_change(desired, filters), frozenset(_ending(desired, inside, filters))
    if ending:
        change = _with_ending(change, ending)
    if not change.is_nothing:
        yield ChangeFilters(change)
    if ending:
        yield EndTranslated(ending)
        yield ChangeFilters(Change(gone_sets=frozenset({ENDING})))


def _with_ending(change: Change, ending: frozenset[str]) -> Change:
    places: dict[Place, str] = {(*ENDING, each): "" for each in ending}
    return evolve(
        change,
        sets={**change.sets, ENDING: _KIND},
        elements={**change.elements, **places},
        gone_sets=change.gone_sets - {ENDING},
    )


def _ending(desired: DesiredRouter, inside: Seen, filters: Ruleset) -> Iterator[str]:
    """Yield the outer addresses that are gone, or lead elsewhere than before, and those that had to end before."""
    for place, value in filters.elements.items():
        if place[:2] == (FAMILY, FLOATING) and desired.filters.elements.get(place) != value:
            yield place[2]
        if place[:2] == ENDING:
            yield place[2]
    for each in inside.addresses - desired.addressing.addresses:
        # Only addresses of IPv4 are translated.
        if each.device.startswith(GATEWAY) and ":" not in each.address:
            yield each.address.partition("/")[0]


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
    )
