"""Statements of the hot path: on SQLite their SQL is made once, and the driver runs them.

SQLAlchemy takes 60 to 80 us around an insert or a small select that SQLite does in 3 to 14 us; a port takes three. A
server takes longer than that for the way there and back, so there SQLAlchemy runs them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Delete, Insert, Select, String, Update, literal_column
from sqlalchemy.exc import IntegrityError

from quantumd.store.engine import positional, raw_connection
from quantumd.store.transaction import Transaction


class Prepared:
    """A Core statement, made ready when it first runs. Values must be of types that the driver takes as they are."""

    def __init__(self, statement: Select[Any] | Insert | Update | Delete) -> None:
        self._statement = statement

    @cached_property
    def on_sqlite(self) -> tuple[str, tuple[str, ...]]:
        """Its SQL, and the names of the values in their places."""
        return positional(self._statement)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self._statement.compile().params)

    def rows(self, tx: Transaction, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a select and return its rows."""
        return self.read(tx.connection, values)

    def read(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a select outside of changes and return its rows."""
        if not _is_sqlite(connection):
            return [tuple(row) for row in connection.execute(self._statement, self._named(values))]
        sql, names = self.on_sqlite
        return raw_connection(connection).execute(sql, _placed(names, values)).fetchall()

    def write(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an insert, an update or a delete for each row. SQLAlchemy's IntegrityError, as if it had run it."""
        if not _is_sqlite(tx.connection):
            for row in rows:
                tx.connection.execute(self._statement, self._named(row))
            return
        sql, names = self.on_sqlite
        raw = raw_connection(tx.connection)
        try:
            if len(rows) == 1:
                raw.execute(sql, _placed(names, rows[0]))
            else:
                raw.executemany(sql, [_placed(names, row) for row in rows])
        except sqlite3.IntegrityError as error:
            raise IntegrityError(sql, None, error) from None

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in self._names}


def _placed(names: tuple[str, ...], values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple([values[name] for name in names])


def text_of(constant: str) -> ColumnElement[str]:
    """Return a text that is a part of the statement, for those whose values are given by name. No quotes are in it."""
    if "'" in constant:
        raise ValueError(f"not a plain text: {constant!r}")
    return literal_column(f"'{constant}'", String)


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
