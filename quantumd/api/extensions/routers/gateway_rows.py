"""Rows of the gateways of routers: their order and their numbers. No rules here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen
from sqlalchemy import bindparam, select, update

from quantumd.api.resources.prepared import Prepared, text_of
from quantumd.model.router import GATEWAY
from quantumd.store.tables import ip_allocations, ports
from quantumd.store.tables.routers import router_ports
from quantumd.store.transaction import Transaction

_PORT = router_ports.c
_HELD = Prepared(
    select(
        _PORT.port_id,
        ports.c.network_id,
        _PORT.number,
        ip_allocations.c.ip_address,
        ip_allocations.c.subnet_id,
    )
    .join(ports, ports.c.id == _PORT.port_id)
    .outerjoin(ip_allocations, ip_allocations.c.port_id == _PORT.port_id)
    .where(_PORT.router_id == bindparam("wanted"), _PORT.kind == text_of(GATEWAY))
    .order_by(_PORT.ordinal, _PORT.port_id, ip_allocations.c.ordinal)
)
_PLACE = Prepared(
    update(router_ports)
    .where(_PORT.port_id == bindparam("wanted"))
    .values(ordinal=bindparam("place"), number=bindparam("own"))
)
_ORDER = Prepared(update(router_ports).where(_PORT.port_id == bindparam("wanted")).values(ordinal=bindparam("place")))
FIRST_NUMBER: Final = 1


@frozen
class HeldGateway:
    """A gateway that a router has: its port, its network, its number, and its addresses, each with its subnet."""

    port_id: str
    network_id: str
    number: int
    addresses: tuple[tuple[str, str], ...]


def gateways_of(tx: Transaction, router_id: str) -> list[HeldGateway]:
    """Return the gateways of a router, the first one first."""
    found: dict[str, HeldGateway] = {}
    for port_id, network_id, number, *address in _HELD.rows(tx, {"wanted": router_id}):
        held: tuple[Any, ...] = found[port_id].addresses if port_id in found else ()
        more = (tuple(address),) if address[0] is not None else ()
        found[port_id] = HeldGateway(port_id, network_id, number, (*held, *more))
    return list(found.values())


def take_gateway(tx: Transaction, port_id: str, held: Sequence[HeldGateway]) -> None:
    """Let a port be the last gateway, behind those that are held, with the lowest number that none of them has."""
    taken = {each.number for each in held}
    number = next(each for each in range(FIRST_NUMBER, len(held) + 2) if each not in taken)
    _PLACE.write(tx, ({"wanted": port_id, "place": len(held), "own": number},))
    order_gateways(tx, (*(each.port_id for each in held), port_id))


def order_gateways(tx: Transaction, port_ids: Sequence[str]) -> None:
    """Let the gateways of a router be in this order."""
    _ORDER.write(tx, tuple({"wanted": port_id, "place": place} for place, port_id in enumerate(port_ids)))
