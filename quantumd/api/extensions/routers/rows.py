"""Rows of routers and of the ports that they use. No rules here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from quantumd.api.extensions.conntrack_helpers.rows import show_helpers
from quantumd.api.extensions.qos.outside import gateway_policies
from quantumd.api.extensions.routers.attributes import GATEWAY, GATEWAYS, HINTS, ZONES
from quantumd.api.extensions.routers.errors import RouterNotFound
from quantumd.api.extensions.routers.gateway_rows import FIRST_NUMBER
from quantumd.api.resources.prepared import Prepared, text_of
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.rows import Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model import router
from quantumd.model.context import Context
from quantumd.model.router import Link
from quantumd.model.status import L3
from quantumd.store.scope import visible_subnets
from quantumd.store.tables import ip_allocations, ports, subnets
from quantumd.store.tables.routers import router_ports, routers
from quantumd.store.tables.services import agents
from quantumd.store.transaction import Transaction

_PORT = router_ports.c
_GATEWAYS = PreparedIds(
    select(_PORT.router_id, _PORT.port_id, ports.c.network_id, ip_allocations.c.subnet_id, ip_allocations.c.ip_address)
    .join(ports, ports.c.id == _PORT.port_id)
    .outerjoin(ip_allocations, ip_allocations.c.port_id == _PORT.port_id)
    .where(_PORT.kind == text_of(router.GATEWAY))
    .order_by(_PORT.ordinal, _PORT.port_id, ip_allocations.c.ordinal),
    _PORT.router_id,
)
_ZONES = PreparedIds(
    select(routers.c.id, agents.c.availability_zone).join_from(
        routers, agents, (agents.c.host == routers.c.host) & (agents.c.role == text_of(L3))
    ),
    routers.c.id,
)
_LINKS = Prepared(
    select(
        _PORT.port_id,
        _PORT.kind,
        ip_allocations.c.subnet_id,
        subnets.c.cidr,
        ip_allocations.c.ip_address,
        subnets.c.network_id,
    )
    .join(ip_allocations, ip_allocations.c.port_id == _PORT.port_id)
    .join(subnets, subnets.c.id == ip_allocations.c.subnet_id)
    .where(_PORT.router_id == bindparam("wanted"))
    .order_by(_PORT.port_id, ip_allocations.c.ordinal)
)
_USES = Prepared(
    select(_PORT.port_id, _PORT.kind).where(_PORT.router_id == bindparam("wanted")).order_by(_PORT.port_id)
)
_USE = Prepared(select(_PORT.router_id).where(_PORT.port_id == bindparam("wanted")))
_OWNER = Prepared(select(routers.c.project_id).where(routers.c.id == bindparam("wanted")))
_TAKE = Prepared(insert(router_ports))
_LEAVE = Prepared(delete(router_ports).where(_PORT.port_id == bindparam("wanted")))


def _with_gateways(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    found: defaultdict[str, dict[str, View]] = defaultdict(dict)
    for router_id, port_id, network_id, subnet_id, ip_address in _GATEWAYS.rows(connection, list(views)):
        gateway = found[router_id].setdefault(port_id, {"network_id": network_id, "external_fixed_ips": []})
        if subnet_id is not None:
            gateway["external_fixed_ips"].append({"subnet_id": subnet_id, "ip_address": ip_address})
    firsts = {router_id: next(iter(some.values()))["network_id"] for router_id, some in found.items()}
    policies = gateway_policies(connection, firsts)
    for router_id, view in views.items():
        enable_snat, gateways = bool(view.pop("enable_snat")), list(found[router_id].values())
        shown = {"enable_snat": enable_snat, **policies.get(router_id, {})}
        view[GATEWAY] = {**gateways[0], **shown} if gateways else None
        view[GATEWAYS] = gateways


def _with_children(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    _with_gateways(connection, context, views)
    show_helpers(connection, views)
    zones = dict(_ZONES.rows(connection, list(views)))
    for router_id, view in views.items():
        view[ZONES] = [zones[router_id]] if zones.get(router_id) else []


ROUTERS: Final = Rows(
    "router",
    routers,
    RouterNotFound,
    of_project(routers),
    json=frozenset({"routes", HINTS}),
    hidden=frozenset({"host", "record_version", "taken_from"}),
    children=_with_children,
    is_taggable=True,
)


def gateways_shown(tx: Transaction, router_id: str, enable_snat: bool) -> View:
    """Return what the API shows of the router's gateways now: the first, and all."""
    views: dict[str, View] = {router_id: {"enable_snat": enable_snat}}
    _with_gateways(tx.connection, Context(request_id=""), views)
    return views[router_id]


def links_of(tx: Transaction, router_id: str, kind: str | None = None) -> dict[str, list[Link]]:
    """Return the links of the ports that the router uses, all or those of a kind, by port."""
    found: defaultdict[str, list[Link]] = defaultdict(list)
    for port_id, of_kind, *link in _LINKS.rows(tx, {"wanted": router_id}):
        if kind in (None, of_kind):
            found[port_id].append(Link(*link))
    return found


def ports_of(tx: Transaction, router_id: str, kind: str) -> list[str]:
    """Return the ids of the ports that the router uses so."""
    return [port_id for port_id, of_kind in _USES.rows(tx, {"wanted": router_id}) if of_kind == kind]


def user_of(tx: Transaction, port_id: str) -> str | None:
    """Return the router that uses a port."""
    found: list[tuple[Any, ...]] = _USE.rows(tx, {"wanted": port_id})
    return found[0][0] if found else None


def owner_of(tx: Transaction, router_id: str) -> str | None:
    """Return the project of a router, whosever it is; None when there is no such router."""
    found: list[tuple[Any, ...]] = _OWNER.rows(tx, {"wanted": router_id})
    return found[0][0] if found else None


def take_port(tx: Transaction, router_id: str, port_id: str, kind: str) -> None:
    """Note that the router uses the port; of gateways its place is noted by ``take_gateway``."""
    row = {"port_id": port_id, "router_id": router_id, "kind": kind, "ordinal": 0, "number": FIRST_NUMBER}
    _TAKE.write(tx, (row,))


def leave_port(tx: Transaction, port_id: str) -> None:
    """Note that no router uses the port."""
    _LEAVE.write(tx, ({"wanted": port_id},))


def network_of_subnet(tx: Transaction, context: Context, subnet_id: str) -> str | None:
    """Return the network of a subnet that the caller sees; None when it sees none."""
    seen = visible_subnets(context.scope_of("subnet"))
    found: str | None = tx.connection.execute(
        select(subnets.c.network_id).where(subnets.c.id == subnet_id, *seen)
    ).scalar()
    return found
