"""Cursors, leases and the pruning of the journal on PostgreSQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from quantumd.store.errors import LeaseLost
from quantumd.store.journal import (
    add_cursor,
    advance,
    drop_cursor,
    find_cursor,
    read_after,
    release_lease,
    take_lease,
)
from quantumd.store.retention import journal_size, prunable, prune
from quantumd.store.transaction import Transaction
from tests.bed.databases import lacking
from tests.contracts.store import note
from tests.store.bed import StoreCase

if TYPE_CHECKING:
    from tests.store.bed import StoreCase as _StoreCase
else:
    _StoreCase = object

NOON, ONE, TWO = (f"2026-01-01T{hour}:00:00Z" for hour in (12, 13, 14))
FAR_OFF = "2100-01-01T00:00:00Z"


class JournalRules(_StoreCase):
    """The functions that consumers and the retention are made of."""

    async def _do(self, work: Any) -> Any:
        return await self.store.write(lambda transaction: work(transaction.connection))

    async def test_a_lease_has_one_holder(self) -> None:
        """A lease is renewed by its holder, refused to others until it is over, and given back."""
        await self._do(lambda c: add_cursor(c, "c"))
        await self._do(lambda c: add_cursor(c, "c", 9))
        self.assertIsNotNone(await self._do(lambda c: take_lease(c, "c", "a", NOON, ONE)))
        self.assertIsNotNone(await self._do(lambda c: take_lease(c, "c", "a", NOON, ONE)))
        self.assertIsNone(await self._do(lambda c: take_lease(c, "c", "b", NOON, TWO)))
        self.assertIsNotNone(await self._do(lambda c: take_lease(c, "c", "b", ONE, TWO)))
        with self.assertRaises(LeaseLost):
            await self._do(lambda c: advance(c, "c", "a", 5, TWO))
        await self._do(lambda c: release_lease(c, "c", "b"))
        self.assertIsNotNone(await self._do(lambda c: take_lease(c, "c", "a", NOON, ONE)))
        await self._do(lambda c: drop_cursor(c, "c"))
        self.assertIsNone(await self._do(lambda c: find_cursor(c, "c")))

    async def test_a_cursor_never_goes_back(self) -> None:
        """It is moved forward only, and writing the same again is no loss of the lease."""
        await self._do(lambda c: add_cursor(c, "c"))
        await self._do(lambda c: take_lease(c, "c", "a", NOON, ONE))
        for position in (5, 3, 5):
            await self._do(lambda c, position=position: advance(c, "c", "a", position, TWO))
        self.assertEqual((await self._do(lambda c: find_cursor(c, "c"))).position, 5)

    async def test_old_rows_go(self) -> None:
        """The journal is measured and pruned, also with positions missing, and never past the slowest cursor."""

        def failing(transaction: Transaction) -> None:
            note(transaction)
            raise KeyError

        first, *_, last = await self.store.write(lambda t: [note(t) for _ in range(20)])
        for _ in range(20):
            with self.assertRaises(KeyError):
                await self.store.write(failing)
        newest = await self.store.write(note)
        await self._do(lambda c: add_cursor(c, "c", last))
        size = await self.store.read(journal_size)
        self.assertGreater(size.bytes, 21 * 50)
        self.assertEqual(await self.store.read(lambda c: prunable(c, FAR_OFF, 10**9)), last)
        self.assertEqual(await self._do(lambda c: prune(c, last)), last - first + 1)
        self.assertEqual([row.position for row in await self.store.read(lambda c: read_after(c, 0, 5))], [newest])

    async def test_large_texts_are_kept(self) -> None:
        """What a change was about may be longer than 64 KiB, and in any script."""
        text = "ä𝔸" * 40_000
        row: dict[str, Any] = dict.fromkeys(("resource", "resource_id", "project_id", "request_id"), "r")
        await self.store.write(lambda t: t.journal(**row, operation="create", after={"text": text}))
        rows = await self.store.read(lambda c: read_after(c, 0, 1))
        self.assertEqual(rows[0].after, f'{{"text":"{text}"}}')


@pytest.mark.time_limit(300)
class PostgresqlJournalTests(JournalRules, StoreCase):
    """PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.time_limit(300)
class MariadbJournalTests(JournalRules, StoreCase):
    """MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")
