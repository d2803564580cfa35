"""Reading rows by many ids: on SQLite without SQLAlchemy, which takes longer over 500 ids than the database does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Connection, Select, bindparam

from quantumd.store.engine import positional, raw_connection

_SIZES = (1, 8, 32, 128, 500)
_ONE_ID = "IN (?)"


class PreparedIds:
    """A select of the rows in which a column has one of the ids asked for, at most 500 of them at once.

    Rows are plain tuples, as the driver gives them: on SQLite true and false are 1 and 0.
    """

    def __init__(self, statement: Select[Any], column: Column[Any]) -> None:
        self._all = statement
        self._column = column

    @cached_property
    def _statement(self) -> Select[Any]:
        return self._all.where(self._column.in_(bindparam("ids", expanding=True)))

    @cached_property
    def _sql(self) -> dict[int, str]:
        sql, _ = positional(self._all.where(self._column.in_([bindparam("wanted")])))
        return {size: sql.replace(_ONE_ID, f"IN ({', '.join('?' * size)})") for size in _SIZES}

    def rows(self, connection: Connection, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the rows of these ids."""
        if connection.dialect.name != "sqlite":
            return [tuple(row) for row in connection.execute(self._statement, {"ids": ids})]
        if not ids:
            return []
        size = next(each for each in _SIZES if each >= len(ids))
        # An id that is asked for twice is found once, so a few sizes do for all.
        return raw_connection(connection).execute(self._sql[size], (*ids, *[ids[-1]] * (size - len(ids)))).fetchall()
