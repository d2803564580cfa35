"""A tiny resource in memory, through which the API's mechanics are seen without rules or tables of networking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import define, field
from zope.interface import implementer

from quantumd.api import values
from quantumd.api.attributes import REQUIRED, Attribute
from quantumd.api.policy.rules import Override, Policy, make_policy
from quantumd.api.resource import IOperations, Query, Resource
from quantumd.api.resources.arranged import arranged
from quantumd.errors import ApiError, EdgeUnavailable
from quantumd.model.context import OWN, Context, Scope


class WidgetNotFound(ApiError):
    """There is no such widget."""

    status = 404

    def __init__(self, widget_id: str) -> None:
        super().__init__(f"Widget {widget_id} could not be found.")


ATTRIBUTES = (
    Attribute("id", *values.UUID, filter_convert=values.filter_uuid),
    Attribute("name", *values.NAME, in_post=True, in_put=True, default="", filter_convert=values.filter_text),
    Attribute("network_id", *values.UUID, in_post=True, default=REQUIRED, filter_convert=values.filter_uuid),
    Attribute("project_id", *values.NAME, in_post=True, default="", filter_convert=values.filter_text),
    Attribute(
        "admin_state_up",
        *values.BOOLEAN,
        in_post=True,
        in_put=True,
        default=True,
        filter_convert=values.filter_boolean,
    ),
    Attribute("mac_address", *values.MAC_ADDRESS_OR_NONE, in_post=True, default=None),
    Attribute("size", *values.integer(0, 100), in_post=True, default=1, filter_convert=values.filter_integer),
    Attribute("colours", *values.list_of(values.NAME), in_post=True, in_put=True, default=()),
    Attribute("shared", *values.BOOLEAN, in_post=True, in_put=True, default=False),
    Attribute(
        "provider:kind",
        *values.NAME,
        in_post=True,
        in_put=True,
    ),
    Attribute("status", values.NAME.convert, values.NAME.schema, filter_convert=values.filter_text),
    Attribute("revision_number", *values.integer(0), filter_convert=values.filter_integer),
    Attribute("secret", *values.NAME, is_visible=False),
)


@implementer(IOperations)
@define
class Widgets:
    """The operations, on a dict. The name ``bug`` raises what nobody meant, ``edge`` what edges raise."""

    rows: dict[str, dict[str, Any]] = field(factory=dict)

    def create(self, tx: Any, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """See IOperations."""
        return [self._add(body) for body in bodies]

    def _add(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body["name"] == "bug":
            raise ZeroDivisionError("not for the caller's eyes")
        if body["name"] == "edge":
            raise EdgeUnavailable("not for the caller's eyes either")
        widget_id = str(UUID(int=len(self.rows) + 1))
        row = {"id": widget_id, "provider:kind": "tin", "status": "ACTIVE", "secret": "s", "revision_number": 1, **body}
        self.rows[widget_id] = row
        return dict(row)

    def update(self, tx: Any, context: Context, resource_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """See IOperations."""
        row = self._row(context, resource_id)
        row.update(changes, revision_number=row["revision_number"] + 1)
        return dict(row)

    def delete(self, tx: Any, context: Context, resource_id: str) -> None:
        """See IOperations."""
        self._row(context, resource_id)
        del self.rows[resource_id]

    def show(self, connection: Any, context: Context, resource_id: str) -> dict[str, Any]:
        """See IOperations."""
        return dict(self._row(context, resource_id))

    def list(self, connection: Any, context: Context, query: Query) -> Iterator[list[dict[str, Any]]]:
        """See IOperations."""
        found = arranged([dict(row) for row in self.rows.values() if _is_seen(context, row)], query)
        for start in range(0, len(found), 500):
            yield found[start : start + 500]

    def _row(self, context: Context, resource_id: str) -> dict[str, Any]:
        row = self.rows.get(resource_id)
        if row is None or not _is_seen(context, row):
            raise WidgetNotFound(resource_id)
        return row


def _is_seen(context: Context, row: Mapping[str, Any]) -> bool:
    return _holds(context.scope_of("widget"), row["project_id"])


def _holds(scope: Scope, project_id: str) -> bool:
    return scope.is_everything or (OWN in scope.grants and project_id == scope.project_id)


def widget_policy() -> Policy:
    """Return the default rules and those of widgets."""
    owners = "rule:admin_only or (role:{} and project_id:%(project_id)s)"
    texts = {f"{verb}_widget": owners.format("member") for verb in ("create", "update", "delete")}
    texts |= {"get_widget": owners.format("reader"), "get_widget:provider:kind": "rule:admin_only"}
    ruled = [f"{verb}_widget:{name}" for verb in ("create", "update") for name in ("shared", "provider:kind")]
    texts |= dict.fromkeys(ruled, "rule:admin_only")
    return make_policy({name: Override(text) for name, text in texts.items()}, known=frozenset(texts))


def widget_resource(widgets: Widgets) -> Resource:
    """Return the resource over these operations."""
    return Resource("widget", "widgets", ATTRIBUTES, widgets, WidgetNotFound)
