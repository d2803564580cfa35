"""Commits on one connection, and what happens when the database refuses."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from typing import Any

from sqlalchemy import event
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from quantumd.errors import EdgeUnavailable
from quantumd.store.batch import Batch, BatchWriter
from quantumd.store.engine import database_url, writer_engine
from quantumd.store.errors import CommitFailed
from quantumd.store.schema import ensure_schema
from quantumd.store.transaction import Transaction
from tests.contracts.store import add, names, note


class BatchTests(SynchronousTestCase):
    """BatchWriter."""

    def setUp(self) -> None:
        """Make a database and a writer that waits for nobody."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-batch-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "store.db")
        url = f"sqlite:///{self.path}"
        ensure_schema(url)
        engine = writer_engine(database_url(url))
        self.most_pages = 1_000_000
        event.listen(engine, "connect", self._limit)
        self.writer = BatchWriter(engine, lambda: "2026-01-01T00:00:00Z")
        self.addCleanup(self.writer.close)

    def _limit(self, raw: sqlite3.Connection, _record: Any) -> None:
        raw.execute("PRAGMA busy_timeout=0")
        raw.execute(f"PRAGMA max_page_count={self.most_pages}")

    def _names(self) -> list[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[0] for row in connection.execute("SELECT name FROM cursors ORDER BY name")]

    def test_outcomes_are_in_order(self) -> None:
        """Each change's result or Failure stands at its place, and the last journal position is told."""
        batch = self.writer.commit([add("a"), note, add("a"), add("b")])
        self.assertEqual((batch.outcomes[0], batch.outcomes[1], batch.outcomes[3]), ("a", 1, "b"))
        self.assertIsInstance(batch.outcomes[2], Failure)
        self.assertEqual((batch.position, batch.commits), (1, 1))

    def test_a_locked_database_is_told(self) -> None:
        """While another process holds the write lock too long every change fails as EdgeUnavailable; then it works."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            batch = self.writer.commit([add("a"), add("b")])
        for outcome in batch.outcomes:
            self.assertTrue(outcome.check(EdgeUnavailable))
            self.assertIn("locked", str(outcome.value))
        self.assertEqual(self.writer.commit([add("a")]), Batch(("a",), 0))
        self.assertEqual(self._names(), ["a"])

    def test_a_full_disk_fails_only_what_does_not_fit(self) -> None:
        """When the database is full, what still fits is committed, what does not fails, and nothing is half there."""

        def big(transaction: Transaction) -> None:
            add("big")(transaction)
            row: dict[str, Any] = dict.fromkeys(("resource", "resource_id", "project_id", "request_id"), "r")
            transaction.journal(**row, operation="create", after={"text": "x" * 20_000_000})

        self.most_pages = os.path.getsize(self.path) // 4096 + 10
        batch = self.writer.commit([add("a"), big, add("b")])
        self.assertEqual((batch.outcomes[0], batch.outcomes[2]), ("a", "b"))
        self.assertTrue(batch.outcomes[1].check(CommitFailed, sqlite3.OperationalError))
        self.assertIn("full", str(batch.outcomes[1].value))
        self.assertEqual(self._names(), ["a", "b"])

    def test_a_savepoint_of_sqlalchemy_works_too(self) -> None:
        """``begin_nested`` may be used inside a change."""

        def work(transaction: Transaction) -> None:
            nested = transaction.connection.begin_nested()
            add("gone")(transaction)
            nested.rollback()
            with transaction.connection.begin_nested():
                add("kept")(transaction)

        self.assertEqual(self.writer.commit([work]).outcomes, (None,))
        self.assertEqual(self._names(), ["kept"])

    def test_it_goes_on_after_close(self) -> None:
        """A writer that was closed opens its connection again."""
        self.writer.commit([add("a")])
        self.writer.close()
        batch = self.writer.commit([lambda transaction: names(transaction.connection)])
        self.assertEqual(batch.outcomes, (["a"],))
