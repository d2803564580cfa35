"""Filters in memory: a dictionary of what there is, and no packets."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from quantumd.edge.nft.interfaces import Chain, Change, Count, Helper, INft, Kind, Name, Place, Ruleset
from quantumd.errors import EdgeError


@implementer(INft)
@define(eq=False)
class MemoryNft:
    """See INft. ``flush`` is what a stranger does; ``changes`` are those that were made."""

    chains: dict[Name, Chain] = field(factory=dict, init=False)
    sets: dict[Name, Kind] = field(factory=dict, init=False)
    elements: dict[Place, str] = field(factory=dict, init=False)
    counters: dict[Name, Count] = field(factory=dict, init=False)
    helpers: dict[Name, Helper] = field(factory=dict, init=False)
    changes: list[Change] = field(factory=list, init=False)
    trouble: str = ""
    """Why nothing can be changed."""
    _listeners: list[Callable[[], None]] = field(factory=list, init=False)

    def start(self) -> None:
        """See INft."""

    def stop(self) -> None:
        """See INft."""

    def read(self) -> Deferred[Ruleset]:
        """See INft."""
        digests = {name: chain.digest for name, chain in self.chains.items()}
        known = Ruleset(
            digests, frozenset(self.sets), dict(self.elements), frozenset(self.helpers), dict(self.counters)
        )
        return succeed(known)

    def apply(self, change: Change) -> Deferred[None]:
        """See INft."""
        why = self.trouble or self._wrong(change)
        if why:
            return fail(EdgeError(why))
        self.changes.append(change)
        self.chains.update(change.chains)
        self.sets.update(change.sets)
        self.helpers.update(change.helpers)
        for place in change.gone_elements:
            self.elements.pop(place, None)
        self.elements.update(change.elements)
        for name in change.counters:
            self.counters.setdefault(name, Count())
        for name in change.gone_counters:
            self.counters.pop(name, None)
        for name in change.gone_chains:
            self.chains.pop(name, None)
        for name in change.gone_sets:
            self.sets.pop(name, None)
            self.elements = {place: value for place, value in self.elements.items() if place[:2] != name}
        for name in change.gone_helpers:
            self.helpers.pop(name, None)
        return succeed(None)

    def on_foreign_change(self, listener: Callable[[], None]) -> None:
        """See INft."""
        self._listeners.append(listener)

    def flush(self) -> None:
        """Remove everything, as a stranger."""
        self.chains.clear()
        self.sets.clear()
        self.elements.clear()
        self.counters.clear()
        self.helpers.clear()
        for listener in tuple(self._listeners):
            listener()

    def _wrong(self, change: Change) -> str:
        """Return why the kernel would refuse a change."""
        sets, chains = self.sets.keys() | change.sets.keys(), self.chains.keys() | change.chains.keys()
        for family, name, _ in change.elements:
            if (family, name) not in sets:
                return f"there is no set {name}"
        for (family, _, _), value in change.elements.items():
            target = value.partition("goto ")[2]
            if target and (family, target) not in chains:
                return f"there is no chain {target}"
        helpers = self.helpers.keys() | change.helpers.keys()
        for (family, _), chain in change.chains.items():
            for rule in chain.rules:
                helper = rule.partition('ct helper set "')[2].rstrip('"')
                if helper and (family, helper) not in helpers:
                    return f"there is no helper {helper}"
        gone = [place for place in change.gone_elements if place not in self.elements]
        return f"there is no element {gone[0]}" if gone else ""
