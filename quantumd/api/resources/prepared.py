"""Statements of the hot path: their SQL is made once, and the driver runs them.

SQLAlchemy takes 60 to 80 us around an insert or a small select that SQLite does in 3 to 14 us; a port takes three.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.exc import IntegrityError

from quantumd.store.engine import raw_connection
from quantumd.store.transaction import Transaction


class Prepared:
    """A Core statement made ready for SQLite. Values must be of types that the driver takes as they are."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=dialect(paramstyle="qmark"))
        self.sql = str(compiled)
        self._names = tuple(getattr(compiled, "positiontup", None) or ())

    def rows(self, tx: Transaction, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a select and return its rows."""
        return raw_connection(tx.connection).execute(self.sql, self._positional(values)).fetchall()

    def write(self, tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an insert, an update or a delete for each row. SQLAlchemy's IntegrityError, as if it had run it."""
        raw = raw_connection(tx.connection)
        try:
            for row in rows:
                raw.execute(self.sql, self._positional(row))
        except sqlite3.IntegrityError as error:
            raise IntegrityError(self.sql, None, error) from None

    def _positional(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([values[name] for name in self._names])
