"""What of a change a caller sees: the attributes that a GET of the same thing would show it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson
from attrs import field, frozen

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.events import wire
from quantumd.api.policy.guard import guard_of
from quantumd.api.policy.rules import Policy
from quantumd.api.resource import Resource
from quantumd.api.views import Views, views_of
from quantumd.model.context import OWN, PARENT, Context
from quantumd.store.journal import JournalRow

REQUEST_PREFIX: Final = "req-"
"""How ids of requests begin. Others name hosts, which is the operators' business."""

Show = Callable[[dict[str, Any]], dict[str, Any]]


@frozen
class Event:
    """One event as bytes, and what streams choose by."""

    position: int
    resource: str
    data: bytes


@frozen
class Catalogue:
    """The resources whose changes are told, by the name that the journal has for them."""

    resources: Mapping[str, Resource]
    views: Mapping[str, Views]

    def names(self) -> Iterable[str]:
        """Return the names that a stream can be asked for."""
        return self.resources.keys()


def catalogue_of(served: Iterable[Resource], policy: Policy) -> Catalogue:
    """Return the catalogue of what is served under these rules.

    Of two resources of one name it is the one with a path of its own.
    """
    resources: dict[str, Resource] = {}
    for resource in served:
        name = resource.journal_name
        if name not in resources or resources[name].is_nested:
            resources[name] = resource
    return Catalogue(resources, {name: views_of(each, guard_of(each, policy)) for name, each in resources.items()})


@frozen
class Sight:
    """What one caller sees. Made once for all streams of callers who see the same."""

    context: Context
    catalogue: Catalogue
    _shows: dict[str, Show | None] = field(factory=dict, init=False, eq=False)

    def event(self, row: JournalRow) -> Event | None:
        """Return the event that tells of a change in the caller's scope; None when it may not see such things."""
        show = self._show(row.resource)
        if show is None:
            return None
        is_request = self.context.scope.is_everything or row.request_id.startswith(REQUEST_PREFIX)
        data = {
            "position": row.position,
            "at": row.at,
            "resource": row.resource,
            "resource_id": row.resource_id,
            "project_id": row.project_id,
            "request_id": row.request_id if is_request else None,
            "operation": row.operation,
            "before": _shown(row.before, show),
            "after": _shown(row.after, show),
        }
        name = f"{row.resource}.{row.operation}"
        return Event(row.position, row.resource, wire.event(row.position, name, data))

    def _show(self, name: str) -> Show | None:
        if name not in self._shows:
            self._shows[name] = self._made(name)
        return self._shows[name]

    def _made(self, name: str) -> Show | None:
        resource = self.catalogue.resources.get(name)
        if resource is None:
            # The journal alone knows it, and that is for administrators.
            return dict if self.context.scope.is_everything else None
        seen = self.context.scope_of(resource.ruled_as)
        # The rows are those of the caller's own project already; what it is in is, too.
        if not (seen.is_everything or seen.grants & {OWN, PARENT}):
            return None
        # Named one by one: the journal keeps more of some things than the API shows.
        fields = {each.name for each in resource.attributes}
        fields |= {"tags"} if resource.is_taggable else set()
        fields |= {TENANT} if PROJECT in fields else set()
        return self.catalogue.views[name].shape(self.context, frozenset(fields)).apply


def _shown(text: str | None, show: Show) -> dict[str, Any] | None:
    return None if text is None else show(orjson.loads(text))
