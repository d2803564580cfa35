"""The journal is read in commit order; cursors and leases are durable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.trial.unittest import SynchronousTestCase

from quantumd.store import journal
from quantumd.store.errors import LeaseLost
from quantumd.store.journal import Cursor, JournalRow
from quantumd.store.memory import MemoryStore
from quantumd.store.transaction import Transaction
from tests.contracts.store import note

NOON, LATER = "2026-01-01T12:00:00Z", "2026-01-01T12:01:00Z"


class JournalTests(SynchronousTestCase):
    """quantumd.store.journal."""

    def setUp(self) -> None:
        """Make an empty store."""
        self.store = MemoryStore()

    def _write(self, work: Callable[[Transaction], Any]) -> Any:
        return self.successResultOf(self.store.write(work))

    def _do(self, work: Callable[[Connection], Any]) -> Any:
        return self._write(lambda transaction: work(transaction.connection))

    def test_a_row_is_read_as_it_was_written(self) -> None:
        """All that was passed is kept, the values as JSON text."""
        self._write(note)
        (row,) = self._do(lambda c: journal.read_after(c, 0, 10))
        now = "2026-01-01T00:00:00Z"
        self.assertEqual(row, JournalRow(1, now, "network", "n1", "p1", "req-1", "create", None, '{"id":"n1"}'))

    def test_rows_come_in_order_and_in_pages(self) -> None:
        """At most ``limit`` rows after a position."""
        for _ in range(5):
            self._write(note)
        self.assertEqual([row.position for row in self._do(lambda c: journal.read_after(c, 1, 3))], [2, 3, 4])
        self.assertEqual(self._do(journal.last_position), 5)

    def test_a_cursor_is_made_once(self) -> None:
        """Making a cursor again leaves it where it is."""
        self._do(lambda c: journal.add_cursor(c, "x", 3))
        self._do(lambda c: journal.add_cursor(c, "x", 0))
        self.assertEqual(self._do(journal.all_cursors), (Cursor("x", 3, None, None),))

    def test_a_lease_has_one_holder(self) -> None:
        """While the lease of one holder runs nobody else gets it; its holder gets it again."""
        self._do(lambda c: journal.add_cursor(c, "x"))
        self.assertIsNotNone(self._do(lambda c: journal.take_lease(c, "x", "a", NOON, LATER)))
        self.assertIsNone(self._do(lambda c: journal.take_lease(c, "x", "b", NOON, LATER)))
        self.assertIsNotNone(self._do(lambda c: journal.take_lease(c, "x", "a", NOON, LATER)))

    def test_a_lease_runs_out(self) -> None:
        """After its end anybody may take it, and the old holder can no longer move the cursor."""
        self._do(lambda c: journal.add_cursor(c, "x"))
        self._do(lambda c: journal.take_lease(c, "x", "a", NOON, LATER))
        self.assertIsNotNone(self._do(lambda c: journal.take_lease(c, "x", "b", LATER, "2026-01-01T12:02:00Z")))
        lost = self.store.write(lambda t: journal.advance(t.connection, "x", "a", 5, LATER))
        self.failureResultOf(lost, LeaseLost)

    def test_a_cursor_never_goes_back(self) -> None:
        """Moving a cursor to an older position leaves it."""
        self._do(lambda c: journal.add_cursor(c, "x"))
        self._do(lambda c: journal.take_lease(c, "x", "a", NOON, LATER))
        self._do(lambda c: journal.advance(c, "x", "a", 7, LATER))
        self._do(lambda c: journal.advance(c, "x", "a", 4, LATER))
        self.assertEqual(self._do(lambda c: journal.find_cursor(c, "x")), Cursor("x", 7, "a", LATER))

    def test_a_lease_is_given_back(self) -> None:
        """A lease that was given back can be taken at once."""
        self._do(lambda c: journal.add_cursor(c, "x"))
        self._do(lambda c: journal.take_lease(c, "x", "a", NOON, LATER))
        self._do(lambda c: journal.release_lease(c, "x", "a"))
        self.assertIsNotNone(self._do(lambda c: journal.take_lease(c, "x", "b", NOON, LATER)))

    def test_a_cursor_can_be_dropped(self) -> None:
        """The cursor of a consumer that is gone is forgotten."""
        self._do(lambda c: journal.add_cursor(c, "x"))
        self._do(lambda c: journal.drop_cursor(c, "x"))
        self.assertIsNone(self._do(lambda c: journal.find_cursor(c, "x")))
