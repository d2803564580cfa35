"""Ports whose devices were plugged before their host was told of them."""

from __future__ import annotations

from collections.abc import Sequence

from quantumd.api.resources.ports import bind_plugged
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction
from quantumd.store.trunk_nouns import sub_ports_of


def with_sub_ports(tx: Transaction, port_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ports, and those whose frames travel on their devices."""
    inside = sub_ports_of(tx.connection, port_ids) if port_ids else {}
    return (*port_ids, *(each for some in inside.values() for each in some))


def bind_all(tx: Transaction, context: Context, port_ids: Sequence[str], host: str) -> None:
    """Bind to the host those of the ports that are bound to none, and their sub-ports with them."""
    bound = [port_id for port_id in port_ids if bind_plugged(tx, context, port_id, host)]
    for inside in (sub_ports_of(tx.connection, bound) if bound else {}).values():
        for port_id in inside:
            bind_plugged(tx, context, port_id, host)
