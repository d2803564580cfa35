"""Writing networks: what changes of them with their subnets and DHCP ports."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from quantumd.api.resources.facts import forget_network
from quantumd.store.tables import networks
from quantumd.store.transaction import Transaction

_TOUCHED = update(networks).where(networks.c.id == bindparam("wanted")).values(record_version=bindparam("position"))
_GREW = _TOUCHED.values(revision_number=networks.c.revision_number + 1, updated_at=bindparam("now"))


def record_changed(tx: Transaction, network_id: str, position: int) -> None:
    """Note that what hosts must know of the network changed at the journal position."""
    forget_network(tx, network_id)
    tx.connection.execute(_TOUCHED, {"wanted": network_id, "position": position})


def subnets_changed(tx: Transaction, network_id: str, position: int) -> None:
    """Note that a subnet came or went, which is a revision of the network too."""
    forget_network(tx, network_id)
    tx.connection.execute(_GREW, {"wanted": network_id, "position": position, "now": tx.now})
