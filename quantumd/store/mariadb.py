"""MariaDB 10.6 or later, by PyMySQL.

The writers' turn is a row of the table ``turns`` that each transaction writes first. Beside it stands a row of each
writer's own, which counts its transactions: by it a writer whose commit was not answered finds out whether it was kept.
Positions are InnoDB's automatic ones, taken under the turn, so they are committed in their order.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from attrs import frozen
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from quantumd.errors import EdgeUnavailable
from quantumd.store.databases import (
    CONNECT_TIMEOUT_SECONDS,
    IDLE_TIMEOUT_SECONDS,
    LOCK_TIMEOUT_SECONDS,
    UPGRADE_WAIT_SECONDS,
)
from quantumd.store.tables.turns import TURN
from quantumd.store.tallying import add_up
from quantumd.store.times import utc_text

if TYPE_CHECKING:
    import pymysql

READ_TIMEOUT_SECONDS = 30
"""How long a server may be silent in the middle of an answer before it is taken for gone."""

_FORGOTTEN_AFTER = timedelta(days=7)
"""When the row of a writer that is heard of no more goes."""

_TAKE_TURN = "UPDATE turns SET number = %s, at = %s WHERE name IN (%s, %s)"
_ENTER = "INSERT INTO turns (name, number, at) VALUES (%s, %s, %s)"
_FORGET = "DELETE FROM turns WHERE at < %s AND name <> %s"
_LAST = "SELECT number FROM turns WHERE name = %s"
_APPEND = (
    "INSERT INTO journal (at, resource, resource_id, project_id, request_id, operation, `before`, `after`,"
    " user_id, user_project_id)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)

_IN_TRANSACTION = 1
"""The bit of the server's status that tells of an open transaction (SERVER_STATUS_IN_TRANS)."""

_NO_SAVEPOINT = 1305
_CONFLICTS = frozenset({1020, 1205, 1213})
"""A row changed since it was read, a lock that was not had in time, deadlock."""

_LOSSES = frozenset({0, 1053, 1077, 1079, 1927, 2003, 2006, 2013, 2014, 2055, 4031})
"""The server shuts down, killed the connection, or is gone; 0 is PyMySQL's for a connection that it has closed."""

_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
_WRITER = "quantumd.writer"
"""Where a connection keeps its _Writer."""


@frozen
class _Mark:
    """A transaction: the ``number``-th of the writer."""

    writer: str
    number: int


class _Writer:
    """Who writes on a connection."""

    def __init__(self) -> None:
        # Behind TURN in the order of the table: rows are locked in that order, and who waits for the turn must not hold
        # a row that whoever has it looks at.
        self.name = f"writer-{uuid4().hex[:29]}"
        self.number = 0


class MariadbSession:
    """Implements Session."""

    __slots__ = ("_connection", "_is_ended", "_raw", "_writer")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = cast("pymysql.Connection[Any]", connection.connection.driver_connection)
        self._writer: _Writer = connection.info.setdefault(_WRITER, _Writer())
        self._is_ended = False

    @property
    def is_open(self) -> bool:
        """See Session."""
        return bool(self._raw.open and not self._is_ended and self._raw.server_status & _IN_TRANSACTION)

    @property
    def may_commit(self) -> bool:
        """See Session."""
        return self.is_open

    def take_turn(self) -> None:
        """See Session."""
        writer, now = self._writer, datetime.now(UTC)
        writer.number += 1
        values = (writer.number, utc_text(now))
        with self._raw.cursor() as cursor:
            # The engine asks to be told how many rows were found, changed or not.
            if cursor.execute(_TAKE_TURN, (*values, TURN, writer.name)) < 2:
                cursor.execute(_FORGET, (utc_text(now - _FORGOTTEN_AFTER), TURN))
                cursor.execute(_ENTER, (writer.name, *values))

    def mark(self) -> object:
        """See Session."""
        return _Mark(self._writer.name, self._writer.number)

    def is_kept(self, mark: object) -> bool:
        """See Session."""
        if not isinstance(mark, _Mark):
            raise TypeError(f"not a mark of MariaDB: {mark!r}")
        with self._raw.cursor() as cursor:
            cursor.execute(_LAST, (mark.writer,))
            row = cursor.fetchone()
        return row is not None and row[0] == mark.number

    def append(self, row: tuple[Any, ...]) -> int:
        """See Session."""
        with self._raw.cursor() as cursor:
            cursor.execute(_APPEND, row)
            return int(cursor.lastrowid)

    def add_up(self, project_id: str, resource: str, step: int) -> None:
        """See Session."""
        add_up(self._connection, project_id, resource, step)

    def save(self, depth: int) -> None:
        """See Session."""
        self._raw.query(f"SAVEPOINT q{depth}")

    def keep(self, depth: int) -> None:
        """See Session. Nothing to say: the next one of the name takes its place."""

    def undo(self, depth: int) -> None:
        """See Session. After a deadlock the whole transaction is gone, and with it the savepoint."""
        import pymysql  # imported here: see Mariadb.errors

        try:
            self._raw.query(f"ROLLBACK TO SAVEPOINT q{depth}")
        except pymysql.MySQLError as error:
            if _code(error) != _NO_SAVEPOINT:
                raise
            self._is_ended = True

    def roll_back(self) -> None:
        """See Session."""
        import pymysql  # imported here: see Mariadb.errors

        try:
            self._raw.rollback()
        except pymysql.MySQLError:
            self._connection.invalidate()


