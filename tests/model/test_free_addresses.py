"""The search for free addresses."""

from __future__ import annotations

from collections.abc import Collection

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.addresses import Pool
from quantumd.model.free_addresses import LEAF, WINDOW, Occupancy, free_numbers

LARGE = (Pool(4, 0, 65_535),)


class Counting:
    """A database that counts what it is asked: all but ``free`` is taken."""

    def __init__(self, free: Collection[int] = ()) -> None:
        self.free = frozenset(free)
        self.read = 0
        self.counted = 0

    @property
    def occupancy(self) -> Occupancy:
        """What the search asks."""
        return Occupancy(self._numbers, self._count)

    def _numbers(self, piece: Pool) -> set[int]:
        self.read += piece.size
        return set(range(piece.first, piece.last + 1)) - self.free

    def _count(self, piece: Pool) -> int:
        self.counted += 1
        return piece.size - sum(number in piece for number in self.free)


class SearchTests(SynchronousTestCase):
    """What is found, and what it costs."""

    def test_start_decides(self) -> None:
        """The address at the start is found when it is free."""
        pools = (Pool(4, 10, 19), Pool(4, 30, 39))
        self.assertEqual(free_numbers(pools, Occupancy(lambda _: (), lambda _: 0), (12,)), [32])

    def test_search_wraps_around(self) -> None:
        """After the last address comes the first."""
        self.assertEqual(free_numbers((Pool(4, 10, 19),), Counting(range(10, 18)).occupancy, (8,)), [10])

    def test_lowest_ones_are_found_from_zero(self) -> None:
        """Where a single start is the first address."""
        self.assertEqual(free_numbers(LARGE, Counting([300, 50_000]).occupancy, (0,), 2), [300, 50_000])

    def test_another_place_is_tried(self) -> None:
        """A crowded neighbourhood costs a look, no more."""
        database = Counting(range(30_000, 31_000))
        self.assertEqual(free_numbers(LARGE, database.occupancy, (5, 60_000, 30_500)), [30_500])
        self.assertEqual((database.read, database.counted), (3 * WINDOW, 0))

    def test_many_are_found_at_once(self) -> None:
        """A request for a hundred ports looks once, and not far."""
        database = Counting(range(65_536))
        self.assertEqual(free_numbers(LARGE, database.occupancy, (1000,), 100), list(range(1000, 1100)))
        self.assertEqual((database.read, database.counted), (200, 0))

    def test_full_pool_is_counted_not_read(self) -> None:
        """One count tells that nothing is left."""
        database = Counting()
        self.assertEqual(free_numbers(LARGE, database.occupancy, (0,)), [])
        self.assertEqual((database.read, database.counted), (WINDOW, 1))

    def test_last_free_address_is_found_by_halves(self) -> None:
        """A handful of counts leads to it."""
        database = Counting([60_000])
        self.assertEqual(free_numbers(LARGE, database.occupancy, (0,)), [60_000])
        self.assertLessEqual(database.read, WINDOW + LEAF)
        self.assertLess(database.counted, 16)

    def test_no_pool_no_address(self) -> None:
        """A subnet may have none."""
        self.assertEqual(free_numbers((), Counting().occupancy, (7,)), [])
