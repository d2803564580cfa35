"""Subnet pools: their prefixes as sets of addresses, the bounds of prefix lengths, and the choice of a free prefix.

Prefixes of a pool are of one IP version. Ranges are pairs of numbers, first and last address, both included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from attrs import frozen

from quantumd.model.addresses import Prefix, address_text, prefix_of

Range = tuple[int, int]

ADDRESS_BITS: Final[Mapping[int, int]] = MappingProxyType({4: 32, 6: 128})
"""How long a prefix can be, by IP version."""

DEFAULT_MIN_PREFIXLEN: Final[Mapping[int, int]] = MappingProxyType({4: 8, 6: 64})
"""The shortest prefix that a pool gives unless it says so, by IP version. Source: Neutron 29."""

QUOTA_UNIT: Final[Mapping[int, int]] = MappingProxyType({4: 32, 6: 64})
"""The prefix length that quotas of pools count: IPv4 addresses, IPv6 /64s. Source: Neutron 29."""


@frozen
class Bounds:
    """The prefix lengths that a pool gives: from ``minimum`` (the largest prefix) to ``maximum``."""

    minimum: int
    maximum: int
    default: int


@frozen
class BoundsFault:
    """Why bounds cannot be: ``name`` of ``length`` is on the wrong side of ``base_name`` of ``base_length``."""

    name: str
    length: int
    base_name: str
    base_length: int


def bounds_of(ip_version: int, minimum: int | None, maximum: int | None, default: int | None) -> Bounds:
    """Return the bounds of a pool; what is not named (None) follows from the IP version and from the minimum."""
    low = DEFAULT_MIN_PREFIXLEN[ip_version] if minimum is None else minimum
    high = ADDRESS_BITS[ip_version] if maximum is None else maximum
    return Bounds(low, high, low if default is None else default)


def bounds_fault(ip_version: int, bounds: Bounds) -> BoundsFault | None:
    """Return why a pool cannot have these bounds, None when it can. Source: Neutron 29, in its order."""
    if bounds.minimum > bounds.maximum:
        return BoundsFault("min_prefixlen", bounds.minimum, "max_prefixlen", bounds.maximum)
    if bounds.maximum > ADDRESS_BITS[ip_version]:
        return BoundsFault("max_prefixlen", bounds.maximum, "ip_version_max", ADDRESS_BITS[ip_version])
    if bounds.default < bounds.minimum:
        return BoundsFault("default_prefixlen", bounds.default, "min_prefixlen", bounds.minimum)
    if bounds.default > bounds.maximum:
        return BoundsFault("default_prefixlen", bounds.default, "max_prefixlen", bounds.maximum)
    return None


def compacted(ip_version: int, cidrs: Iterable[str]) -> list[str]:
    """Return the fewest prefixes that hold the same addresses, in the order of addresses."""
    return [str_of(ip_version, *prefix) for each in ranges_of(cidrs) for prefix in _prefixes_within(ip_version, each)]


def without(ip_version: int, cidrs: Iterable[str], removed: Iterable[str]) -> list[str]:
    """Return the fewest prefixes that hold the addresses of ``cidrs`` that are not in ``removed``."""
    return [str_of(ip_version, *each) for each in _free_prefixes(ip_version, cidrs, removed)]


def covers(cidrs: Iterable[str], others: Iterable[str]) -> bool:
    """Whether every address of the others is in the cidrs."""
    ranges = ranges_of(cidrs)
    return all(any(low <= first and last <= high for low, high in ranges) for first, last in ranges_of(others))


def is_overlapping(cidrs: Iterable[str], others: Iterable[str]) -> bool:
    """Whether the two share an address."""
    ranges = ranges_of(others)
    return any(first <= high and low <= last for low, high in ranges_of(cidrs) for first, last in ranges)


def quota_units(ip_version: int, prefixlen: int) -> float:
    """Return what a prefix of this length counts; one that is longer than the unit counts a part of it."""
    return float(2 ** (QUOTA_UNIT[ip_version] - prefixlen))


def choose_prefix(ip_version: int, cidrs: Sequence[str], taken: Iterable[str], prefixlen: int) -> str | None:
    """Return a free prefix of the length, None when there is none.

    It is cut from the smallest free prefix that holds it, the first of those, so that large ones stay whole.
    """
    fitting = [each for each in _free_prefixes(ip_version, cidrs, taken) if each[1] <= prefixlen]
    if not fitting:
        return None
    first, _ = max(fitting, key=lambda each: (each[1], -each[0]))
    return str_of(ip_version, first, prefixlen)


def is_free(cidrs: Iterable[str], taken: Iterable[str], wanted: str) -> bool:
    """Whether the whole prefix is in the pool's and shares no address with one that is taken."""
    return covers(cidrs, [wanted]) and not is_overlapping(taken, [wanted])


def str_of(ip_version: int, first: int, prefixlen: int) -> str:
    """Return the text of a prefix."""
    return f"{address_text(ip_version, first)}/{prefixlen}"


def ranges_of(cidrs: Iterable[str]) -> list[Range]:
    """Return the addresses of prefixes as ranges in order, none of which touches the next."""
    merged: list[Range] = []
    for first, last in sorted(_range(prefix_of(cidr)) for cidr in cidrs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _range(prefix: Prefix) -> Range:
    return int(prefix.network_address), int(prefix.broadcast_address)


def _free_prefixes(ip_version: int, cidrs: Iterable[str], taken: Iterable[str]) -> Iterator[tuple[int, int]]:
    for each in _difference(ranges_of(cidrs), ranges_of(taken)):
        yield from _prefixes_within(ip_version, each)


def _difference(ranges: Iterable[Range], removed: Sequence[Range]) -> Iterator[Range]:
    """Yield what of the ranges is in none of the removed; both are in order."""
    at = 0
    for first, last in ranges:
        while at < len(removed) and removed[at][1] < first:
            at += 1
        here = at
        while here < len(removed) and removed[here][0] <= last:
            if first < removed[here][0]:
                yield first, removed[here][0] - 1
            first = removed[here][1] + 1
            here += 1
        if first <= last:
            yield first, last


def _prefixes_within(ip_version: int, addresses: Range) -> Iterator[tuple[int, int]]:
    """Yield (first address, length) of the fewest prefixes that are a range, in order."""
    bits = ADDRESS_BITS[ip_version]
    first, last = addresses
    while first <= last:
        aligned = (first & -first).bit_length() - 1 if first else bits
        size = min(aligned, (last - first + 1).bit_length() - 1)
        yield first, bits - size
        first += 1 << size
