"""What differs between what keys ask for and what the kernel holds. Pure: values in, changes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field, frozen

from quantumd.converge.plan import Key
from quantumd.edge.netlink.interfaces import Fdb
from quantumd.edge.nft.interfaces import Change, Name, Place, Ruleset
from quantumd.l2.drivers.linuxbridge.desired import NONE, Objects, joined


@frozen
class EntryChange:
    """Entries of bridges that come and go."""

    put: frozenset[Fdb] = frozenset()
    gone: frozenset[Fdb] = frozenset()

    @property
    def is_nothing(self) -> bool:
        """Whether nothing changes."""
        return not (self.put or self.gone)


@define
class Held:
    """What the kernel holds as far as is known, and what each key's last executed plan asked for."""

    chains: dict[Name, str] = field(factory=dict)
    sets: set[Name] = field(factory=set)
    elements: dict[Place, str] = field(factory=dict)
    entries: set[Fdb] = field(factory=set)
    owned: dict[Key, Objects] = field(factory=dict)

    @classmethod
    def read(cls, ruleset: Ruleset, entries: Iterable[Fdb]) -> Held:
        """Begin with what was read back; nobody is known to have asked for it."""
        return cls(dict(ruleset.chains), set(ruleset.sets), dict(ruleset.elements), set(entries))

    def change(self, change: Change) -> None:
        """Note a change that the kernel has made."""
        self.sets.update(change.sets)
        self.chains.update((name, chain.digest) for name, chain in change.chains.items())
        for place in change.gone_elements:
            self.elements.pop(place, None)
        self.elements.update(change.elements)
        for name in change.gone_chains:
            self.chains.pop(name, None)
        for name in change.gone_sets:
            self.sets.discard(name)
            self.elements = {place: value for place, value in self.elements.items() if place[:2] != name}

    def change_entries(self, change: EntryChange) -> None:
        """Note entries that came and went."""
        self.entries -= change.gone
        self.entries |= change.put

    def own(self, key: Key, objects: Objects) -> None:
        """Note what a key's executed plan asked for."""
        if objects == NONE:
            self.owned.pop(key, None)
        else:
            self.owned[key] = objects

    def lost(self, now: Held) -> int:
        """Return how much that some key asked for is not there any more, or not as it was."""
        asked = joined(self.owned.values())
        return (
            sum(now.chains.get(name) != chain.digest for name, chain in asked.chains.items())
            + len(asked.sets.keys() - now.sets)
            + sum(now.elements.get(place) != value for place, value in asked.elements.items())
            + len(asked.entries - now.entries)
        )


def rules_for(held: Held, wanted: Mapping[Key, Objects]) -> Change:
    """Return what must change so that filters hold what these keys ask for, and no more what they asked for."""
    new, old = joined(wanted.values()), joined(held.owned.get(key, NONE) for key in wanted)
    elements = {place: value for place, value in new.elements.items() if held.elements.get(place) != value}
    gone_sets = frozenset(name for name in old.sets if name not in new.sets and name in held.sets)
    unwanted = {place: held.elements[place] for place in old.elements if _is_over(place, new, held, gone_sets)}
    # What has another value is taken out first.
    changed = {place: held.elements[place] for place in elements if place in held.elements}
    return Change(
        chains={name: chain for name, chain in new.chains.items() if held.chains.get(name) != chain.digest},
        sets={name: kind for name, kind in new.sets.items() if name not in held.sets},
        elements=elements,
        gone_chains=frozenset(name for name in old.chains if name not in new.chains and name in held.chains),
        gone_sets=gone_sets,
        gone_elements={**unwanted, **changed},
    )


def _is_over(place: Place, new: Objects, held: Held, gone_sets: frozenset[Name]) -> bool:
    return place not in new.elements and place in held.elements and place[:2] not in gone_sets


def entries_for(held: Held, wanted: Mapping[Key, Objects]) -> EntryChange:
    """Return which entries must come and go."""
    new, old = joined(wanted.values()), joined(held.owned.get(key, NONE) for key in wanted)
    return EntryChange(new.entries - held.entries, (old.entries - new.entries) & held.entries)


def sweep(held: Held, wanted: Iterable[Objects]) -> tuple[Change, EntryChange]:
    """Return what removes all that nobody wants."""
    asked = joined(wanted)
    gone_sets = frozenset(held.sets - asked.sets.keys())
    elements = {
        place: value
        for place, value in held.elements.items()
        if place not in asked.elements and place[:2] not in gone_sets
    }
    gone_chains = frozenset(held.chains.keys() - asked.chains.keys())
    rules = Change(gone_chains=gone_chains, gone_sets=gone_sets, gone_elements=elements)
    return rules, EntryChange(gone=frozenset(held.entries - asked.entries))


def together(changes: Iterable[Change]) -> Change:
    """Return one change that does what these do. What one removes and another puts is put."""
    some = tuple(changes)
    chains = {name: chain for each in some for name, chain in each.chains.items()}
    sets = {name: kind for each in some for name, kind in each.sets.items()}
    return Change(
        chains=chains,
        sets=sets,
        elements={place: value for each in some for place, value in each.elements.items()},
        gone_chains=frozenset(name for each in some for name in each.gone_chains if name not in chains),
        gone_sets=frozenset(name for each in some for name in each.gone_sets if name not in sets),
        gone_elements={place: value for each in some for place, value in each.gone_elements.items()},
    )