class Mariadb:
    """Implements Database."""

    name = "mariadb"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """See Database. The driver is imported only where it is used; an appliance on SQLite starts without it."""
        import pymysql

        return (pymysql.MySQLError,)

    def writer_engine(self, url: URL, synchronous: str) -> Engine:
        """See Database. READ COMMITTED: what a change reads after it got its turn is what the last one committed."""
        return _engine(
            url,
            tx_isolation="'READ-COMMITTED'",
            innodb_lock_wait_timeout=str(LOCK_TIMEOUT_SECONDS),
            idle_write_transaction_timeout=str(IDLE_TIMEOUT_SECONDS),
        )

    def reader_engine(self, url: URL) -> Engine:
        """See Database."""
        return _engine(url, tx_isolation="'REPEATABLE-READ'", tx_read_only="1")

    def upgrade_engine(self, url: URL) -> Engine:
        """See Database."""
        return _engine(url, silence=None, lock_wait_timeout=str(UPGRADE_WAIT_SECONDS))

    def session(self, connection: Connection) -> MariadbSession:
        """See Database."""
        return MariadbSession(connection)

    def is_conflict(self, error: BaseException) -> bool:
        """See Database."""
        return _code(error) in _CONFLICTS

    def is_loss(self, error: BaseException) -> bool:
        """See Database."""
        return (isinstance(error, DBAPIError) and error.connection_invalidated) or _code(error) in _LOSSES

    def lock_schema(self, connection: Connection) -> None:
        """See Database. Not by the transaction: here each statement of an upgrade commits."""
        name = "CONCAT('quantumd.', DATABASE())"
        if connection.exec_driver_sql(f"SELECT GET_LOCK({name}, {UPGRADE_WAIT_SECONDS})").scalar() != 1:
            raise EdgeUnavailable("Another process upgrades the tables for too long.")

    def fitted(self, statement: str) -> str:
        """See Database. An upgrade that was cut short can be run again; text is UTF-8 and ordered byte by byte."""
        for pattern, replacement in _DDL:
            statement = pattern.sub(replacement, statement)
        return statement


_DDL = tuple(
    (re.compile(pattern, re.DOTALL), replacement)
    for pattern, replacement in (
        # A text of the plain kind ends at 64 KiB.
        (r"(?<=[ ,])TEXT\b(?=.*)", "MEDIUMTEXT"),
        (
            r"^(\s*)CREATE TABLE (?!IF)(.*)\)\s*$",
            r"\1CREATE TABLE IF NOT EXISTS \2) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin",
        ),
        (r"^(\s*CREATE (?:UNIQUE )?INDEX) (?!IF)", r"\1 IF NOT EXISTS "),
        (r"^(\s*ALTER TABLE \S+ ADD COLUMN) (?!IF)", r"\1 IF NOT EXISTS "),
        (r"^(\s*ALTER TABLE \S+ DROP COLUMN) (?!IF)", r"\1 IF EXISTS "),
        (r"^(\s*DROP (?:TABLE|INDEX)) (?!IF)", r"\1 IF EXISTS "),
    )
)


def _engine(url: URL, silence: int | None = READ_TIMEOUT_SECONDS, **variables: str) -> Engine:
    every = {"sql_mode": f"'{_MODE}'", "time_zone": "'+00:00'", **variables}
    connect_args = {
        "charset": "utf8mb4",
        "collation": "utf8mb4_nopad_bin",
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "read_timeout": silence,
        "write_timeout": silence,
        "init_command": "SET " + ", ".join(f"SESSION {name}={value}" for name, value in every.items()),
    }
    # See quantumd.store.sqlite: connections and parameters.
    return create_engine(url, poolclass=NullPool, connect_args=connect_args, hide_parameters=True)


def _code(error: BaseException) -> int | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = cause.args[0] if cause is not None and cause.args else None
    return code if isinstance(code, int) else None
