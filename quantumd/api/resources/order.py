"""Orders of rows: as SQL, as the condition of coming after a row, and in memory. Absent values come first, as today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Column, ColumnElement, and_, false, literal, or_

Row = tuple[Any, ...]


@frozen(eq=False)
class Key:
    """One column of an order, or what is computed. The last one names the row, so that no two rows are equal."""

    column: ColumnElement[Any]
    is_descending: bool = False

    @property
    def is_nullable(self) -> bool:
        """Whether it may be NULL; what is computed never is."""
        return isinstance(self.column, Column) and bool(self.column.nullable)


def order_by(keys: Sequence[Key]) -> Iterator[ColumnElement[Any]]:
    """Yield what to order by. Databases differ in where they put NULL, so that is said too."""
    for key in keys:
        parts = (key.column.is_not(None), key.column) if key.is_nullable else (key.column,)
        for part in parts:
            yield part.desc() if key.is_descending else part.asc()


def is_after(keys: Sequence[Key], row: Row) -> ColumnElement[bool]:
    """Return the condition of coming after the row, whose values are those of the keys."""
    ways = []
    for at, key in enumerate(keys):
        equal = (
            each.column.is_(None) if value is None else each.column == value
            for each, value in zip(keys[:at], row[:at], strict=True)
        )
        ways.append(and_(*equal, _beyond(key, row[at])))
    return or_(*ways)


def _beyond(key: Key, value: Any) -> ColumnElement[bool]:
    column: ColumnElement[Any] = key.column
    if value is None:
        return false() if key.is_descending else column.is_not(None)
    # A parameter, because SQLAlchemy does not compare with True and False themselves.
    given = literal(value, key.column.type)
    beyond: ColumnElement[bool] = column < given if key.is_descending else column > given
    return or_(beyond, column.is_(None)) if key.is_descending and key.is_nullable else beyond


def sorted_rows(keys: Sequence[Key], rows: Iterable[Row]) -> list[Row]:
    """Return the rows, whose values are those of the keys, in order."""
    ordered = list(rows)
    # Sorting is stable: the least important key first.
    for at in range(len(keys) - 1, -1, -1):
        ordered.sort(key=lambda row, at=at: (row[at] is not None, row[at]), reverse=keys[at].is_descending)  # type: ignore[misc]
    return ordered
