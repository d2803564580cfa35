"""Which ports of floating IPs lead elsewhere than before: what goes by them has to end. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from attrs import frozen

from quantumd.edge.netns.interfaces import OuterPorts
from quantumd.edge.nft.interfaces import Place
from quantumd.l3.features.base import FAMILY
from quantumd.l3.features.forwarding import KINDS

_OUTSIDE: Final = re.compile(r"([0-9.]+) \. ([0-9]+) \. ([0-9]+)(?:-([0-9]+))?")
_INSIDE: Final = re.compile(r"([0-9.]+)(?: \. ([0-9]+))?")

_Elements = Mapping[Place, str]
_Where = tuple[str, int]
"""Address and protocol."""


@frozen
class _Led:
    """Ports from ``first`` to ``last`` that lead to a port of an address, or each to itself when that is None."""

    first: int
    last: int
    address: str
    port: int | None

    def target(self, first: int, last: int) -> tuple[str, int | None]:
        """Return where those of its ports lead: of several that each lead to themselves no port is named."""
        return self.address, first if self.port is None and first == last else self.port


def changed_ports(before: _Elements, after: _Elements, held: Collection[str]) -> frozenset[OuterPorts]:
    """Return the ports that lead elsewhere than before, or nowhere any more.

    Of the addresses that were ``held`` also those that led nowhere: what went there went to the router itself, and
    would go on so.
    """
    gone = _led(before, after)
    new = _led(after, before, frozenset(held) | {address for address, _ in gone})
    found = set()
    for where in gone.keys() | new.keys():
        old, now = gone.get(where, []), new.get(where, [])
        for first, last in _joined(_changed(old, now, is_held=where[0] in held)):
            found.add(OuterPorts(*where, first, last))
    return frozenset(found)


def _led(
    elements: _Elements, others: _Elements, addresses: Collection[str] | None = None
) -> Mapping[_Where, list[_Led]]:
    """Return where ports lead, in their order, by what they are of; what the others have too is left out.

    Of these ``addresses`` only, unless they are None.
    """
    found: defaultdict[_Where, list[_Led]] = defaultdict(list)
    for place, value in elements.items():
        is_meant = addresses is None or place[2].partition(" ")[0] in addresses
        if is_meant and place[0] == FAMILY and place[1] in KINDS and others.get(place) != value:
            outside, inside = _OUTSIDE.fullmatch(place[2]), _INSIDE.fullmatch(value)
            # What strangers wrote leads nobody's packets.
            if outside is not None and inside is not None:
                address, protocol, first, last = outside.groups()
                port = None if inside[2] is None else int(inside[2])
                found[address, int(protocol)].append(_Led(int(first), int(last or first), inside[1], port))
    for some in found.values():
        some.sort(key=lambda led: led.first)
    return found


def _changed(old: Sequence[_Led], now: Sequence[_Led], *, is_held: bool) -> Iterator[tuple[int, int]]:
    """Yield first and last of ports side by side that lead elsewhere."""
    cuts = {end for led in (*old, *now) for end in (led.first, led.last + 1)}
    # Where several lead to one port, this one leads to itself.
    gathered = (led.port for led in (*old, *now) if led.port is not None and led.first < led.last)
    cuts |= {end for port in gathered for end in (port, port + 1)}
    firsts = [led.first for led in old], [led.first for led in now]
    for first, beyond in pairwise(sorted(cuts)):
        was, comes = _at(old, firsts[0], first), _at(now, firsts[1], first)
        if was is None:
            is_changed = comes is not None and is_held
        else:
            ports = (first, beyond - 1)
            is_changed = comes is None or was.target(*ports) != comes.target(*ports)
        if is_changed:
            yield first, beyond - 1


def _at(leds: Sequence[_Led], firsts: Sequence[int], port: int) -> _Led | None:
    at = bisect_right(firsts, port) - 1
    return leds[at] if at >= 0 and port <= leds[at].last else None


def _joined(spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = next(spans, (0, -1))
    for first, last in spans:
        if first == end + 1:
            end = last
        else:
            yield start, end
            start, end = first, last
    if start <= end:
        yield start, end
