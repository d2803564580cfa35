"""What ``nft -j list table`` says, as a Ruleset. Pure. Source: libnftables-json(5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from attrs import field, frozen

from quantumd.edge.nft.interfaces import TABLE, Name, Place, Ruleset
from quantumd.edge.nft.script import MARK

_WORDS = 3


@frozen
class Listing:
    """A ruleset, and of each of its chains what its rules look like."""

    ruleset: Ruleset
    looks: Mapping[Name, str] = field(factory=dict)


def read_listing(texts: Iterable[str]) -> Listing:
    """Return what listings of tables say; ValueError when they are of no form known here."""
    rules: dict[Name, list[Any]] = {}
    sets: set[Name] = set()
    elements: dict[Place, str] = {}
    for item in _items(texts):
        ((what, said),) = item.items()
        if what == "chain":
            rules.setdefault((said["family"], said["name"]), [])
        elif what == "rule":
            rules.setdefault((said["family"], said["chain"]), []).append(said)
        elif what in ("set", "map"):
            sets.add((said["family"], said["name"]))
            elements.update(_elements(said))
    chains = {name: _digest(of_chain) for name, of_chain in rules.items()}
    return Listing(Ruleset(chains, frozenset(sets), elements), {name: _look(some) for name, some in rules.items()})


def _items(texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    for text in texts:
        for item in json.loads(text)["nftables"]:
            said = next(iter(item.values()))
            if said.get("table") == TABLE:
                yield item


def _digest(rules: list[Any]) -> str:
    """Return what the comment of the last rule says, if there are as many rules as it says."""
    words = str(rules[-1].get("comment", "")).split() if rules else []
    is_whole = len(words) == _WORDS and words[0] == MARK and words[2] == str(len(rules))
    return words[1] if is_whole else ""


def _look(rules: list[Any]) -> str:
    said = json.dumps([rule.get("expr") for rule in rules])
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _elements(said: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for element in said.get("elem", ()):
        key, value = element if isinstance(element, list) else (element, "")
        yield (said["family"], said["name"], _key(key, said.get("type"))), _value(value, said.get("map"))


def _key(key: Any, kind: Any) -> str:
    if isinstance(key, dict) and "concat" in key:
        kinds = kind if isinstance(kind, list) else [kind] * len(key["concat"])
        return " . ".join(_key(part, of) for part, of in zip(key["concat"], kinds, strict=False))
    if isinstance(key, dict) and "prefix" in key:
        return f"{key['prefix']['addr']}/{key['prefix']['len']}"
    if kind == "ifname":
        return f'"{key}"'
    return _number(key) if isinstance(key, int) else str(key)


def _value(value: Any, kind: Any) -> str:
    if isinstance(value, dict):
        ((verdict, target),) = value.items()
        return f"{verdict} {target['target']}"
    if isinstance(value, int):
        return _number(value) if kind == "mark" else str(value)
    return str(value)


def _number(value: int) -> str:
    return f"0x{value:08x}"
