"""Rows of subnet pools and of what else is shared as a whole: what the API shows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from sqlalchemy import ColumnElement, Connection, Table, or_

from quantumd.api.extensions.rbac.shared import shared_with
from quantumd.api.resources.pool_errors import SubnetPoolNotFound
from quantumd.api.resources.rows import Children, Rows
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.scope import granted, visible
from quantumd.store.tables.subnets import subnetpools

POOL_TYPE = "subnetpool"
"""The name of subnet pools in the journal and in RBAC entries."""

_LENGTHS = ("default_prefixlen", "min_prefixlen", "max_prefixlen")


def whether_shared(object_type: str) -> Children:
    """Return what adds ``shared`` to views: whether the object is granted to the caller's project."""

    def add(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
        shared = shared_with(connection, context, object_type, list(views))
        for object_id, view in views.items():
            view["shared"] = object_id in shared

    return add


def filtered_by_sharing(rows: Rows, context: Context) -> Rows:
    """Return the rows with a filter ``shared`` that finds what answers to this caller show as shared."""
    return evolve(rows, special={"shared": _shared_filter(rows.table, rows.resource, context)})


def _shared_filter(table: Table, object_type: str, context: Context) -> Any:
    shared = table.c.id.in_(granted(object_type, context.project_id))

    def condition(alternatives: tuple[Any, ...]) -> ColumnElement[bool]:
        return or_(*(shared if wanted else ~shared for wanted in alternatives))

    return condition


POOLS = Rows(
    POOL_TYPE,
    subnetpools,
    SubnetPoolNotFound,
    lambda scope: visible(subnetpools, POOL_TYPE, scope),
    json=frozenset({"prefixes"}),
    children=whether_shared(POOL_TYPE),
    is_taggable=True,
)


def shown_pool(view: View) -> View:
    """Return the view of a pool as answers have it: lengths of prefixes are texts, as today."""
    return {**view, **{name: str(view[name]) for name in _LENGTHS}}
