"""Scopes as SQL: which rows a caller may see. Nothing is ever filtered afterwards."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, Table, or_, select

from quantumd.model.context import Scope
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
    shared = table.c.id.in_(granted(object_type, scope.project_id))
    return (or_(table.c.project_id == scope.project_id, shared),)


def visible_networks(scope: Scope) -> Conditions:
    """The networks of the project, those shared with it, and those that are external for it."""
    if scope.is_everything:
        return ()
    return (or_(networks.c.project_id == scope.project_id, networks.c.id.in_(_usable_networks(scope))),)


def visible_subnets(scope: Scope) -> Conditions:
    """The subnets of the project, and those of networks that are shared with it or external for it."""
    if scope.is_everything:
        return ()
    return (or_(subnets.c.project_id == scope.project_id, subnets.c.network_id.in_(_usable_networks(scope))),)


def _usable_networks(scope: Scope) -> Select[Any]:
    return granted("network", scope.project_id, *NETWORK_ACTIONS)


def visible_ports(scope: Scope) -> Conditions:
    """The ports of the project, and every port on a network that the project owns."""
    if scope.is_everything:
        return ()
    own = select(networks.c.id).where(networks.c.project_id == scope.project_id)
    return (or_(ports.c.project_id == scope.project_id, ports.c.network_id.in_(own)),)
