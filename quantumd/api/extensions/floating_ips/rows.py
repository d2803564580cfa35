"""Rows of floating IPs. No rules here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from quantumd.api.extensions.floating_ips.details import add_details
from quantumd.api.extensions.floating_ips.errors import FloatingIPNotFound
from quantumd.api.extensions.qos.outside import add_policies
from quantumd.api.resources.prepared import Prepared, text_of
from quantumd.api.resources.rows import Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model import router
from quantumd.model.context import Context
from quantumd.model.status import DOWN
from quantumd.store.tables import ip_allocations, ports, subnets
from quantumd.store.tables.routers import floating_ips, port_forwardings, router_ports
from quantumd.store.transaction import Transaction


def _with_children(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    add_details(connection, context, views)
    add_policies(connection, views)


_FLOATING = floating_ips.c
FLOATING_IPS: Final = Rows(
    "floatingip",
    floating_ips,
    FloatingIPNotFound,
    of_project(floating_ips),
    hidden=frozenset({"floating_port_id", "record_version"}),
    children=_with_children,
    is_taggable=True,
    first_revision=0,
)
NOWHERE: Final[View] = {"port_id": None, "fixed_ip_address": None, "router_id": None}
"""What a floating IP that leads to no port shows."""

_INSIDE, _OUTSIDE = router_ports.alias("inside"), router_ports.alias("outside")
_ROUTERS = Prepared(
    select(_INSIDE.c.router_id, ip_allocations.c.ip_address, subnets.c.gateway_ip)
    .distinct()
    .join(_OUTSIDE, _OUTSIDE.c.router_id == _INSIDE.c.router_id)
    .join(ports, ports.c.id == _OUTSIDE.c.port_id)
    .join(ip_allocations, ip_allocations.c.port_id == _INSIDE.c.port_id)
    .join(subnets, subnets.c.id == ip_allocations.c.subnet_id)
    .where(
        _INSIDE.c.kind == text_of(router.INTERFACE),
        _OUTSIDE.c.kind == text_of(router.GATEWAY),
        ports.c.network_id == bindparam("network"),
        ip_allocations.c.subnet_id == bindparam("subnet"),
    )
    .order_by(_INSIDE.c.router_id)
)
_OF_PORT = Prepared(
    select(_FLOATING.id, _FLOATING.floating_ip_address)
    .where(_FLOATING.port_id == bindparam("wanted"))
    .order_by(_FLOATING.id)
)
_ADDRESSES = Prepared(select(_FLOATING.fixed_ip_address).where(_FLOATING.port_id == bindparam("wanted")))
_OF_ADDRESS = Prepared(
    select(_FLOATING.id, _FLOATING.floating_ip_address).where(
        _FLOATING.port_id == bindparam("port"),
        _FLOATING.fixed_ip_address == bindparam("address"),
        _FLOATING.floating_network_id == bindparam("network"),
    )
)
_OF_ROUTER = Prepared(
    select(_FLOATING.floating_network_id, ip_allocations.c.subnet_id)
    .join(
        ip_allocations,
        (ip_allocations.c.port_id == _FLOATING.port_id) & (ip_allocations.c.ip_address == _FLOATING.fixed_ip_address),
    )
    .where(_FLOATING.router_id == bindparam("wanted"))
)
_FORWARDED = Prepared(
    select(_FLOATING.floating_network_id, ip_allocations.c.subnet_id)
    .join(port_forwardings, port_forwardings.c.floatingip_id == _FLOATING.id)
    .join(
        ip_allocations,
        (ip_allocations.c.port_id == port_forwardings.c.internal_port_id)
        & (ip_allocations.c.ip_address == port_forwardings.c.internal_ip_address),
    )
    .where(_FLOATING.router_id == bindparam("wanted"))
    .distinct()
)
_PORT_OF = Prepared(select(_FLOATING.floating_port_id).where(_FLOATING.id == bindparam("wanted")))
_DATE = Prepared(
    update(floating_ips).where(_FLOATING.id == bindparam("wanted")).values(record_version=bindparam("position"))
)


def router_between(tx: Transaction, network_id: str, subnet_id: str) -> str | None:
    """Return the first router that leads from the subnet to the external network; None when there is none."""
    return next(iter(routers_between(tx, network_id, subnet_id)), None)


def routers_between(tx: Transaction, network_id: str, subnet_id: str) -> list[str]:
    """Return the routers that lead from the subnet to the external network; first the one at its gateway address.

    That is where what VMs answer goes.
    """
    rows: list[tuple[Any, ...]] = _ROUTERS.rows(tx, {"network": network_id, "subnet": subnet_id})
    return [router_id for router_id, address, gateway in sorted(rows, key=lambda row: row[1] != row[2])]


def floating_ips_of_port(tx: Transaction, port_id: str) -> dict[str, str]:
    """Return the floating IPs that lead to the port: their addresses by their ids."""
    return dict(_OF_PORT.rows(tx, {"wanted": port_id}))


def floated_addresses(tx: Transaction, port_id: str) -> set[str]:
    """Return the addresses of the port to which floating IPs lead, whosever they are."""
    return {row[0] for row in _ADDRESSES.rows(tx, {"wanted": port_id})}


def floating_ip_of(tx: Transaction, port_id: str, address: str, network_id: str) -> tuple[str, str] | None:
    """Return id and address of the network's floating IP that leads to the port's address; None when there is none."""
    found = _OF_ADDRESS.rows(tx, {"port": port_id, "address": address, "network": network_id})
    return (found[0][0], found[0][1]) if found else None


def reached_by(tx: Transaction, router_id: str) -> Iterable[tuple[str, str]]:
    """Yield, for each floating IP that the router serves, its external network and a subnet to which it leads.

    One that forwards ports may lead to several.
    """
    for statement in (_OF_ROUTER, _FORWARDED):
        rows: list[tuple[Any, ...]] = statement.rows(tx, {"wanted": router_id})
        yield from ((network_id, subnet_id) for network_id, subnet_id in rows)


def port_of_floating_ip(tx: Transaction, floating_ip_id: str) -> str:
    """Return the id of the port that holds the address on the external network."""
    return str(_PORT_OF.rows(tx, {"wanted": floating_ip_id})[0][0])


def let_go(tx: Transaction, context: Context, floating_ip_id: str) -> None:
    """Let a floating IP lead nowhere, whosever it is."""
    for view in FLOATING_IPS.views(tx.connection, context, (floating_ip_id,)):
        change_floating_ip(tx, context, view, NOWHERE)


def change_floating_ip(tx: Transaction, context: Context, before: View, changes: View) -> View:
    """Write what differs; a floating IP that leads elsewhere or nowhere then is DOWN until that is realised."""
    if all(changes.get(name, before[name]) == before[name] for name in NOWHERE):
        return FLOATING_IPS.change(tx, context, before, changes)
    led = {**changes, "status": DOWN}
    add_details(tx.connection, context, {before["id"]: led})
    after = FLOATING_IPS.change(tx, context, before, led)
    led_now(tx, before["id"])
    return after


def led_now(tx: Transaction, floating_ip_id: str) -> None:
    """Note that the last row of the journal says where the floating IP leads."""
    _DATE.write(tx, ({"wanted": floating_ip_id, "position": tx.position},))
