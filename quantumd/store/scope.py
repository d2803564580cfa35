"""Scopes as SQL: which rows a caller may see. Nothing is ever filtered afterwards."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import ColumnElement, or_, select

from quantumd.model.context import Scope
from quantumd.store.tables import networks, ports, subnets

Conditions: TypeAlias = tuple[ColumnElement[bool], ...]
"""What to pass to ``where``; empty when everything may be seen."""


def visible_networks(scope: Scope) -> Conditions:
    """The networks of the project, and those shared with every project."""
    if scope.is_everything:
        return ()
    return (or_(networks.c.project_id == scope.project_id, networks.c.shared.is_(True)),)


def visible_subnets(scope: Scope) -> Conditions:
    """The subnets of the project, and those of shared networks."""
    if scope.is_everything:
        return ()
    shared = select(networks.c.id).where(networks.c.shared.is_(True))
    return (or_(subnets.c.project_id == scope.project_id, subnets.c.network_id.in_(shared)),)


def visible_ports(scope: Scope) -> Conditions:
    """The ports of the project, and every port on a network that the project owns."""
    if scope.is_everything:
        return ()
    own = select(networks.c.id).where(networks.c.project_id == scope.project_id)
    return (or_(ports.c.project_id == scope.project_id, ports.c.network_id.in_(own)),)
