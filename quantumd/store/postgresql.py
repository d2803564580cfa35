"""PostgreSQL 13 or later, by psycopg 3.

The writers' turn is an advisory lock that ends with the transaction: unlike a row, which would be written anew each
time, it leaves nothing to clean up while a long list holds an old snapshot. Positions come from the journal's sequence,
under the turn, so they are committed in their order. Whether a commit whose answer was lost was kept is known to the
server by the number of the transaction (``pg_xact_status``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from quantumd.errors import SettingsError
from quantumd.store.databases import (
    CONNECT_TIMEOUT_SECONDS,
    IDLE_TIMEOUT_SECONDS,
    LOCK_TIMEOUT_SECONDS,
    UPGRADE_WAIT_SECONDS,
)
from quantumd.store.errors import CommitFailed
from quantumd.store.tallying import add_up

if TYPE_CHECKING:
    import psycopg

_TURN = 0x7175616E74756D64
"""The number of the advisory lock: the letters of quantumd."""

_TAKE_TURN = f"SELECT pg_advisory_xact_lock({_TURN}), pg_current_xact_id()::text"
_IS_KEPT = "SELECT pg_xact_status(%s::xid8)"
_APPEND = (
    'INSERT INTO journal (at, resource, resource_id, project_id, request_id, operation, "before", "after",'
    " user_id, user_project_id)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING position"
)

# libpq's PGTransactionStatusType.
_IN_TRANSACTION = 2
_IN_ERROR = 3

_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
"""Serialisation failure, deadlock, a lock that was not had in time (PostgreSQL's appendix A)."""

_LOSSES = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03"})
"""The server shuts down, crashed, starts, or has ended an idle session or transaction."""

_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""A server that vanished without a word is noticed after 25 s (seconds; the last in milliseconds)."""


class PostgresqlSession:
    """Implements Session."""

    __slots__ = ("_connection", "_kept", "_number", "_raw")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        self._number = ""
        self._kept = 0
        """The depth of a savepoint whose release is still to be said."""

    @property
    def is_open(self) -> bool:
        """See Session."""
        return self._raw.pgconn.transaction_status in (_IN_TRANSACTION, _IN_ERROR)

    @property
    def may_commit(self) -> bool:
        """See Session. After an error that nobody undid, PostgreSQL answers a commit by rolling back."""
        return self._raw.pgconn.transaction_status == _IN_TRANSACTION

    def take_turn(self) -> None:
        """See Session."""
        self._number = self._one(_TAKE_TURN)[1]

    def mark(self) -> object:
        """See Session: the number of the transaction."""
        return self._number

    def is_kept(self, mark: object) -> bool:
        """See Session. A number that the server has not come to yet is that of a transaction it has lost."""
        import psycopg  # imported here: see Postgresql.errors

        try:
            return bool(self._one(_IS_KEPT, (mark,))[0] == "committed")
        except psycopg.errors.InvalidParameterValue:
            return False

    def append(self, row: tuple[Any, ...]) -> int:
        """See Session."""
        return int(self._one(_APPEND, row)[0])

    def add_up(self, project_id: str, resource: str, step: int) -> None:
        """See Session."""
        add_up(self._connection, project_id, resource, step)

    def save(self, depth: int) -> None:
        """See Session."""
        self._run(f"SAVEPOINT q{depth}")

    def keep(self, depth: int) -> None:
        """See Session. Said with what comes next: the way to the server and back costs more than the work there."""
        if not self.may_commit:
            raise CommitFailed("the change left an error behind in the transaction")
        self._kept = depth

    def undo(self, depth: int) -> None:
        """See Session. What was kept inside goes with it."""
        self._kept = 0
        self._run(f"ROLLBACK TO SAVEPOINT q{depth}; RELEASE SAVEPOINT q{depth}")

    def roll_back(self) -> None:
        """See Session."""
        import psycopg  # imported here: see Postgresql.errors

        try:
            self._raw.rollback()
        except psycopg.Error:
            self._connection.invalidate()

    def _run(self, statements: str) -> None:
        kept, self._kept = self._kept, 0
        before = f"RELEASE SAVEPOINT q{kept}; " if kept else ""
        self._raw.execute(before + statements, prepare=False)

    def _one(self, statement: str, values: tuple[Any, ...] | None = None) -> Any:
        row = self._raw.execute(statement, values).fetchone()
        if row is None:
            raise TypeError("the database gave no row")
        return row


class Postgresql:
    """Implements Database."""

    name = "postgresql"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """See Database. The driver is imported only where it is used; an appliance on SQLite starts without it."""
        import psycopg

        return (psycopg.Error,)

    def writer_engine(self, url: URL, synchronous: str) -> Engine:
        """See Database. READ COMMITTED: what a change reads after it got its turn is what the last one committed."""
        return _engine(
            url,
            default_transaction_isolation=r"read\ committed",
            lock_timeout=f"{LOCK_TIMEOUT_SECONDS}s",
            idle_in_transaction_session_timeout=f"{IDLE_TIMEOUT_SECONDS}s",
        )

    def reader_engine(self, url: URL) -> Engine:
        """See Database."""
        return _engine(url, default_transaction_isolation=r"repeatable\ read", default_transaction_read_only="on")

    def upgrade_engine(self, url: URL) -> Engine:
        """See Database."""
        return _engine(url, lock_timeout=f"{UPGRADE_WAIT_SECONDS}s")

    def session(self, connection: Connection) -> PostgresqlSession:
        """See Database."""
        return PostgresqlSession(connection)

    def is_conflict(self, error: BaseException) -> bool:
        """See Database."""
        return _sqlstate(error) in _CONFLICTS

    def is_loss(self, error: BaseException) -> bool:
        """See Database."""
        import psycopg

        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return True
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = _sqlstate(error)
        if isinstance(cause, psycopg.OperationalError) and state is None:
            return True
        return state is not None and (state in _LOSSES or state.startswith("08"))

    def lock_schema(self, connection: Connection) -> None:
        """See Database."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise SettingsError(f"database.url: the database is encoded in {encoding}; create it with ENCODING 'UTF8'")

    def fitted(self, statement: str) -> str:
        """See Database. Text is ordered byte by byte, as on SQLite and MariaDB, whatever the database's locale."""
        if not statement.lstrip().startswith(("CREATE TABLE", "ALTER TABLE")):
            return statement
        return re.sub(r"\b(VARCHAR\(\d+\)|TEXT)(?! COLLATE)", r'\1 COLLATE "C"', statement)


def _engine(url: URL, **options: str) -> Engine:
    said = " ".join(f"-c {name}={value}" for name, value in {"timezone": "UTC", **options}.items())
    connect_args = {
        "application_name": "quantumd",
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "options": said,
        **_KEEPALIVE,
    }
    # See quantumd.store.sqlite: connections and parameters.
    return create_engine(url, poolclass=NullPool, connect_args=connect_args, hide_parameters=True)


def _sqlstate(error: BaseException) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state: str | None = getattr(cause, "sqlstate", None)
    return state
