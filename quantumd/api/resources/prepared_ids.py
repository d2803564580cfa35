"""Reading rows by many ids: on SQLite without SQLAlchemy, which takes longer over 500 ids than the database does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, bindparam
from sqlalchemy.dialects.sqlite import dialect

from quantumd.store.engine import raw_connection

_SIZES = (1, 8, 32, 128, 500)
_ONE_ID = "IN (?)"


class PreparedIds:
    """A select of the rows in which a column has one of the ids asked for, at most 500 of them at once.

    Rows are plain tuples, as the driver gives them: on SQLite true and false are 1 and 0.
    """

    def __init__(self, statement: Select[Any], column: Column[Any]) -> None:
        one = statement.where(column.in_([bindparam("wanted")]))
        sql = str(one.compile(dialect=dialect(paramstyle="qmark")))
        self._statement = statement.where(column.in_(bindparam("ids", expanding=True)))
        self._sql = {size: sql.replace(_ONE_ID, f"IN ({', '.join('?' * size)})") for size in _SIZES}

    def rows(self, connection: Connection, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the rows of these ids."""
        if connection.dialect.name != "sqlite":
            return [tuple(row) for row in connection.execute(self._statement, {"ids": ids})]
        if not ids:
            return []
        size = next(each for each in _SIZES if each >= len(ids))
        # An id that is asked for twice is found once, so a few sizes do for all.
        return raw_connection(connection).execute(self._sql[size], (*ids, *[ids[-1]] * (size - len(ids)))).fetchall()
