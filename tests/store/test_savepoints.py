"""Savepoints in savepoints: what fails undoes itself and nothing else, on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from twisted.internet.defer import gatherResults

from quantumd.store.transaction import Transaction
from tests.bed.databases import lacking
from tests.contracts.store import add, names
from tests.store.bed import StoreCase

if TYPE_CHECKING:
    from tests.store.bed import StoreCase as _StoreCase
else:
    _StoreCase = object


class SavepointRules(_StoreCase):
    """Changes that are committed together with others, and alone."""

    async def _write(self, *works: Any) -> list[str]:
        """Write in company, so that each change has a savepoint around it; return the names that are stored."""
        busy = [self.store.write(add(f"z{number}")) for number in range(2)]
        tried = [self.store.write(work) for work in works]
        for each in tried:
            each.addErrback(lambda failure: failure.trap(DBAPIError, KeyError))
        await gatherResults([*busy, *tried])
        return [name for name in await self.store.read(names) if not name.startswith("z")]

    async def test_kept_ones_in_a_row(self) -> None:
        """One kept savepoint after the other, and writes between them."""

        def work(transaction: Transaction) -> None:
            for name in "abc":
                with transaction.savepoint():
                    add(name)(transaction)
                add(f"{name}2")(transaction)

        self.assertEqual(await self._write(work, work), ["a", "a2", "b", "b2", "c", "c2"])

    async def test_a_failure_after_a_kept_one(self) -> None:
        """What was kept before, also deeper inside, stays."""

        def work(transaction: Transaction) -> None:
            with transaction.savepoint():
                add("a")(transaction)
                with transaction.savepoint():
                    add("b")(transaction)
            for _ in range(2):
                try:
                    with transaction.savepoint():
                        add("gone")(transaction)
                        add("a")(transaction)
                except IntegrityError:
                    pass
            add("c")(transaction)

        self.assertEqual(await self._write(work), ["a", "b", "c"])

    async def test_an_outer_failure_undoes_kept_ones(self) -> None:
        """What was kept inside something that fails goes with it, and the next savepoint works."""

        def work(transaction: Transaction) -> None:
            try:
                with transaction.savepoint():
                    with transaction.savepoint():
                        add("gone")(transaction)
                    raise KeyError
            except KeyError:
                pass
            with transaction.savepoint():
                add("a")(transaction)

        def failing(transaction: Transaction) -> None:
            with transaction.savepoint():
                add("gone too")(transaction)
            raise KeyError

        self.assertEqual(await self._write(work, failing), ["a"])

    async def test_what_fails_first_is_tried_again(self) -> None:
        """A change may try its first step as often as it likes, also deeper inside; others are not touched."""

        def work(transaction: Transaction) -> None:
            for outcome in (KeyError, KeyError, None):
                try:
                    with transaction.savepoint(), transaction.savepoint():
                        add("b")(transaction)
                        if outcome:
                            raise outcome
                except KeyError:
                    pass
            with transaction.savepoint():
                add("c")(transaction)

        self.assertEqual(await self._write(add("a"), work, add("d")), ["a", "b", "c", "d"])

    async def test_a_failure_after_a_kept_one_undoes_the_change(self) -> None:
        """A change that fails in the database after a savepoint was kept is undone whole; the others stay."""

        def failing(transaction: Transaction) -> None:
            with transaction.savepoint():
                add("gone")(transaction)
            add("gone")(transaction)

        self.assertEqual(await self._write(add("a"), failing, add("b")), ["a", "b"])


class SqliteSavepointTests(SavepointRules, StoreCase):
    """SQLite."""


@pytest.mark.time_limit(300)
class PostgresqlSavepointTests(SavepointRules, StoreCase):
    """PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.time_limit(300)
class MariadbSavepointTests(SavepointRules, StoreCase):
    """MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")
