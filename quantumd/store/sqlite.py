"""SQLite: a file of this machine, or memory.

Every connection works in WAL mode, so that readers see a fixed state while the one writer goes on; transactions are
begun by ourselves (``BEGIN IMMEDIATE`` for the writer), because a transaction that begins by reading cannot wait for
the write lock and fails at once instead. That lock is the writers' turn.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import URL, ClauseElement, Connection, Engine, NullPool, StaticPool, create_engine, event

from quantumd.store.databases import LOCK_TIMEOUT_SECONDS

BUSY_TIMEOUT_MS = LOCK_TIMEOUT_SECONDS * 1000
"""How long a connection waits for another process's write lock."""

WRITER_CACHE_KIB = 4096
READER_CACHE_KIB = 2048

CHECKPOINT_PAGES = 4000
"""How long the WAL may be before it is written back, 16 MiB. Many pages are changed by each commit, and they are then
written back once in place of four times."""

# Written out: each change runs these, and sqlite3 alone takes a quarter of the time that SQLAlchemy's layer adds.
_APPEND = (
    'INSERT INTO journal (at, resource, resource_id, project_id, request_id, operation, "before", "after",'
    " user_id, user_project_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ADD_UP = (
    "INSERT INTO tallies (project_id, resource, number) VALUES (?, ?, ?)"
    " ON CONFLICT (project_id, resource) DO UPDATE SET number = number + excluded.number"
)


@frozen
class _Savepoint:
    """A savepoint that is open: how many rows were changed before it, and whether it is the one around it."""

    changes: int
    is_shared: bool


class SqliteSession:
    """Implements Session."""

    __slots__ = ("_connection", "_raw", "_savepoints")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = raw_connection(connection)
        self._savepoints: list[_Savepoint] = []

    @property
    def is_open(self) -> bool:
        """See Session."""
        return self._raw.in_transaction

    @property
    def may_commit(self) -> bool:
        """See Session."""
        return self._raw.in_transaction

    def take_turn(self) -> None:
        """See Session. ``BEGIN IMMEDIATE`` has waited for it."""

    def mark(self) -> object:
        """See Session. A commit that failed is not there."""
        return None

    def is_kept(self, mark: object) -> bool:
        """See Session."""
        return False

    def append(self, row: tuple[Any, ...]) -> int:
        """See Session."""
        position = self._raw.execute(_APPEND, row).lastrowid
        if position is None:
            raise TypeError("an insert into the journal gave no position")
        return position

    def add_up(self, project_id: str, resource: str, step: int) -> None:
        """See Session."""
        self._raw.execute(_ADD_UP, (project_id, resource, step))

    # Names of savepoints may repeat: ROLLBACK TO and RELEASE take the innermost (sqlite.org/lang_savepoint.html).

    def save(self, depth: int) -> None:
        """See Session. Where nothing was written since the last savepoint, that one is shared."""
        outer = self._savepoints[-1] if self._savepoints else None
        is_unchanged = outer is not None and outer.changes == self._raw.total_changes
        is_shared = is_unchanged and not self._connection.in_nested_transaction()
        if not is_shared:
            self._raw.execute("SAVEPOINT q")
        self._savepoints.append(_Savepoint(self._raw.total_changes, is_shared))

    def keep(self, depth: int) -> None:
        """See Session."""
        if not self._savepoints[-1].is_shared:
            self._raw.execute("RELEASE q")
        self._savepoints.pop()

    def undo(self, depth: int) -> None:
        """See Session."""
        inner = self._savepoints.pop()
        self._raw.execute("ROLLBACK TO q")
        if not inner.is_shared:
            self._raw.execute("RELEASE q")
        else:
            # What was undone is counted all the same; the savepoint that was shared is as it was.
            self._savepoints[-1] = evolve(self._savepoints[-1], changes=self._raw.total_changes)

    def roll_back(self) -> None:
        """See Session."""
        try:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.invalidate()


class Sqlite:
    """Implements Database."""

    name = "sqlite"

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """See Database."""
        return (sqlite3.Error,)

    def writer_engine(self, url: URL, synchronous: str) -> Engine:
        """See Database. Transactions take the write lock when they begin."""
        engine = _engine(url)
        pragmas = (f"synchronous={synchronous}", f"cache_size=-{WRITER_CACHE_KIB}")
        _set_up(engine, begin="BEGIN IMMEDIATE", pragmas=pragmas)
        return engine

    def reader_engine(self, url: URL) -> Engine:
        """See Database."""
        engine = _engine(url)
        _set_up(engine, begin="BEGIN", pragmas=(f"cache_size=-{READER_CACHE_KIB}", "query_only=ON"))
        return engine

    def upgrade_engine(self, url: URL) -> Engine:
        """See Database."""
        return self.writer_engine(url, "FULL")

    def session(self, connection: Connection) -> SqliteSession:
        """See Database."""
        return SqliteSession(connection)

    def is_conflict(self, error: BaseException) -> bool:
        """See Database. Who has the write lock meets nobody."""
        return False

    def is_loss(self, error: BaseException) -> bool:
        """See Database. A file does not go away."""
        return False

    def lock_schema(self, connection: Connection) -> None:
        """See Database. A write transaction is alone."""

    def fitted(self, statement: str) -> str:
        """See Database. SQLite upgrades whole or not at all, and compares text byte by byte."""
        return statement


def memory_engine() -> Engine:
    """Return an engine on a database that lives in this process and ends with the engine."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}, hide_parameters=True
    )
    _set_up(engine, begin="BEGIN IMMEDIATE", pragmas=())
    return engine


def raw_connection(connection: Connection) -> sqlite3.Connection:
    """Return the DBAPI's connection, for the few statements that are run so often that SQLAlchemy's 15 us count."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError(f"not a connection of sqlite3: {type(raw)}")
    return raw


def positional(statement: ClauseElement) -> tuple[str, tuple[str, ...]]:
    """Return a statement as ``raw_connection`` takes it, and the names of its values in their places."""
    # Where another database is used SQLAlchemy's part for this one is not loaded.
    from sqlalchemy.dialects.sqlite import dialect

    compiled = statement.compile(dialect=dialect(paramstyle="qmark"))
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())


def _engine(url: URL) -> Engine:
    # The store keeps its connections itself, one a thread, and moves those of streams between its threads.
    # hide_parameters: an error's text may reach a log, and what callers send does not belong there.
    return create_engine(url, poolclass=NullPool, connect_args={"check_same_thread": False}, hide_parameters=True)


def _set_up(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    every = (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "journal_size_limit=16777216",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
    )

    def connected(raw: sqlite3.Connection, _record: Any) -> None:
        raw.isolation_level = None
        for pragma in (*every, *pragmas):
            raw.execute(f"PRAGMA {pragma}")

    def begun(connection: Connection) -> None:
        raw_connection(connection).execute(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
