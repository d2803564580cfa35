"""Databases of every earlier version, with data in them, are brought to this one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, create_engine, insert, select
from sqlalchemy.types import BigInteger
from twisted.trial.unittest import SynchronousTestCase

from quantumd.errors import SettingsError
from quantumd.store.engine import database_url
from quantumd.store.schema import HEAD, REVISIONS, ensure_schema
from quantumd.store.tables import metadata
from tests.bed.counts import is_soak
from tests.bed.databases import lacking, new_database, server
from tests.bed.needs import CHECKOUT

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as _TestCase
else:
    _TestCase = object

ROWS = 3
"""How many rows each table has."""

Rows = dict[str, list[dict[str, Any]]]

# Kills the upgrade of the database given as the first argument before its n-th statement that makes something.
_CUT = """
import os, sys
from sqlalchemy import Engine, event
from quantumd.store.schema import ensure_schema
left = int(sys.argv[2])
@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *more):
    global left
    left -= statement.lstrip().startswith(("CREATE", "ALTER", "INSERT", "UPDATE"))
    if left < 0:
        os._exit(7)
ensure_schema(sys.argv[1])
"""


_START = "from quantumd.store.schema import ensure_schema; import sys; print(ensure_schema(sys.argv[1]).before)"


def value(column: Column[Any], number: int) -> Any:
    """Return a value for the n-th row, different in each row where that can be."""
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column
        return value(target, number) if target.table is not column.table else None
    if isinstance(column.type, Boolean):
        return bool(number % 2)
    if isinstance(column.type, Integer | BigInteger):
        # MariaDB keeps truth values in integers.
        return number
    text = f"{column.name}-{number}"
    length = getattr(column.type, "length", None) if isinstance(column.type, String) else None
    return text[-length:] if length else text


def fill(url: str) -> Rows:
    """Write rows into every table that the database has, and return them by table."""
    engine = create_engine(database_url(url))
    found = MetaData()
    found.reflect(engine)
    written: Rows = {}
    with engine.begin() as connection:
        for table in found.sorted_tables:
            if table.name not in ("alembic_version", "turns"):
                written[table.name] = [_row(table, number) for number in range(1, ROWS + 1)]
                connection.execute(insert(table), written[table.name])
    engine.dispose()
    return written


def _row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: value(column, number) for column in table.columns}


def read(url: str, written: Rows) -> Rows:
    """Read what was written back, as far as its columns are still there."""
    engine = create_engine(database_url(url))
    found = MetaData()
    found.reflect(engine)
    seen: Rows = {}
    with engine.connect() as connection:
        for name, rows in written.items():
            columns = [found.tables[name].c[column] for column in rows[0] if column in found.tables[name].c]
            seen[name] = [dict(row._mapping) for row in connection.execute(select(*columns))]
    engine.dispose()
    return seen


class UpgradeRules(_TestCase):
    """Children name databases without tables: ``new_url``."""

    new_url: Callable[[], str]
    revisions: tuple[str, ...] = REVISIONS[:-1]

    def test_data_of_every_earlier_revision_stays(self) -> None:
        """Tables filled at an earlier revision hold the same after the upgrade, and have every table and column."""
        for revision in self.revisions:
            url = self.new_url()
            ensure_schema(url, revision)
            written = fill(url)
            self.assertEqual((ensure_schema(url).before, ensure_schema(url).before), (revision, HEAD))
            seen = read(url, written)
            for name, rows in seen.items():
                # A revision may bring rows of its own.
                lost = [row for row in written[name] if {key: row[key] for key in rows[0] if key in row} not in rows]
                self.assertEqual(lost, [], (revision, name))
            self._expect_every_column(url)

    def _expect_every_column(self, url: str) -> None:
        engine = create_engine(database_url(url))
        self.addCleanup(engine.dispose)
        found = MetaData()
        found.reflect(engine)
        columns = {table.name: sorted(table.c.keys()) for table in found.sorted_tables}
        columns.pop("alembic_version")
        self.assertEqual(columns, {table.name: sorted(table.c.keys()) for table in metadata.sorted_tables})

    def test_an_upgrade_that_was_killed_is_finished(self) -> None:
        """After a process died in the middle of an upgrade the next one finishes it."""
        for statements in (1, 7, 40):
            url = self.new_url()
            command = [sys.executable, "-c", _CUT, url, str(statements)]
            done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120)
            self.assertEqual(done.returncode, 7, done.stderr)
            self.assertEqual(ensure_schema(url).after, HEAD)
            self._expect_every_column(url)

    def test_strangers_are_refused(self) -> None:
        """Tables that are not quantumd's, or a newer quantumd's, are left alone."""
        url = self.new_url()
        engine = create_engine(database_url(url))
        self.addCleanup(engine.dispose)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
        self.assertIn("did not make", str(self.assertRaises(SettingsError, ensure_schema, url)))
        url = self.new_url()
        ensure_schema(url, REVISIONS[0])
        newer = create_engine(database_url(url))
        self.addCleanup(newer.dispose)
        with newer.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        self.assertIn("newer quantumd", str(self.assertRaises(SettingsError, ensure_schema, url)))

    def test_two_starts_at_once_upgrade_once(self) -> None:
        """Of two processes that start with an empty database, one makes the tables and the other waits for it."""
        url = self.new_url()
        command = [sys.executable, "-c", _START, url]
        started = [
            subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said = [process.communicate(timeout=120) for process in started]
        self.assertEqual(sorted(out.strip() for out, _ in said), [HEAD, "None"], said)


class SqliteUpgradeTests(UpgradeRules, SynchronousTestCase):
    """SQLite."""

    def new_url(self) -> str:
        """A new file."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-upgrade-")
        self.addCleanup(folder.cleanup)
        return f"sqlite:///{os.path.join(folder.name, 'store.db')}"


class ServerRules(UpgradeRules):
    """On a server, whose ``kind`` children name."""

    kind = ""
    # Each takes seconds, because servers flush every table that is made.
    revisions = REVISIONS[:-1] if is_soak() else (REVISIONS[0], REVISIONS[-2])

    def new_url(self) -> str:
        """An empty database on the server that the tests share."""
        return new_database(self.kind)

    def expect_order(self, url: str) -> None:
        """Expect that text is ordered by code point, and that a space at its end makes a difference."""
        ensure_schema(url)
        engine = create_engine(database_url(url))
        self.addCleanup(engine.dispose)
        names = ["Z", "a", "a ", "é", "𝔸"]
        with engine.begin() as connection:
            connection.execute(insert(metadata.tables["cursors"]), [{"name": name, "position": 0} for name in names])
            ordered = select(metadata.tables["cursors"].c.name).order_by("name")
            self.assertEqual(connection.scalars(ordered).all(), names)


@pytest.mark.slow
@pytest.mark.time_limit(900)
class PostgresqlUpgradeTests(ServerRules, SynchronousTestCase):
    """PostgreSQL."""

    kind = "postgresql"
    skip = lacking("postgresql")

    def test_text_is_ordered_as_on_other_databases(self) -> None:
        """Text is compared by code point also where the database has another locale."""
        server(self.kind).sql("CREATE DATABASE quantumd_icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
        self.expect_order(server(self.kind).url("quantumd_icu"))


@pytest.mark.slow
@pytest.mark.time_limit(900)
class MariadbUpgradeTests(ServerRules, SynchronousTestCase):
    """MariaDB; the server's own character set is latin1."""

    kind = "mariadb"
    skip = lacking("mariadb")

    def test_text_is_ordered_as_on_other_databases(self) -> None:
        """Text of every script is kept, compared by code point, with what is at its end."""
        self.expect_order(self.new_url())
