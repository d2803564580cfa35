"""Journal rows → notifications, in the words of today's Neutron.

Source: neutron/pecan_wsgi/hooks/notifier.py. There a request makes them, before and after it is done; here the journal
does, after it is done, so that a request that fails makes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

import orjson
from attrs import frozen

from quantumd.api.policy.guard import guard_of
from quantumd.api.policy.rules import default_policy
from quantumd.api.resource import Resource
from quantumd.api.views import views_of
from quantumd.model.context import Context
from quantumd.store.journal import JournalRow

OPERATIONS = frozenset({"create", "update", "delete"})
"""What is told. Nobody is told of a port's ``status``, which today's agents change without a request."""

_NAMESPACE = UUID("5d4a2f0e-6a0f-4b8e-9d5c-7a1c3f2b9e10")
_EVERYTHING = default_policy().bind(Context("", roles=frozenset({"admin"})))
_BOOKKEEPING = frozenset({"revision_number", "updated_at"})

_NAMES = {
    "port_binding": "binding",
    "qos_policy": "policy",
    "local_ip_association": "port_association",
    "default_statefulness": "security_groups_default_statefulness",
}
"""What the API calls what the journal calls otherwise."""


@frozen
class Asker:
    """Whose request it was. ``user_id`` and ``project_id`` are None when it was nobody's."""

    request_id: str
    user_id: str | None = None
    project_id: str | None = None


@frozen
class Notification:
    """One event. ``message_id`` is the same whenever the same row is told again. ``at`` is UTC text of the journal.

    ``lane`` names what it is about: those of one lane are told in their order.
    """

    event_type: str
    payload: Mapping[str, Any]
    message_id: UUID
    at: str
    asker: Asker
    lane: str


class Teller:
    """Makes notifications of rows, with the attributes that the served resources show an administrator."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._views = {
            each.member: (views_of(each, guard_of(each, default_policy())), _visible(each)) for each in resources
        }

    def tell(self, row: JournalRow) -> tuple[Notification, ...]:
        """Return the two of a change, start and end; nothing of what is not told."""
        if row.operation not in OPERATIONS:
            return ()
        member = _NAMES.get(row.resource, row.resource)
        before, after = self._shown(member, row.before), self._shown(member, row.after)
        started, ended = _PAYLOADS[row.operation](member, row.resource_id, before, after)
        asker = Asker(row.request_id, row.user_id, row.user_project_id)
        lane = f"{row.resource} {row.resource_id}"

        def made(phase: str, payload: dict[str, Any]) -> Notification:
            message_id = uuid5(_NAMESPACE, f"{row.position} {row.at} {row.resource_id} {phase}")
            return Notification(f"{member}.{row.operation}.{phase}", payload, message_id, row.at, asker, lane)

        return made("start", started), made("end", ended)

    def shown(self, member: str, view: dict[str, Any]) -> dict[str, Any]:
        """Return a view as the API shows it to an administrator; the given one is used up."""
        if member not in self._views:
            return view
        views, visible = self._views[member]
        shown = views.shape(_EVERYTHING).apply(view)
        return {name: value for name, value in shown.items() if name in visible}

    def _shown(self, member: str, text: str | None) -> dict[str, Any]:
        return self.shown(member, orjson.loads(text)) if text else {}


def _visible(resource: Resource) -> frozenset[str]:
    """The names that the API shows: the journal keeps some more, for those who compile it."""
    return frozenset({"tenant_id", *(each.name for each in resource.attributes)})


def _created(member: str, resource_id: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Any, Any]:
    return {member: after}, {member: after}


def _updated(member: str, resource_id: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Any, Any]:
    differs = {name: value for name, value in after.items() if name not in before or before[name] != value}
    wanted = {name: value for name, value in differs.items() if name not in _BOOKKEEPING}
    return {member: wanted, "id": resource_id}, {member: after}


def _deleted(member: str, resource_id: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Any, Any]:
    return {f"{member}_id": resource_id}, {f"{member}_id": resource_id}


_PAYLOADS = {"create": _created, "update": _updated, "delete": _deleted}
