"""Connections to the database, set up as the store needs them.

Only SQLite is served so far. Every connection works in WAL mode, so that readers see a fixed state while the one writer
goes on; transactions are begun by ourselves (``BEGIN IMMEDIATE`` for the writer), because a transaction that begins by
reading cannot wait for the write lock and fails at once instead.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from quantumd.errors import SettingsError

BUSY_TIMEOUT_MS = 10_000
"""How long a connection waits for another process's write lock."""

WRITER_CACHE_KIB = 4096
READER_CACHE_KIB = 2048


def database_url(url: str) -> URL:
    """Return the parsed URL of the database.

    :raises SettingsError: it cannot be read, or it names a database that is not supported; the password is not shown.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Not quoted: what cannot be parsed may hold a password anywhere.
        raise SettingsError("database.url is not a database URL; right would be sqlite:////path/to/file") from None
    if parsed.get_backend_name() != "sqlite":
        raise SettingsError(f"database.url {shown_url(parsed)}: only sqlite:////path/to/file is supported so far")
    return parsed


def shown_url(url: URL) -> str:
    """Return a URL as it may be logged: without its password."""
    return url.render_as_string(hide_password=True)


def writer_engine(url: URL, synchronous: str = "FULL") -> Engine:
    """Return an engine whose transactions take the write lock when they begin."""
    engine = _engine(url)
    _set_up(engine, begin="BEGIN IMMEDIATE", pragmas=(f"synchronous={synchronous}", f"cache_size=-{WRITER_CACHE_KIB}"))
    return engine


def reader_engine(url: URL) -> Engine:
    """Return an engine whose connections refuse to write."""
    engine = _engine(url)
    _set_up(engine, begin="BEGIN", pragmas=(f"cache_size=-{READER_CACHE_KIB}", "query_only=ON"))
    return engine


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
    )

    def connected(raw: sqlite3.Connection, _record: Any) -> None:
        raw.isolation_level = None
        for pragma in (*every, *pragmas):
            raw.execute(f"PRAGMA {pragma}")

    def begun(connection: Connection) -> None:
        raw_connection(connection).execute(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
