"""Rows of conntrack helpers. No rules here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from quantumd.api.extensions.conntrack_helpers.errors import ConntrackHelperNotFound
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables.routers import conntrack_helpers, routers
from quantumd.store.transaction import Transaction

RESOURCE: Final = "conntrack_helper"
OWNER: Final = "router_project_id"
INTERNALS: Final = frozenset({"router_id", OWNER})
"""What the journal says of a helper beside what is shown: its router, and whose that is."""
SHOWN_WITH_ROUTERS: Final = "conntrack_helpers"

_COLUMNS = conntrack_helpers.c
_WHOSE = PreparedIds(
    select(_COLUMNS.id, routers.c.project_id).join(routers, routers.c.id == _COLUMNS.router_id), _COLUMNS.id
)
_OF_ROUTERS = PreparedIds(
    select(_COLUMNS.router_id, _COLUMNS.protocol, _COLUMNS.port, _COLUMNS.helper).order_by(
        _COLUMNS.router_id, _COLUMNS.protocol, _COLUMNS.port, _COLUMNS.helper
    ),
    _COLUMNS.router_id,
)


def _with_owners(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    for helper_id, project_id in _WHOSE.rows(connection, list(views)):
        views[helper_id][OWNER] = project_id


def rows_of(router_id: str) -> Rows:
    """Return how the helpers of a router are kept."""
    return _rows(_COLUMNS.router_id == router_id)


def _rows(*conditions: ColumnElement[bool]) -> Rows:
    return Rows(
        RESOURCE,
        conntrack_helpers,
        ConntrackHelperNotFound,
        lambda scope: conditions,
        children=_with_owners,
        owner=OWNER,
    )


def remove_helpers(tx: Transaction, context: Context, router_id: str) -> None:
    """Remove those of a router that goes."""
    rows = rows_of(router_id)
    wanted = select(_COLUMNS.id).where(_COLUMNS.router_id == router_id).order_by(_COLUMNS.id)
    for helper_id in tx.connection.execute(wanted).scalars().all():
        rows.remove(tx, context, rows.show(tx.connection, context, helper_id))


def show_helpers(connection: Connection, views: Mapping[str, View]) -> None:
    """Add to views of routers what helpers they have."""
    found: defaultdict[str, list[View]] = defaultdict(list)
    for router_id, protocol, port, helper in _OF_ROUTERS.rows(connection, list(views)):
        found[router_id].append({"protocol": protocol, "port": port, "helper": helper})
    for router_id, view in views.items():
        view[SHOWN_WITH_ROUTERS] = found[router_id]
