"""A change of filters as a script for nft, which makes one transaction of it. Pure. Source: nft(8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from quantumd.edge.nft.interfaces import FAMILIES, TABLE, Chain, Change, Name, Place

MARK: Final = "quantumd"
"""Begins the comment of a chain's last rule; its digest and the number of its rules follow."""
_AT_ONCE = 500
"""Elements that one command names."""


def script(change: Change, families: Sequence[str] = FAMILIES) -> str:
    """Return the commands: what is named comes first, what names it goes first.

    :param families: those that have a table of ours, which is made if it is not there.
    """
    return "\n".join(_commands(change, families)) + "\n"


def removal() -> str:
    """Return the commands that leave nothing."""
    # Adding it first makes it harmless where there is none.
    return "\n".join(f"add table {each} {TABLE}\ndelete table {each} {TABLE}" for each in FAMILIES) + "\n"


def _commands(change: Change, families: Sequence[str]) -> Iterator[str]:
    yield from (f"add table {family} {TABLE}" for family in families)
    for (family, name), chain in change.chains.items():
        yield f"add chain {family} {TABLE} {name}" + (f" {{ {_hook(chain)} }}" if chain.hook else "")
    for (family, name), kind in change.sets.items():
        yield f"add {'map' if kind.is_map else 'set'} {family} {TABLE} {name} {{ {kind.of} }}"
    yield from (f"add counter {family} {TABLE} {name}" for family, name in sorted(change.counters))
    for (family, name), helper in change.helpers.items():
        said = f'type "{helper.kernel_name}" protocol {helper.protocol};'
        yield f"add ct helper {family} {TABLE} {name} {{ {said} }}"
    yield from _elements("delete", change.gone_elements)
    for family, name in change.gone_chains:
        yield f"flush chain {family} {TABLE} {name}"
    for of, chain in change.chains.items():
        yield from _rules(of, chain)
    yield from _elements("add", change.elements)
    # A map may lead to a chain that goes with it.
    yield from (f"delete set {family} {TABLE} {name}" for family, name in change.gone_sets)
    yield from (f"delete chain {family} {TABLE} {name}" for family, name in change.gone_chains)
    yield from (f"delete counter {family} {TABLE} {name}" for family, name in sorted(change.gone_counters))
    yield from (f"delete ct helper {family} {TABLE} {name}" for family, name in change.gone_helpers)


def _hook(chain: Chain) -> str:
    # Where none is named, a policy that somebody changed would stay.
    return chain.hook if "policy " in chain.hook else f"{chain.hook} policy accept;"


def _rules(of: Name, chain: Chain) -> Iterator[str]:
    family, name = of
    yield f"flush chain {family} {TABLE} {name}"
    for rule in chain.rules[:-1]:
        yield f"add rule {family} {TABLE} {name} {rule}"
    comment = f"{MARK} {chain.digest} {len(chain.rules)}"
    yield f'add rule {family} {TABLE} {name} {chain.rules[-1]} comment "{comment}"'


def _elements(verb: str, elements: Mapping[Place, str]) -> Iterator[str]:
    by_set: defaultdict[Name, list[str]] = defaultdict(list)
    for (family, name, key), value in elements.items():
        by_set[family, name].append(f"{key} : {value}" if value else key)
    for (family, name), texts in by_set.items():
        for at in range(0, len(texts), _AT_ONCE):
            yield f"{verb} element {family} {TABLE} {name} {{ {', '.join(texts[at : at + _AT_ONCE])} }}"
