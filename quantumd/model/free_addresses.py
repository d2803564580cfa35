"""The search for free addresses: cheap in an empty subnet, in a crowded one, and in one that is full.

A few neighbouring addresses are read at a random place, and at another one when all of them are taken; nearly always
some are free. When they are not, the subnet is crowded, and what is taken is counted, in halves: a count costs far less
than reading, and a full range is left at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from attrs import frozen

from quantumd.model.addresses import Pool

PROBES = 16
"""At how many places to look before counting."""

WINDOW = 16
"""How many neighbouring addresses are read at one place; twice as many as are wanted when that is more."""

LEAF = 512
"""A range of at most this many addresses is read, not halved."""


@frozen
class Occupancy:
    """What is taken: the ``numbers`` in a range (others in the answer do no harm), and how many there are in it.

    The count may leave out addresses that are only spoken for; the numbers do not.
    """

    numbers: Callable[[Pool], Collection[int]]
    count: Callable[[Pool], int]


def free_numbers(pools: Sequence[Pool], occupancy: Occupancy, starts: Iterable[int], wanted: int = 1) -> list[int]:
    """Return ``wanted`` free addresses of the pools, fewer when there are no more.

    :param starts: where to look first, each a number of any size that counts over all pools; with a single one of 0 the
        lowest free addresses are found.
    """
    total = sum(pool.size for pool in pools)
    if not total:
        return []
    found: list[int] = []
    first = 0
    for at, start in enumerate(starts):
        first = start if at == 0 else first
        window = _window(pools, start % total, max(WINDOW, 2 * wanted))
        found += _read(window, occupancy, wanted - len(found), found)
        if len(found) >= wanted:
            return found
    for piece in pieces_from(pools, first):
        found += _halved(piece, occupancy, wanted - len(found), occupancy.count(piece), found)
        if len(found) >= wanted:
            break
    return found


def _window(pools: Sequence[Pool], offset: int, width: int) -> Pool:
    for pool in pools:
        if offset < pool.size:
            first = pool.first + offset
            return Pool(pool.version, first, min(first + width - 1, pool.last))
        offset -= pool.size
    raise IndexError(offset)


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


def _halved(piece: Pool, occupancy: Occupancy, wanted: int, taken: int, besides: Sequence[int]) -> list[int]:
    """Return free addresses of a range in which so many are taken."""
    if taken >= piece.size:
        return []
    if piece.size <= LEAF:
        return _read(piece, occupancy, wanted, besides)
    middle = (piece.first + piece.last) // 2
    left, right = Pool(piece.version, piece.first, middle), Pool(piece.version, middle + 1, piece.last)
    in_left = occupancy.count(left)
    found = _halved(left, occupancy, wanted, in_left, besides)
    if len(found) < wanted:
        found += _halved(right, occupancy, wanted - len(found), taken - in_left, besides)
    return found


def _read(piece: Pool, occupancy: Occupancy, wanted: int, besides: Sequence[int]) -> list[int]:
    taken = occupancy.numbers(piece)
    found: list[int] = []
    for number in range(piece.first, piece.last + 1):
        if len(found) >= wanted:
            break
        if number not in taken and number not in besides:
            found.append(number)
    return found
