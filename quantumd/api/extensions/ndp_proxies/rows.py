"""Rows of NDP proxies. No rules here."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from quantumd.api.extensions.ndp_proxies.errors import NDPProxyNotFound
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.rows import Rows, of_project
from quantumd.store.tables import ip_allocations
from quantumd.store.tables.routers import ndp_proxies
from quantumd.store.transaction import Transaction

PROXIES: Final = Rows(
    "ndp_proxy",
    ndp_proxies,
    NDPProxyNotFound,
    of_project(ndp_proxies),
)

_COLUMNS = ndp_proxies.c
_OF_PORT = Prepared(
    select(_COLUMNS.id, _COLUMNS.ip_address).where(_COLUMNS.port_id == bindparam("wanted")).order_by(_COLUMNS.id)
)
_OF_ROUTER = Prepared(
    select(_COLUMNS.ip_address, ip_allocations.c.subnet_id)
    .join(
        ip_allocations,
        (ip_allocations.c.port_id == _COLUMNS.port_id) & (ip_allocations.c.ip_address == _COLUMNS.ip_address),
    )
    .where(_COLUMNS.router_id == bindparam("wanted"))
)


def proxies_of_port(tx: Transaction, port_id: str) -> dict[str, str]:
    """Return the addresses of a port that routers answer for, by the ids of the NDP proxies."""
    return dict(_OF_PORT.rows(tx, {"wanted": port_id}))


def proxied_by(tx: Transaction, router_id: str) -> dict[str, str]:
    """Return the subnets of the addresses that a router answers for, by these."""
    return dict(_OF_ROUTER.rows(tx, {"wanted": router_id}))
