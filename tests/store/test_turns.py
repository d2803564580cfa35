"""Whoever writes has the database to itself, in whichever process: positions are committed in their order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from quantumd.store.consumer import Consumer, ConsumerLimits
from quantumd.store.journal import JournalRow, last_position
from quantumd.store.store import Store
from quantumd.store.tables import cursors, journal
from quantumd.store.transaction import Transaction
from tests.bed.databases import lacking
from tests.contracts.store import add, note
from tests.store.bed import StoreCase

if TYPE_CHECKING:
    from tests.store.bed import StoreCase as _StoreCase
else:
    _StoreCase = object

CHANGES = 40

_COUNT = select(func.count()).select_from(journal)


def count_up(transaction: Transaction) -> None:
    """Read a number and write the next one: wrong when somebody else does so at the same time."""
    connection = transaction.connection
    number = connection.execute(select(cursors.c.position).where(cursors.c.name == "n")).scalar_one()
    connection.execute(update(cursors).where(cursors.c.name == "n").values(position=number + 1))


class TurnRules(_StoreCase):
    """Two stores on one database, as two processes have."""

    async def test_positions_are_committed_in_order(self) -> None:
        """While a change that has its position is not committed, no later position is seen by anybody."""
        other = self.open_store()
        has_position, may_go_on = threading.Event(), threading.Event()
        self.addCleanup(may_go_on.set)

        def slow(transaction: Transaction) -> int:
            position = note(transaction, "slow")
            has_position.set()
            may_go_on.wait(20)
            return position

        first = self.store.write(slow)
        await deferToThread(has_position.wait, 20)
        second = other.write(lambda transaction: note(transaction, "fast"))
        await self._rest(0.5)
        self.assertFalse(second.called)
        self.assertEqual(await other.read(last_position), 0)
        may_go_on.set()
        positions = await gatherResults([first, second])
        self.assertEqual(positions, sorted(positions))
        names = select(journal.c.resource_id).order_by(journal.c.position)
        self.assertEqual(await self.store.read(lambda c: list(c.scalars(names))), ["slow", "fast"])

    async def test_what_a_change_has_read_stays_true(self) -> None:
        """No change is lost by another that has read the same."""
        await self.store.write(add("n"))
        stores = [self.store, self.open_store(), self.open_store(connections=3)]
        await gatherResults([store.write(count_up) for _ in range(CHANGES) for store in stores])
        number = await self.store.read(lambda c: c.scalar(select(cursors.c.position).where(cursors.c.name == "n")))
        self.assertEqual(number, CHANGES * len(stores))

    async def test_a_consumer_sees_every_change_once_and_in_order(self) -> None:
        """A consumer follows while two stores write, one with several connections, and some changes fail."""
        seen: list[int] = []

        def take(rows: Sequence[JournalRow]) -> None:
            seen.extend(row.position for row in rows)

        def work(transaction: Transaction, number: int) -> int:
            position = note(transaction, str(number))
            if number % 5 == 0:
                raise KeyError(number)
            return position

        stores = [self.store, self.open_store(connections=4)]
        await self._consume(stores[0], take)
        tried = [store.write(partial(work, number=n)) for n in range(3 * CHANGES) for store in stores]
        for each in tried:
            each.addErrback(lambda failure: failure.trap(KeyError))
        await gatherResults(tried)
        total = await self.store.read(lambda c: c.execute(_COUNT).scalar_one())
        while len(seen) < total:
            await self._rest(0.02)
        await self._rest(0.1)
        self.assertEqual(len(seen), total)
        self.assertEqual(seen, sorted(set(seen)))

    async def _consume(self, store: Store, handle: Any) -> None:
        limits = ConsumerLimits(rows=7, poll=0.05, retry=0.05)
        any_reactor: Any = reactor
        consumer = Consumer(any_reactor, store, "c", "h", handle, limits)
        consumer.startService()
        self.addCleanup(consumer.stopService)

    async def _rest(self, seconds: float) -> None:
        any_reactor: Any = reactor
        await deferLater(any_reactor, seconds)


class SqliteTurnTests(TurnRules, StoreCase):
    """SQLite."""


@pytest.mark.time_limit(300)
class PostgresqlTurnTests(TurnRules, StoreCase):
    """PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.time_limit(300)
class MariadbTurnTests(TurnRules, StoreCase):
    """MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")
