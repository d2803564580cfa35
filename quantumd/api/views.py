"""What answers show: the attributes that the caller may see, of those the ones asked for, and ``tenant_id``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from attrs import frozen

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.policy.guard import Guard, Shown
from quantumd.api.policy.targets import Body
from quantumd.api.resource import Resource
from quantumd.model.context import Context


@frozen
class Shape:
    """Which attributes one answer shows: everything but ``hidden``, or of that only ``fields`` unless it is None.

    ``ask`` takes out of a view what the rules hide in this row; None when they hide the same in every row.
    """

    hidden: tuple[str, ...]
    fields: frozenset[str] | None
    has_project: bool
    ask: Callable[[dict[str, Any]], None] | None = None

    def apply(self, view: dict[str, Any]) -> dict[str, Any]:
        """Return the view as the caller sees it; the given one is used up."""
        if self.has_project and PROJECT in view:
            view[TENANT] = view[PROJECT]
        if self.ask is not None:
            self.ask(view)
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
    guard: Guard
    invisible: tuple[str, ...]
    has_project: bool

    def shape(self, context: Context, fields: frozenset[str] = frozenset()) -> Shape:
        """Return what this caller sees; no ``fields`` means all. It is found out once an answer, not for each row."""
        shown = self.guard.shown(context)
        ask = _asking(shown, context, self.member) if shown.by_row else None
        return Shape(shown.hidden + self.invisible, fields or None, self.has_project, ask)

    def hidden(self, context: Context) -> tuple[str, ...]:
        """Return the attributes that others see and this caller does not, or not in every row."""
        shown = self.guard.shown(context)
        return (*shown.hidden, *(name for name, _ in shown.by_row))

    def one(self, context: Context, view: dict[str, Any], fields: frozenset[str] = frozenset()) -> bytes:
        """Return the body that shows one."""
        return orjson.dumps({self.member: self.shape(context, fields).apply(view)})

    def many(self, context: Context, views: list[dict[str, Any]]) -> bytes:
        """Return the body that shows those that a bulk request made."""
        shape = self.shape(context)
        return orjson.dumps({self.collection: [shape.apply(view) for view in views]})


def _asking(shown: Shown, context: Context, member: str) -> Callable[[dict[str, Any]], None]:
    def ask(view: dict[str, Any]) -> None:
        target = Body(member, dict(view), None)
        for name, check in shown.by_row:
            if check(context, target) is not True:
                view.pop(name, None)

    return ask


def views_of(resource: Resource, guard: Guard) -> Views:
    """Make the resource's answers ready."""
    return Views(
        member=resource.member,
        collection=resource.collection,
        guard=guard,
        invisible=tuple(each.name for each in resource.attributes if not each.is_visible),
        has_project=resource.has_project,
    )
