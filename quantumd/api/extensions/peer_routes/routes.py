"""Keeps the host routes of a routed network's subnets: each leads to the subnets of other segments.

The setting ``max_host_routes`` bounds what a request names, not what is added to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from quantumd.api.resources.subnet_rows import change_subnet, subnet_views
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.peer_routes import is_same, with_peers, without_peer
from quantumd.store.tables import subnets
from quantumd.store.transaction import Transaction

ROUTES = "host_routes"
_REASONS = frozenset({ROUTES, "gateway_ip"})

_OTHERS = (
    select(subnets.c.id, subnets.c.cidr, subnets.c.segment_id)
    .where(subnets.c.network_id == bindparam("network"), subnets.c.ip_version == bindparam("version"))
    .order_by(subnets.c.created_at, subnets.c.id)
)


def give_routes(tx: Transaction, view: View) -> None:
    """Put the routes to its peers into a new subnet that is on a segment."""
    if view["segment_id"] is not None:
        view[ROUTES] = with_peers(view[ROUTES], view["gateway_ip"], _peers(tx, view))


def keep_routes(tx: Transaction, before: View, changed: dict[str, Any]) -> None:
    """Make changes of the routes or the gateway of a subnet on a segment leave the routes to its peers there."""
    if before["segment_id"] is None or _REASONS.isdisjoint(changed):
        return
    after = {**before, **changed}
    old = before["gateway_ip"] if "gateway_ip" in changed else None
    routes = with_peers(after[ROUTES], after["gateway_ip"], _peers(tx, after), old)
    if is_same(routes, before[ROUTES]):
        changed.pop(ROUTES, None)
    else:
        changed[ROUTES] = routes


def peer_came(tx: Transaction, context: Context, peer: View) -> int:
    """Give the peers of a new subnet a route to it, each as a revision; return the last position, 0 when none has."""
    return _follow(tx, context, peer, "")


def peer_gone(tx: Transaction, context: Context, peer: View) -> int:
    """Take the route to a subnet that is gone from those that were its peers. See peer_came."""
    return _follow(tx, context, peer, peer["cidr"])


def _follow(tx: Transaction, context: Context, peer: View, gone: str) -> int:
    if peer["segment_id"] is None:
        return 0
    wanted = {"network": peer["network_id"], "version": peer["ip_version"]}
    ids = [row.id for row in tx.connection.execute(_OTHERS, wanted) if row.id != peer["id"]]
    position = 0
    for view in subnet_views(tx.connection, ids).values():
        routes = without_peer(view[ROUTES], view["gateway_ip"], gone) if gone else view[ROUTES]
        routes = with_peers(routes, view["gateway_ip"], _peers(tx, view))
        if not is_same(routes, view[ROUTES]):
            _, position = change_subnet(tx, context, view, {ROUTES: routes})
    return position


def _peers(tx: Transaction, view: Mapping[str, Any]) -> list[str]:
    """Return the cidrs of the subnets of the network and IP version that are on other segments."""
    wanted = {"network": view["network_id"], "version": view["ip_version"]}
    rows = tx.connection.execute(_OTHERS, wanted)
    return [row.cidr for row in rows if row.segment_id != view["segment_id"] and row.id != view["id"]]
