"""Rows of one resource in one table: journal, times, revisions, tags, filters. The rules are those of the caller.

Most extensions keep a resource in a table whose columns are its attributes. They compose ``Rows`` with their rules;
networks, subnets and ports, whose speed counts, have writers of their own.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from attrs import frozen
from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, insert, select, update

from quantumd.api.aspects import Condition
from quantumd.api.resource import Query
from quantumd.api.resources.matching import Filterable, matching_ids
from quantumd.api.resources.tags import forget_tags, tags_of
from quantumd.api.resources.views import IDS, View, in_batches, json_text
from quantumd.errors import ApiError
from quantumd.model.context import Context, Scope
from quantumd.store.scope import Conditions, visible_own
from quantumd.store.transaction import Transaction

Children = Callable[[Connection, Context, Mapping[str, View]], None]
"""Adds to views (keyed by id) what is kept in other tables."""


def no_children(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    """The resource is all in its row."""


def of_project(table: Table) -> Callable[[Scope], Conditions]:
    """Return the visibility of what only its project and administrators see."""
    return lambda scope: visible_own(table, scope)


def for_everybody(scope: Scope) -> Conditions:
    """The visibility of what everybody sees."""
    return ()


@frozen
class Rows:
    """How one resource is kept.

    ``resource`` is its name in the journal. ``renamed`` are attributes whose column has another name, ``json`` those
    kept as JSON text, ``hidden`` columns that are no attributes. ``children`` adds to views what is kept elsewhere,
    ``special`` filters and ``computed`` sorts by it. ``seen_as`` is the name in ``get_…`` rules where that is another.
    A table with the columns of the standard attributes has them kept up to date; new rows have the ``first_revision``.
    ``owner`` is what of a view says whose it is.
    """

    resource: str
    table: Table
    not_found: Callable[[str], ApiError]
    visible: Callable[[Scope], Conditions]
    renamed: Mapping[str, str] = {}
    json: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    children: Children = no_children
    special: Mapping[str, Condition] = {}
    is_taggable: bool = False
    computed: Mapping[str, ColumnElement[Any]] = {}
    first_revision: int = 1
    seen_as: str = ""
    owner: str = "project_id"

    def insert(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> View:
        """Write a new row and its journal row; return its view. IntegrityError when the table refuses it.

        ``values`` are attributes by name, ``id`` among them; what is no column is shown and journalled only, so the
        caller has written it or will.
        """
        view = dict(values)
        if self._is_standard:
            view.setdefault("description", "")
            view |= {"created_at": tx.now, "updated_at": tx.now, "revision_number": self.first_revision}
        if self.is_taggable:
            view.setdefault("tags", [])
        self._journal(tx, context, "create", None, view)
        tx.connection.execute(insert(self.table), self._columns(view))
        return view

    def change(
        self, tx: Transaction, context: Context, before: View, changes: Mapping[str, Any], operation: str = "update"
    ) -> View:
        """Write what differs and its journal row; return the new view. Nothing is written when nothing differs.

        :param operation: that of the journal row; ``status`` of a change that no record follows.
        """
        named = {name: value for name, value in changes.items() if name not in before or before[name] != value}
        if not named:
            return before
        if self._is_standard:
            named |= {"updated_at": tx.now, "revision_number": before["revision_number"] + 1}
        after = {**before, **named}
        self._journal(tx, context, operation, before, after)
        columns = self._columns(named)
        if columns:
            tx.connection.execute(update(self.table).where(self.table.c.id == before["id"]).values(columns))
        return after

    def touch(self, tx: Transaction, resource_id: str) -> None:
        """Note a new revision because something inside changed; the journal tells of that something."""
        columns = self.table.c
        tx.connection.execute(
            update(self.table)
            .where(columns.id == bindparam("wanted"))
            .values(revision_number=columns.revision_number + 1, updated_at=tx.now),
            {"wanted": resource_id},
        )

    def remove(self, tx: Transaction, context: Context, before: View) -> None:
        """Write the journal row and remove the row with its tags."""
        self._journal(tx, context, "delete", before, None)
        if self.is_taggable:
            forget_tags(tx, before["id"])
        tx.connection.execute(delete(self.table).where(self.table.c.id == before["id"]))

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """Return the view of one that the caller may see. The resource's NotFound."""
        row = connection.execute(
            select(self.table).where(
                self.table.c.id == resource_id, *self.visible(context.scope_of(self.seen_as or self.resource))
            )
        ).first()
        if row is None:
            raise self.not_found(resource_id)
        return self._views(connection, context, [row])[0]

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """Yield the views of those that match, in batches, in the order that the query asks for."""
        filterable = Filterable(self.table, self.renamed, self.special, computed=self.computed)
        for batch in in_batches(
            matching_ids(connection, filterable, self.visible(context.scope_of(self.seen_as or self.resource)), query)
        ):
            yield self.views(connection, context, batch)

    def views(self, connection: Connection, context: Context, ids: Sequence[str]) -> builtins.list[View]:
        """Return the views of these ids in their order, whoever may see them; those that are gone are left out."""
        rows = connection.execute(select(self.table).where(self.table.c.id.in_(IDS)), {"ids": ids}).all()
        by_id = {view["id"]: view for view in self._views(connection, context, rows)}
        return [by_id[each] for each in ids if each in by_id]

    @property
    def _is_standard(self) -> bool:
        return "revision_number" in self.table.c

    def _views(self, connection: Connection, context: Context, rows: Sequence[Any]) -> builtins.list[View]:
        views = {row.id: self._view(row._mapping) for row in rows}
        if self.is_taggable and views:
            tags = tags_of(connection, list(views))
            for resource_id, view in views.items():
                view["tags"] = tags[resource_id]
        if views:
            self.children(connection, context, views)
        return [*views.values()]

    def _view(self, row: Mapping[str, Any]) -> View:
        attribute_of = {column: attribute for attribute, column in self.renamed.items()}
        view: View = {}
        for column, value in row.items():
            if column in self.hidden:
                continue
            # Names of columns are a kind of text of SQLAlchemy's own, which JSON does not take as keys.
            name = attribute_of.get(column, str(column))
            view[name] = _decoded(value) if name in self.json and value is not None else value
        return view

    def _columns(self, view: Mapping[str, Any]) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name, value in view.items():
            column = self.renamed.get(name, name)
            if column in self.table.c:
                columns[column] = json_text(value) if name in self.json and value is not None else value
        return columns

    def _journal(
        self, tx: Transaction, context: Context, operation: str, before: View | None, after: View | None
    ) -> None:
        view = after if after is not None else before
        if view is None:
            raise TypeError("a change has a before or an after")
        tx.journal(
            resource=self.resource,
            resource_id=str(view["id"]),
            project_id=view.get(self.owner) or "",
            request_id=context.request_id,
            operation=operation,
            before=before,
            after=after,
        )


def _decoded(text: str) -> Any:
    return orjson.loads(text)
