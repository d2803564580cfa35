"""Reading and changing the tags of one kind of resource. A change of tags is a revision of what is tagged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, bindparam, update

from quantumd.api.extensions.tags.values import tag_of, tags_of_body
from quantumd.api.resource import Resource
from quantumd.api.resources.tags import set_tags, tags_of
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

Parts = Mapping[str, str]


class TagResourceNotFound(ApiError):
    """There is nothing that could be tagged, as far as the caller may see."""

    status = 404

    def __init__(self, collection: str, resource_id: str) -> None:
        super().__init__(f"Resource {collection} {resource_id} could not be found.")


class TagNotFound(ApiError):
    """The resource does not have the tag."""

    status = 404

    def __init__(self, tag: str) -> None:
        super().__init__(f"Tag {tag} could not be found.")


@frozen
class Tags:
    """The operations of Actions on the tags of one kind of resource."""

    resource: Resource

    def listed(self, connection: Connection, context: Context, parts: Parts, body: Any) -> dict[str, Any]:
        """Return every tag."""
        view = self._visible(connection, context, parts)
        return {"tags": self._tags(connection, view)}

    def has(self, connection: Connection, context: Context, parts: Parts, body: Any) -> None:
        """Return when the tag is there. TagNotFound."""
        tag = tag_of(parts["tag"])
        if tag not in self._tags(connection, self._visible(connection, context, parts)):
            raise TagNotFound(tag)

    def replace(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> dict[str, Any]:
        """Give it these tags and no others."""
        wanted = tags_of_body(body)
        self._change(tx, context, self._visible(tx.connection, context, parts), set(wanted))
        return {"tags": list(wanted)}

    def add_several(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> dict[str, Any]:
        """Give it these tags too."""
        wanted = tags_of_body(body)
        view = self._visible(tx.connection, context, parts)
        self._change(tx, context, view, {*self._tags(tx.connection, view), *wanted})
        return {"tags": list(wanted)}

    def add(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Give it the tag too."""
        tag = tag_of(parts["tag"])
        view = self._visible(tx.connection, context, parts)
        self._change(tx, context, view, {*self._tags(tx.connection, view), tag})

    def remove(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Take the tag away. TagNotFound."""
        tag = tag_of(parts["tag"])
        view = self._visible(tx.connection, context, parts)
        had = self._tags(tx.connection, view)
        if tag not in had:
            raise TagNotFound(tag)
        self._change(tx, context, view, {*had} - {tag})

    def remove_all(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Take every tag away."""
        self._change(tx, context, self._visible(tx.connection, context, parts), set())

    def _visible(self, connection: Connection, context: Context, parts: Parts) -> dict[str, Any]:
        try:
            view: dict[str, Any] = self.resource.operations.show(connection, context, parts["resource_id"])
        except self.resource.not_found:
            raise TagResourceNotFound(self.resource.collection, parts["resource_id"]) from None
        return view

    def _tags(self, connection: Connection, view: Mapping[str, Any]) -> list[str]:
        return list(tags_of(connection, (view["id"],))[view["id"]])

    def _change(self, tx: Transaction, context: Context, view: Mapping[str, Any], wanted: set[str]) -> None:
        had = self._tags(tx.connection, view)
        if wanted == {*had}:
            return
        before = {**view, "tags": had}
        after = {**before, "tags": sorted(wanted)}
        table = self.resource.table
        if table is not None and "revision_number" in view:
            after |= {"revision_number": view["revision_number"] + 1, "updated_at": tx.now}
            new = {name: after[name] for name in ("revision_number", "updated_at")}
            tx.connection.execute(
                update(table).where(table.c.id == bindparam("wanted")).values(new), {"wanted": view["id"]}
            )
        tx.journal(
            resource=self.resource.journal_name,
            resource_id=view["id"],
            project_id=view.get("project_id") or "",
            request_id=context.request_id,
            operation="update",
            before=before,
            after=after,
        )
        set_tags(tx, view["id"], wanted)
