"""Ranges of VLAN ids, GRE keys and VNIs, and which of their ids networks are given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from attrs import evolve, frozen


@frozen
class SegmentRange:
    """Ids ``first`` to ``last`` (both included) of a network type, given to networks that name none.

    ``physical_network`` is '' for tunnels. ``project_id`` of None is every project.
    """

    network_type: str
    physical_network: str
    first: int
    last: int
    project_id: str | None = None

    def __len__(self) -> int:
        return self.last - self.first + 1

    def overlaps(self, other: SegmentRange) -> bool:
        """Whether an id is in both."""
        is_same = (self.network_type, self.physical_network) == (other.network_type, other.physical_network)
        return is_same and self.first <= other.last and other.first <= self.last


def parse_vlan_range(text: str) -> SegmentRange:
    """Parse ``physical_network:first:last``. ValueError with a sentence."""
    name, _, bounds = text.partition(":")
    first, _, last = bounds.partition(":")
    if not name or not first.isdigit() or not last.isdigit():
        raise ValueError(f"{text!r} is not physical_network:first:last.")
    return _within(text, SegmentRange("vlan", name, int(first), int(last)), 4094)


def parse_tunnel_range(text: str, network_type: str, largest: int) -> SegmentRange:
    """Parse ``first:last``, ids of a tunnel type up to ``largest``. ValueError with a sentence."""
    first, _, last = text.partition(":")
    if not first.isdigit() or not last.isdigit():
        raise ValueError(f"{text!r} is not first:last.")
    return _within(text, SegmentRange(network_type, "", int(first), int(last)), largest)


def _within(text: str, parsed: SegmentRange, largest: int) -> SegmentRange:
    if not 1 <= parsed.first <= parsed.last <= largest:
        raise ValueError(f"{text!r} is not a range within 1 to {largest}.")
    return parsed


def ranges_of_project(ranges: Iterable[SegmentRange], project_id: str) -> tuple[SegmentRange, ...]:
    """Return where a project's networks get ids, in the order in which the ranges are tried.

    First the project's own ranges, then what everybody has; of that, what is kept for other projects is left out.
    """
    every = tuple(ranges)
    own = tuple(each for each in every if each.project_id == project_id)
    foreign = tuple(each for each in every if each.project_id not in (None, project_id))
    shared = (each for each in every if each.project_id is None)
    return (*own, *(part for each in shared for part in without(each, foreign)))


def without(whole: SegmentRange, kept: Iterable[SegmentRange]) -> Iterator[SegmentRange]:
    """Yield what is left of a range when the others are taken out of it, in order."""
    first = whole.first
    for each in sorted((each for each in kept if each.overlaps(whole)), key=lambda each: each.first):
        if first < each.first:
            yield evolve(whole, first=first, last=each.first - 1)
        first = max(first, each.last + 1)
    if first <= whole.last:
        yield evolve(whole, first=first)


def choose_id(choice: SegmentRange, taken: Collection[int], bits: Callable[[int], int] | None = None) -> int | None:
    """Return an id of a small range that no network holds, or None: the lowest, or any when ``bits`` are given.

    ``bits(n)`` returns a random number of n bits. Who lost an id to another takes any, not the next, which is the one
    that everybody else who lost would try too.
    """
    free = [each for each in range(choice.first, choice.last + 1) if each not in taken]
    if not free:
        return None
    return free[0] if bits is None else free[bits(32) % len(free)]


def candidates(choice: SegmentRange, count: int, bits: Callable[[int], int]) -> tuple[int, ...]:
    """Return ids of a large range to try, picked at random; most of such a range is free."""
    return tuple(choice.first + bits(48) % len(choice) for _ in range(count))
