"""Connections are set up for durability and one writer."""

from __future__ import annotations

from sqlalchemy import Connection

from quantumd.store.transaction import Transaction
from tests.store.bed import StoreCase


def _pragmas(connection: Connection) -> dict[str, object]:
    wanted = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}


_EVERY = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000}


class PragmaTests(StoreCase):
    """What each kind of connection is set to."""

    async def test_the_writer_is_durable(self) -> None:
        """The writer flushes on each commit unless the settings say otherwise."""
        found = await self.store.write(lambda transaction: _pragmas(transaction.connection))
        self.assertEqual(found, {**_EVERY, "synchronous": 2, "query_only": 0})

    async def test_synchronous_is_a_setting(self) -> None:
        """NORMAL may be chosen."""
        store = self.open_store(synchronous="NORMAL")
        self.assertEqual((await store.write(lambda transaction: _pragmas(transaction.connection)))["synchronous"], 1)

    async def test_readers_cannot_write(self) -> None:
        """Readers work on connections that refuse to write."""
        found = await self.store.read(_pragmas)
        self.assertEqual({**_EVERY, "query_only": 1}, {name: found[name] for name in (*_EVERY, "query_only")})

    async def test_the_write_lock_is_taken_first(self) -> None:
        """A change holds the write lock from its beginning, so that it never fails after it has read."""
        other = self.open_store()

        def work(transaction: Transaction) -> bool:
            raw = transaction.connection.connection.driver_connection
            return bool(raw is not None and raw.in_transaction)

        self.assertTrue(await self.store.write(work))
        self.assertTrue(await other.write(work))
