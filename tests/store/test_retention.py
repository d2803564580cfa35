"""The journal is kept to its age and size, and never pruned past a cursor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.store import retention
from quantumd.store.journal import add_cursor, read_after
from quantumd.store.memory import MemoryStore
from quantumd.store.retention import BATCH, Retention, journal_size, prunable, prune
from tests.contracts.store import note

EVERYTHING = 10**9
LONG_AGO = "2000-01-01T00:00:00Z"
FAR_OFF = "2100-01-01T00:00:00Z"


class PruneTests(SynchronousTestCase):
    """Which rows go. The rows are written at the beginning of 2026."""

    def setUp(self) -> None:
        """Write 30 rows."""
        self.store = MemoryStore()
        self.successResultOf(self.store.write(lambda t: [note(t) for _ in range(30)]))

    def _do(self, work: Callable[[Connection], Any]) -> Any:
        return self.successResultOf(self.store.write(lambda transaction: work(transaction.connection)))

    def test_old_rows_go(self) -> None:
        """Rows that are too old go once every cursor has passed them."""
        self._do(lambda c: add_cursor(c, "x", 30))
        self.assertEqual(self._do(lambda c: prunable(c, FAR_OFF, EVERYTHING)), 30)
        self.assertEqual(self._do(lambda c: prunable(c, LONG_AGO, EVERYTHING)), 0)

    def test_the_slowest_cursor_holds_the_journal(self) -> None:
        """Nothing after the slowest cursor goes, however old and large it is."""
        self._do(lambda c: add_cursor(c, "fast", 30))
        self._do(lambda c: add_cursor(c, "slow", 12))
        self.assertEqual(self._do(lambda c: prunable(c, FAR_OFF, 0)), 12)

    def test_a_cursor_made_meanwhile_is_respected(self) -> None:
        """The slowest cursor is looked at again in the transaction that removes."""
        self._do(lambda c: add_cursor(c, "x", 30))
        self._do(lambda c: add_cursor(c, "new", 4))
        self.assertEqual(self._do(lambda c: prune(c, 30)), 4)
        self.assertEqual(self._do(lambda c: read_after(c, 0, 1)[0].position), 5)

    def test_without_cursors_nothing_goes(self) -> None:
        """Before the first consumer has made its cursor the journal is kept whole."""
        self.assertEqual(self._do(lambda c: prunable(c, FAR_OFF, 0)), 0)
        self.assertEqual(self._do(lambda c: prune(c, 30)), 0)

    def test_a_large_journal_loses_its_oldest_rows(self) -> None:
        """Of a journal that is too large as many rows go as are too many, the oldest first."""
        self._do(lambda c: add_cursor(c, "x", 30))
        size = self._do(journal_size)
        self.assertEqual(size.rows, 30)
        self.assertEqual(self._do(lambda c: prunable(c, LONG_AGO, size.bytes * 2 // 3)), 10)

    def test_the_size_is_about_right(self) -> None:
        """The estimate is near what the texts take, for rows of different sizes."""
        big = {"text": "x" * 1000}
        row: dict[str, Any] = dict.fromkeys(("resource", "resource_id", "project_id", "request_id", "operation"), "r")
        self._do(lambda c: add_cursor(c, "x", 0))
        self.successResultOf(self.store.write(lambda t: [t.journal(**row, after=big) for _ in range(970)]))
        self.assertTrue(0.9 < self._do(journal_size).bytes / (970 * 1070) < 1.1)

    def test_an_empty_journal_has_no_size(self) -> None:
        """Nothing is to be pruned of nothing."""
        self._do(lambda c: add_cursor(c, "x", 30))
        self._do(lambda c: prune(c, 30))
        self.assertEqual(self._do(journal_size), retention.JournalSize(0, 0))
        self.assertEqual(self._do(lambda c: prunable(c, FAR_OFF, 0)), 0)


class RetentionTests(SynchronousTestCase):
    """The service."""

    def setUp(self) -> None:
        """Write more rows than one batch removes."""
        self.store = MemoryStore()
        self.clock = Clock()
        self.successResultOf(self.store.write(lambda t: [note(t) for _ in range(BATCH + 20)]))
        self.successResultOf(self.store.write(lambda t: add_cursor(t.connection, "x", BATCH + 10)))
        late = datetime(2027, 1, 1, tzinfo=UTC)
        self.retention = Retention(self.clock, self.store, 3600, EVERYTHING, 60.0, 0.25, lambda: late)
        self.retention.startService()

    def _first(self) -> int:
        return self.successResultOf(self.store.read(lambda c: read_after(c, 0, 1)[0].position))

    def test_it_works_in_batches_with_rests(self) -> None:
        """One batch at a time is removed, with a rest between, until what is left is to be kept."""
        self.assertEqual(self._first(), 1)
        self.clock.advance(60)
        self.assertEqual(self._first(), BATCH + 1)
        self.clock.advance(0.25)
        self.assertEqual(self._first(), BATCH + 11)

    def test_it_stops(self) -> None:
        """After a stop nothing is left to run."""
        self.clock.advance(60)
        self.successResultOf(self.retention.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])
