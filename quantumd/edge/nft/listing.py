"""What ``nft list table`` says, as a Ruleset. Pure. Source: nft(8).

The text is read line by line: nft's JSON is one value, and whoever parses a large one holds the whole process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

from attrs import define, evolve, field, frozen

from quantumd.edge.nft.interfaces import Count, Name, Place, Ruleset
from quantumd.edge.nft.script import MARK

_WORDS = 3
_HELPER, _COUNTER = "helper", "counter"
_BLOCKS = ("chain", "set", "map", _HELPER, _COUNTER)
_COUNTED = re.compile(r"packets (\d+) bytes (\d+)")
_HOOK = "type "
_ASLEEP, _DROPS = "\tflags dormant\n", "policy drop;"
"""How a table is that does nothing, and a chain that drops what no rule of it takes: so are none of ours."""


@frozen
class Listing:
    """A ruleset, and of each of its chains what its rules look like."""

    ruleset: Ruleset
    looks: Mapping[Name, str] = field(factory=dict)


@define
class Looks:
    """What chains looked like when they were first read with a digest: one that looks otherwise since was changed."""

    _first: dict[Name, tuple[str, str]] = field(factory=dict)
    """Digests, and looks."""

    def forget(self, names: Iterable[Name]) -> None:
        """Forget chains that are written anew, or go."""
        for name in names:
            self._first.pop(name, None)

    def judge(self, listing: Listing) -> Ruleset:
        """Return the ruleset of a listing, without digests of chains that were changed."""
        chains = dict(listing.ruleset.chains)
        for name, digest in listing.ruleset.chains.items():
            look = listing.looks[name]
            known, first = self._first.setdefault(name, (digest, look))
            if known != digest:
                self._first[name] = (digest, look)
            elif first != look:
                chains[name] = ""
        return evolve(listing.ruleset, chains=chains)


@define
class _Block:
    """A chain, set, map, helper or counter, with the lines in it."""

    kind: str
    name: Name
    lines: list[str] = field(factory=list)


def read_listing(texts: Mapping[str, str]) -> Listing:
    """Return what the listings of tables, by family, say; ValueError when they are of no form known here."""
    chains: dict[Name, str] = {}
    looks: dict[Name, str] = {}
    sets: set[Name] = set()
    helpers: set[Name] = set()
    elements: dict[Place, str] = {}
    counters: dict[Name, Count] = {}
    for family, text in texts.items():
        is_asleep = _ASLEEP in text
        for block in _blocks(family, text):
            if block.kind == "chain":
                is_off = is_asleep or any(_DROPS in line for line in block.lines if line.startswith(_HOOK))
                rules = [line for line in block.lines if not line.startswith(_HOOK)]
                chains[block.name], looks[block.name] = "" if is_off else _digest(rules), _look(rules)
            elif block.kind == _HELPER:
                helpers.add(block.name)
            elif block.kind == _COUNTER:
                found = _COUNTED.search(" ".join(block.lines))
                counters[block.name] = Count(int(found[1]), int(found[2])) if found else Count()
            else:
                sets.add(block.name)
                elements.update(_elements(block))
    return Listing(Ruleset(chains, frozenset(sets), elements, frozenset(helpers), counters), looks)


def _blocks(family: str, text: str) -> Iterator[_Block]:
    block: _Block | None = None
    for line in map(str.strip, text.splitlines()):
        words = line.removeprefix("ct ").split(maxsplit=2)
        if block is not None:
            if line == "}":
                yield block
                block = None
            else:
                block.lines.append(line)
        elif len(words) == _WORDS and words[0] in _BLOCKS and words[2] == "{":
            block = _Block(words[0], (family, words[1]))
    if block is not None:
        raise ValueError(f"{block.kind} {block.name[1]} does not end")


def _digest(rules: list[str]) -> str:
    """Return what the comment of the last rule says, if there are as many rules as it says."""
    comment = rules[-1].rpartition('comment "')[2].rstrip('"') if rules else ""
    words = comment.split()
    return words[1] if len(words) == _WORDS and words[0] == MARK and words[2] == str(len(rules)) else ""


def _look(rules: Iterable[str]) -> str:
    return blake2b("\n".join(rules).encode(), digest_size=8).hexdigest()


def _elements(block: _Block) -> Iterator[tuple[Place, str]]:
    said = " ".join(block.lines).partition("elements = {")[2].partition("}")[0]
    for element in filter(None, map(str.strip, said.split(","))):
        key, _, value = element.partition(" : ")
        yield (*block.name, key.strip()), value.strip()
