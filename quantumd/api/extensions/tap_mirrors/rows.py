"""Rows of tap mirrors. No rules here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import bindparam, insert, select

from quantumd.api.extensions.tap_mirrors.errors import TapMirrorNotFound
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.rows import Rows, of_project
from quantumd.store.tables import hosts
from quantumd.store.tables.taps import tap_mirror_ids, tap_mirrors
from quantumd.store.transaction import Transaction

_OF_PORT = Prepared(select(tap_mirrors.c.id).where(tap_mirrors.c.port_id == bindparam("wanted")))
_TAKEN = Prepared(select(tap_mirror_ids.c.mirror_id).where(tap_mirror_ids.c.tunnel_id == bindparam("wanted")))
_ENDING_AT = Prepared(select(hosts.c.host).where(hosts.c.tunnel_ip == bindparam("wanted")))

MIRRORS: Final = Rows(
    "tap_mirror",
    tap_mirrors,
    TapMirrorNotFound,
    of_project(tap_mirrors),
    hidden=frozenset({"created_at"}),
    json=frozenset({"directions"}),
)


def take_ids(tx: Transaction, mirror_id: str, tunnel_ids: Iterable[int]) -> None:
    """Keep ids for a mirror, whose row is there. IntegrityError when another one has one of them."""
    rows = [{"tunnel_id": each, "mirror_id": mirror_id} for each in tunnel_ids]
    tx.connection.execute(insert(tap_mirror_ids), rows)


def is_taken(tx: Transaction, tunnel_id: int) -> bool:
    """Whether copies of a mirror travel under an id."""
    return bool(_TAKEN.rows(tx, {"wanted": tunnel_id}))


def mirrors_of_port(tx: Transaction, port_id: str) -> Sequence[str]:
    """Return the ids of the mirrors of a port."""
    return [row[0] for row in _OF_PORT.rows(tx, {"wanted": port_id})]


def is_end_of_tunnels(tx: Transaction, address: str) -> bool:
    """Whether tunnels of networks end at an address, as the hosts said last."""
    return bool(_ENDING_AT.rows(tx, {"wanted": address}))
