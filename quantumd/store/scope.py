"""Scopes as SQL: which rows a caller may see. Nothing is ever filtered afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, Table, false, or_, select

from quantumd.model.context import EXTERNAL, OWN, PARENT, SHARED, Scope
from quantumd.store.tables import networks, ports, rbac_entries, subnets

Conditions: TypeAlias = tuple[ColumnElement[bool], ...]
"""What to pass to ``where``; empty when everything may be seen."""


EVERYBODY = "*"
"""The target of an RBAC entry that is for every project."""
NETWORK_ACTIONS = ("access_as_shared", "access_as_external")
"""The actions of RBAC entries that let a project see a network."""


def granted(object_type: str, project_id: str | None, *actions: str) -> Select[Any]:
    """Return the select of the ids of the objects of this type that RBAC entries give to the project.

    :param actions: what the entries allow, one of them; none is ``access_as_shared``.
    """
    targets = (EVERYBODY,) if project_id is None else (EVERYBODY, project_id)
    return select(rbac_entries.c.object_id).where(
        rbac_entries.c.target_project.in_(targets),
        rbac_entries.c.object_type == object_type,
        rbac_entries.c.action.in_(actions or ("access_as_shared",)),
    )


def visible(table: Table, object_type: str, scope: Scope) -> Conditions:
    """The rows of the project, and those that RBAC entries share with it."""
    if scope.is_everything:
        return ()
    return _any_of(
        scope,
        (OWN, lambda: table.c.project_id == scope.project_id),
        (SHARED, lambda: table.c.id.in_(granted(object_type, scope.project_id))),
    )


def visible_networks(scope: Scope) -> Conditions:
    """The networks of the project, those shared with it, and those that are external for it."""
    if scope.is_everything:
        return ()
    return _any_of(
        scope,
        (OWN, lambda: networks.c.project_id == scope.project_id),
        (_USABLE, lambda: networks.c.id.in_(_usable_networks(scope))),
    )


def visible_subnets(scope: Scope) -> Conditions:
    """The subnets of the project, of its networks, and of networks that are shared with it or external for it."""
    if scope.is_everything:
        return ()
    return _any_of(
        scope,
        (OWN, lambda: subnets.c.project_id == scope.project_id),
        (PARENT, lambda: subnets.c.network_id.in_(_own_networks(scope))),
        (_USABLE, lambda: subnets.c.network_id.in_(_usable_networks(scope))),
    )


def visible_ports(scope: Scope) -> Conditions:
    """The ports of the project, and every port on a network that the project owns."""
    if scope.is_everything:
        return ()
    return _any_of(
        scope,
        (OWN, lambda: ports.c.project_id == scope.project_id),
        (PARENT, lambda: ports.c.network_id.in_(_own_networks(scope))),
    )


def visible_own(table: Table, scope: Scope) -> Conditions:
    """The rows of the project."""
    if scope.is_everything:
        return ()
    return _any_of(scope, (OWN, lambda: table.c.project_id == scope.project_id))


def actions_of(scope: Scope) -> tuple[str, ...]:
    """Return the actions of RBAC entries that let the scope see a network."""
    return tuple(action for grant, action in _ACTIONS if grant in scope.grants)


_USABLE = "usable"
_ACTIONS = ((SHARED, NETWORK_ACTIONS[0]), (EXTERNAL, NETWORK_ACTIONS[1]))


def _any_of(scope: Scope, *kinds: tuple[str, Callable[[], ColumnElement[bool]]]) -> Conditions:
    grants = scope.grants | {_USABLE} if actions_of(scope) else scope.grants
    conditions = [make() for grant, make in kinds if grant in grants]
    return (or_(*conditions) if conditions else false(),)


def _usable_networks(scope: Scope) -> Select[Any]:
    return granted("network", scope.project_id, *actions_of(scope))


def _own_networks(scope: Scope) -> Select[Any]:
    return select(networks.c.id).where(networks.c.project_id == scope.project_id)
