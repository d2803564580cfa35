"""Rows → tap mirrors, and which hosts they concern. Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson
from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from quantumd.model.nouns import TapMirror
from quantumd.model.tap_mirrors import ids_by_direction
from quantumd.store.nouns import CHUNK
from quantumd.store.tables import hosts, ports
from quantumd.store.tables.taps import tap_mirrors

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_MIRRORS: Final = (
    select(
        tap_mirrors.c.id,
        tap_mirrors.c.port_id,
        ports.c.host_id,
        tap_mirrors.c.mirror_type,
        tap_mirrors.c.remote_ip,
        tap_mirrors.c.directions,
    )
    .join(ports, ports.c.id == tap_mirrors.c.port_id)
    .order_by(tap_mirrors.c.id)
)
_ENDS: Final = select(hosts.c.tunnel_ip).where(hosts.c.tunnel_ip.is_not(None))


def mirrors(connection: Connection, ids: Iterable[str]) -> dict[str, TapMirror]:
    """Return mirrors by id."""
    return _found(connection, _MIRRORS.where(tap_mirrors.c.id.in_(_IDS)), ids)


def mirrors_of_ports(connection: Connection, port_ids: Iterable[str]) -> dict[str, TapMirror]:
    """Return the mirrors of ports, by id."""
    return _found(connection, _MIRRORS.where(tap_mirrors.c.port_id.in_(_IDS)), port_ids)


def mirrors_of_host(connection: Connection, host: str) -> dict[str, TapMirror]:
    """Return the mirrors whose ports are bound to a host, by id."""
    return _found(connection, _MIRRORS.where(ports.c.host_id.in_(_IDS)), (host,))


def every_bound_mirror(connection: Connection) -> dict[str, TapMirror]:
    """Return all mirrors whose ports are bound to a host, by id."""
    return {row.id: _noun(row) for row in connection.execute(_MIRRORS.where(ports.c.host_id != ""))}


def every_end(connection: Connection) -> frozenset[str]:
    """Return the addresses at which tunnels of networks end, as hosts said last."""
    return frozenset(connection.execute(_ENDS).scalars())


def _found(connection: Connection, statement: Select[Any], asked: Iterable[str]) -> dict[str, TapMirror]:
    wanted = sorted(set(asked))
    found: dict[str, TapMirror] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = connection.execute(statement, {"ids": wanted[start : start + CHUNK]})
        found.update((row.id, _noun(row)) for row in rows)
    return found


def _noun(row: Any) -> TapMirror:
    return TapMirror(
        row.id,
        row.port_id,
        row.host_id,
        row.mirror_type,
        row.remote_ip,
        ids_by_direction(orjson.loads(row.directions)),
    )
