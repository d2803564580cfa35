"""What answers show: the attributes that the caller may see, of those the ones asked for, and ``tenant_id``."""

from __future__ import annotations

from typing import Any

import orjson
from attrs import frozen

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.policy import ANY, allows
from quantumd.api.resource import Resource
from quantumd.model.context import Context


@frozen
class Shape:
    """Which attributes one answer shows: everything but ``hidden``, or of that only ``fields`` unless it is None."""

    hidden: tuple[str, ...]
    fields: frozenset[str] | None
    has_project: bool

    def apply(self, view: dict[str, Any]) -> dict[str, Any]:
        """Return the view as the caller sees it; the given one is used up."""
        if self.has_project and PROJECT in view:
            view[TENANT] = view[PROJECT]
        for name in self.hidden:
            view.pop(name, None)
        if self.fields is not None:
            return {name: value for name, value in view.items() if name in self.fields}
        return view


@frozen
class Views:
    """The shapes of one resource, made once at start by ``views_of``."""

    member: str
    collection: str
    ruled: tuple[tuple[str, str], ...]
    """(attribute, rule) of those that not everybody sees."""
    invisible: tuple[str, ...]
    has_project: bool

    def shape(self, context: Context, fields: frozenset[str] = frozenset()) -> Shape:
        """Return what this caller sees; no ``fields`` means all."""
        return Shape(self.hidden(context) + self.invisible, fields or None, self.has_project)

    def hidden(self, context: Context) -> tuple[str, ...]:
        """Return the attributes that others see and this caller does not."""
        return tuple(name for name, rule in self.ruled if not allows(rule, context))

    def one(self, context: Context, view: dict[str, Any], fields: frozenset[str] = frozenset()) -> bytes:
        """Return the body that shows one."""
        return orjson.dumps({self.member: self.shape(context, fields).apply(view)})

    def many(self, context: Context, views: list[dict[str, Any]]) -> bytes:
        """Return the body that shows those that a bulk request made."""
        shape = self.shape(context)
        return orjson.dumps({self.collection: [shape.apply(view) for view in views]})


def views_of(resource: Resource) -> Views:
    """Make the resource's answers ready."""
    return Views(
        member=resource.member,
        collection=resource.collection,
        ruled=tuple((each.name, each.read_rule) for each in resource.attributes if each.read_rule != ANY),
        invisible=tuple(each.name for each in resource.attributes if not each.is_visible),
        has_project=any(attribute.name == PROJECT for attribute in resource.attributes),
    )
