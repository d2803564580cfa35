"""What every feature of routers is given, and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from quantumd.edge.netns.interfaces import Address, Route, Rule
from quantumd.edge.nft.interfaces import Chain, Helper, Kind, Name, Place

FAMILY: Final = "inet"
"""That of what routers filter."""


@frozen
class Filters:
    """What nft shall have in a router's namespace."""

    chains: Mapping[Name, Chain] = field(factory=dict)
    sets: Mapping[Name, Kind] = field(factory=dict)
    elements: Mapping[Place, str] = field(factory=dict)
    helpers: Mapping[Name, Helper] = field(factory=dict)
    counters: frozenset[Name] = frozenset()


def merged(some: Sequence[Filters]) -> Filters:
    """Return all of these; no two have anything of one name."""
    chains: dict[Name, Chain] = {}
    sets: dict[Name, Kind] = {}
    elements: dict[Place, str] = {}
    helpers: dict[Name, Helper] = {}
    for each in some:
        chains.update(each.chains)
        sets.update(each.sets)
        elements.update(each.elements)
        helpers.update(each.helpers)
    return Filters(chains, sets, elements, helpers, frozenset().union(*(each.counters for each in some)))


@frozen
class Addressing:
    """What a router answers to, where it sends what is for others, and for whom else it answers."""

    addresses: frozenset[Address] = frozenset()
    routes: frozenset[Route] = frozenset()
    rules: frozenset[Rule] = frozenset()
    proxied: frozenset[Address] = frozenset()
