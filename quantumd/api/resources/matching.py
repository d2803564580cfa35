"""Lists as SQL: the ids of the rows that match, in the order that is asked for, page by page.

Pages are found by key: a page begins after the values of its marker's row, so it costs the same wherever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, or_, select

from quantumd.api.errors import HTTPBadRequest, UnknownMarker
from quantumd.api.resource import Page, Query, Sort
from quantumd.api.resources.order import Key, is_after, order_by, sorted_rows
from quantumd.api.resources.tag_filters import tag_conditions
from quantumd.api.resources.views import BATCH
from quantumd.store.scope import Conditions

Alternatives = tuple[Any, ...]


@frozen
class Filterable:
    """What a table's lists can be filtered by.

    ``renamed`` are attributes whose column has another name; ``special`` makes a condition of a filter's
    alternatives, and ``computed`` are what lists are sorted by that no column holds. ``key`` is the column that names a
    row: the marker of a page is one of its values.
    """

    table: Table
    renamed: Mapping[str, str] = {}
    special: Mapping[str, Callable[[Alternatives], ColumnElement[bool]]] = {}
    key: str = "id"
    computed: Mapping[str, ColumnElement[Any]] = {}

    def column(self, attribute: str) -> ColumnElement[Any]:
        """Return the column that holds the attribute, or what computes it; KeyError when nothing does."""
        if attribute in self.computed:
            return self.computed[attribute]
        return self.table.c[self.renamed.get(attribute, attribute)]

    @property
    def key_column(self) -> Column[Any]:
        """The column that names a row."""
        return self.table.c[self.key]


def matching_ids(connection: Connection, filterable: Filterable, visible: Conditions, query: Query) -> list[Any]:
    """Return the ids of the visible rows that match the query, one page of them when it asks for a page.

    Without sort keys a whole list is oldest first, and pages go by id. Ties go by id.

    :raises HTTPBadRequest: an attribute that no column holds.
    :raises UnknownMarker: the page begins at a row that is not visible.
    """
    keys = _keys(filterable, query)
    plain = tuple((name, values) for name, values in query.filters if name not in filterable.special)
    conditions = [*visible, *_conditions(filterable, query)]
    marker = _marker(connection, filterable, keys, visible, query.page)
    statement = select(*(key.column for key in keys)).where(*conditions)
    statements = list(_restricted(statement, filterable, plain))
    if len(statements) == 1:
        return _one_page(connection, statements[0], keys, marker, query.page)
    # Several statements find disjoint rows unless a caller named an alternative twice.
    found = {tuple(row) for each in statements for row in connection.execute(each).all()}
    return _cut(sorted_rows(keys, found), keys, marker, query.page)


def _keys(filterable: Filterable, query: Query) -> tuple[Key, ...]:
    """Return the columns by which the list is ordered; the last one is the key of the row."""
    sorts = query.sorts
    if not sorts and query.page.limit is None and "created_at" in filterable.table.c:
        sorts = (Sort("created_at"),)
    keys = [Key(_column(filterable, each.name, "sort_keys"), each.is_descending) for each in sorts]
    named = [key for key in keys if key.column is not filterable.key_column]
    by_key = next((key for key in keys if key.column is filterable.key_column), Key(filterable.key_column))
    ordered = (*(named if by_key not in keys else keys[: keys.index(by_key)]), by_key)
    return tuple(evolve(key, is_descending=not key.is_descending) for key in ordered) if _is_back(query) else ordered


def _is_back(query: Query) -> bool:
    return query.page.limit is not None and query.page.is_reverse


def _column(filterable: Filterable, attribute: str, purpose: str) -> ColumnElement[Any]:
    try:
        return filterable.column(attribute)
    except KeyError:
        raise HTTPBadRequest(f"['{attribute}'] is invalid attribute for {purpose}") from None


def _conditions(filterable: Filterable, query: Query) -> Iterator[ColumnElement[bool]]:
    for name, alternatives in query.filters:
        if name in filterable.special:
            yield filterable.special[name](alternatives)
    yield from tag_conditions(filterable.key_column, query.tags)
    if query.changed_since is not None:
        yield _column(filterable, "updated_at", "filtering") >= query.changed_since


def _marker(
    connection: Connection, filterable: Filterable, keys: tuple[Key, ...], visible: Conditions, page: Page
) -> tuple[Any, ...] | None:
    """Return what the order knows of the marker's row; None for the first page."""
    if page.limit is None or page.marker is None:
        return None
    statement = select(*(key.column for key in keys)).where(filterable.key_column == page.marker, *visible)
    row = connection.execute(statement).first()
    if row is None:
        raise UnknownMarker(page.marker)
    return tuple(row)


def _one_page(
    connection: Connection, statement: Select[Any], keys: tuple[Key, ...], marker: tuple[Any, ...] | None, page: Page
) -> list[Any]:
    if marker is not None:
        statement = statement.where(is_after(keys, marker))
    ordered = statement.with_only_columns(keys[-1].column).order_by(*order_by(keys))
    if page.limit is not None:
        ordered = ordered.limit(page.limit)
    ids = list(connection.execute(ordered).scalars().all())
    return ids[::-1] if page.limit is not None and page.is_reverse else ids


def _cut(rows: list[tuple[Any, ...]], keys: tuple[Key, ...], marker: tuple[Any, ...] | None, page: Page) -> list[Any]:
    """Return the ids of one page of rows that are in order."""
    ids = [row[-1] for row in rows]
    if page.limit is None:
        return ids
    if marker is not None:
        ids = [row[-1] for row in sorted_rows(keys, {*rows, marker})]
        ids = ids[ids.index(marker[-1]) + 1 :]
    ids = ids[: page.limit]
    return ids[::-1] if page.is_reverse else ids


def _restricted(
    statement: Select[Any], filterable: Filterable, plain: tuple[tuple[str, Alternatives], ...]
) -> Iterator[Select[Any]]:
    """Yield statements that together find what the filters ask for, none with more than BATCH alternatives a filter.

    Databases limit how many parameters a statement may have, and callers name as many ids as they like.
    """
    columns = [_column(filterable, name, "filtering") for name, _ in plain]
    chunked = [[values[begin : begin + BATCH] for begin in range(0, len(values), BATCH)] or [()] for _, values in plain]
    for chunks in product(*chunked):
        yield statement.where(*(_one_of(column, values) for column, values in zip(columns, chunks, strict=True)))


def _one_of(column: ColumnElement[Any], values: Alternatives) -> ColumnElement[bool]:
    if len(values) == 1:
        alone: ColumnElement[bool] = column == values[0]
        return alone
    if None not in values:
        return column.in_(values)
    return or_(column.is_(None), column.in_([value for value in values if value is not None]))
