"""The databases that quantumd's store runs on, for tests: SQLite, and servers that are started when first asked for.

A server lives until the tests end, and its tables are made once; each test gets them empty.
"""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from itertools import count

from sqlalchemy import Engine, create_engine, insert

from quantumd.store.engine import database_url, writer_engine
from quantumd.store.schema import ensure_schema
from quantumd.store.tables import metadata, turns
from quantumd.store.tables.turns import TURN
from tests.bed import mariadb, postgresql
from tests.bed.database_server import DatabaseServer
from tests.bed.needs import PREFIX

SERVERS = ("postgresql", "mariadb")

_NUMBERS = count(1)


def lacking(kind: str) -> str | None:
    """Return why tests on a database cannot run here, or None: for the ``skip`` attribute of a trial test case."""
    if kind == "postgresql":
        return None if postgresql.programs() else f"{PREFIX}postgresql"
    missing = [program for program in mariadb.PROGRAMS if kind == "mariadb" and shutil.which(program) is None]
    return PREFIX + ", ".join(missing) if missing else None


@cache
def server(kind: str) -> DatabaseServer:
    """Return the running server of this kind that tests share. They do not stop it."""
    return new_server(kind)


def new_server(kind: str) -> DatabaseServer:
    """Return a running server of one's own."""
    made = postgresql.PostgresqlServer() if kind == "postgresql" else mariadb.MariadbServer()
    atexit.register(made.close)
    made.prepare()
    return made


def new_database(kind: str) -> str:
    """Return the URL of a database without tables."""
    return server(kind).create(f"quantumd_{next(_NUMBERS)}")


@cache
def uncommitted_engine(kind: str) -> Engine:
    """Return an engine on a database with empty tables, for tests that never commit.

    Positions of the journal rise from test to test.
    """
    url = new_database(kind)
    ensure_schema(url)
    return writer_engine(database_url(url))


@cache
def _with_tables(kind: str) -> str:
    url = new_database(kind)
    ensure_schema(url)
    return url


def empty_tables(kind: str) -> str:
    """Return the URL of the database of this kind that tests share one after the other, its tables empty."""
    url = _with_tables(kind)
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        # Not TRUNCATE: it makes a new file of each table, and flushes it.
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(insert(turns), {"name": TURN, "number": 0, "at": ""})
    engine.dispose()
    return url
