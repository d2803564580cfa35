"""The search for free addresses: cheap in an empty subnet, in a crowded one, and in one that is full.

A few neighbouring addresses are read first, from a random one on; nearly always one of them is free. When they are
not, what is taken is counted, in halves: a count costs far less than reading, and a full range is left at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from attrs import frozen

from quantumd.model.addresses import Pool

WINDOWS = (64, 256, 1024)
"""How many neighbouring addresses are read at first, then, and at last."""


@frozen
class Occupancy:
    """What is taken: the ``numbers`` in a range (others in the answer do no harm), and how many there are in it.

    The count may leave out addresses that are only spoken for; the numbers do not.
    """

    numbers: Callable[[Pool], Collection[int]]
    count: Callable[[Pool], int]


def free_numbers(pools: Sequence[Pool], occupancy: Occupancy, start: int, wanted: int = 1) -> list[int]:
    """Return ``wanted`` free addresses of the pools, fewer when there are no more.

    Looks from the ``start``-th address of all pools (a number of any size) and goes on at the front.
    """
    found: list[int] = []
    for piece in pieces_from(pools, start):
        found += _free_in(piece, occupancy, wanted - len(found))
        if len(found) >= wanted:
            break
    return found


def pieces_from(pools: Sequence[Pool], start: int) -> Iterator[Pool]:
    """Yield ranges that cover every address of the pools once, beginning at the ``start``-th."""
    total = sum(pool.size for pool in pools)
    if not total:
        return
    offset = start % total
    before: list[Pool] = []
    passed = 0
    for pool in pools:
        cut = min(max(offset - passed, 0), pool.size)
        if cut:
            before.append(Pool(pool.version, pool.first, pool.first + cut - 1))
        if cut < pool.size:
            yield Pool(pool.version, pool.first + cut, pool.last)
        passed += pool.size
    yield from before


def _free_in(piece: Pool, occupancy: Occupancy, wanted: int) -> list[int]:
    found: list[int] = []
    first = piece.first
    for width in WINDOWS:
        last = min(first + max(width, 2 * wanted) - 1, piece.last)
        found += _read(Pool(piece.version, first, last), occupancy, wanted - len(found))
        first = last + 1
        if len(found) >= wanted or first > piece.last:
            return found
    return found + _halved(Pool(piece.version, first, piece.last), occupancy, wanted - len(found))


def _halved(piece: Pool, occupancy: Occupancy, wanted: int) -> list[int]:
    if occupancy.count(piece) >= piece.size:
        return []
    if piece.size <= WINDOWS[-1]:
        return _read(piece, occupancy, wanted)
    middle = (piece.first + piece.last) // 2
    found = _halved(Pool(piece.version, piece.first, middle), occupancy, wanted)
    if len(found) < wanted:
        found += _halved(Pool(piece.version, middle + 1, piece.last), occupancy, wanted - len(found))
    return found


def _read(piece: Pool, occupancy: Occupancy, wanted: int) -> list[int]:
    taken = occupancy.numbers(piece)
    found: list[int] = []
    for number in range(piece.first, piece.last + 1):
        if len(found) >= wanted:
            break
        if number not in taken:
            found.append(number)
    return found
