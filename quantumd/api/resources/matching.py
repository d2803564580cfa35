"""Filters of lists as SQL, and the ids of the rows that match."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from attrs import frozen
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, select

from quantumd.api.resource import Query
from quantumd.api.resources.views import BATCH
from quantumd.store.scope import Conditions

Alternatives = tuple[Any, ...]


@frozen
class Filterable:
    """What a table's lists can be filtered by.

    ``renamed`` are attributes whose column has another name; ``special`` makes a condition of a filter's
    alternatives.
    """

    table: Table
    renamed: Mapping[str, str] = {}
    special: Mapping[str, Callable[[Alternatives], ColumnElement[bool]]] = {}

    def column(self, attribute: str) -> Column[Any]:
        """Return the column that holds the attribute."""
        return self.table.c[self.renamed.get(attribute, attribute)]


def matching_ids(connection: Connection, filterable: Filterable, visible: Conditions, query: Query) -> list[str]:
    """Return the ids of the visible rows that match every filter, oldest first with ties by id."""
    table = filterable.table
    statement = select(table.c.created_at, table.c.id).where(*visible)
    for name, alternatives in query.filters:
        if name in filterable.special:
            statement = statement.where(filterable.special[name](alternatives))
    plain = tuple((name, values) for name, values in query.filters if name not in filterable.special)
    statements = list(_restricted(statement, filterable, plain))
    if len(statements) == 1:
        ordered = statements[0].with_only_columns(table.c.id).order_by(table.c.created_at, table.c.id)
        return list(connection.execute(ordered).scalars().all())
    # Several statements find disjoint rows unless a caller named an alternative twice.
    found = {tuple(row) for each in statements for row in connection.execute(each).all()}
    return [row_id for _, row_id in sorted(found)]


def _restricted(
    statement: Select[Any], filterable: Filterable, plain: tuple[tuple[str, Alternatives], ...]
) -> Iterator[Select[Any]]:
    """Yield statements that together find what the filters ask for, none with more than BATCH alternatives a filter.

    Databases limit how many parameters a statement may have, and callers name as many ids as they like.
    """
    columns = [filterable.column(name) for name, _ in plain]
    chunked = [[values[begin : begin + BATCH] for begin in range(0, len(values), BATCH)] or [()] for _, values in plain]
    for chunks in product(*chunked):
        yield statement.where(
            *(
                column == values[0] if len(values) == 1 else column.in_(values)
                for column, values in zip(columns, chunks, strict=True)
            )
        )
