"""Which database a URL names, and connections to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import cast

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError
from twisted.python.reflect import namedAny

from quantumd.errors import SettingsError
from quantumd.store.databases import Database, Session
from quantumd.store.sqlite import BUSY_TIMEOUT_MS, memory_engine, positional, raw_connection

__all__ = [
    "BUSY_TIMEOUT_MS",
    "database_named",
    "database_of",
    "database_url",
    "memory_engine",
    "positional",
    "raw_connection",
    "reader_engine",
    "require_driver",
    "session_of",
    "shown_url",
    "writer_engine",
]

_DATABASES = {
    "sqlite": "quantumd.store.sqlite.Sqlite",
    "postgresql": "quantumd.store.postgresql.Postgresql",
    "mariadb": "quantumd.store.mariadb.Mariadb",
}
"""By the name of SQLAlchemy's dialect. A process has one; what the others need is not loaded."""

_SHAPES = "sqlite:////path/to/file, postgresql://user:password@host/database or mariadb://user:password@host/database"

# What operators write, and what it means: each product has one driver that quantumd is tested with.
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mariadb": "mariadb+pymysql",
    "mariadb+pymysql": "mariadb+pymysql",
    "mysql": "mariadb+pymysql",
    "mysql+pymysql": "mariadb+pymysql",
}


_PACKAGES = {"postgresql+psycopg": "psycopg", "mariadb+pymysql": "pymysql"}
"""What is imported for a driver; they are extras, since SQLite needs none."""


def require_driver(url: URL, find: Callable[[str], object] = find_spec) -> None:
    """Return if what speaks to a database is installed.

    :param find: returns something true for a package that is.
    :raises SettingsError: it is not.
    """
    package = _PACKAGES.get(url.drivername)
    if package is not None and not find(package):
        extra = url.drivername.partition("+")[0]
        raise SettingsError(f"database.url {shown_url(url)}: {package} is not installed; quantumd[{extra}] brings it")


def database_url(url: str) -> URL:
    """Return the parsed URL of the database, with the driver that is used for it.

    :raises SettingsError: it cannot be read, or it names a database that is not supported; the password is not shown.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Not quoted: what cannot be parsed may hold a password anywhere.
        raise SettingsError(f"database.url is not a database URL; right would be {_SHAPES}") from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise SettingsError(f"database.url {shown_url(parsed)}: not supported; right would be {_SHAPES}")
    if driver != "sqlite" and not parsed.database:
        raise SettingsError(f"database.url {shown_url(parsed)}: names no database; right would be {_SHAPES}")
    return parsed.set(drivername=driver)


def shown_url(url: URL) -> str:
    """Return a URL as it may be logged: without its password."""
    return url.render_as_string(hide_password=True)


def database_of(url: URL) -> Database:
    """Return what is to be known of the database that a URL of ``database_url`` names."""
    return database_named(url.get_backend_name())


def session_of(connection: Connection) -> Session:
    """Return what a write transaction on this connection needs."""
    return database_named(connection.dialect.name).session(connection)


def writer_engine(url: URL, synchronous: str = "FULL") -> Engine:
    """Return an engine for changes. ``synchronous`` is SQLite's."""
    return database_of(url).writer_engine(url, synchronous)


def reader_engine(url: URL) -> Engine:
    """Return an engine whose transactions refuse to write and see one state of the database."""
    return database_of(url).reader_engine(url)


@cache
def database_named(name: str) -> Database:
    """Return what is to be known of the database whose dialect SQLAlchemy calls so."""
    return cast(Database, namedAny(_DATABASES[name])())
