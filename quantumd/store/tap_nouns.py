"""Rows → taps, and which hosts they concern. Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, or_, select

from quantumd.model.nouns import Tap
from quantumd.store.nouns import CHUNK
from quantumd.store.tables import ports
from quantumd.store.tables.taps import tap_flows, tap_services

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_SOURCE, _TARGET = ports.alias("tapped"), ports.alias("listening")
_TAPS = (
    select(
        tap_flows.c.id,
        tap_flows.c.source_port,
        tap_services.c.port_id,
        tap_flows.c.direction,
        tap_services.c.number,
        _SOURCE.c.host_id.label("source_host"),
        _TARGET.c.host_id.label("target_host"),
    )
    .join(tap_services, tap_services.c.id == tap_flows.c.tap_service_id)
    .join(_SOURCE, _SOURCE.c.id == tap_flows.c.source_port)
    .join(_TARGET, _TARGET.c.id == tap_services.c.port_id)
    .order_by(tap_flows.c.id)
)
_PORTS = select(tap_services.c.port_id).where(tap_services.c.id.in_(_IDS))
_BY_ID = _TAPS.where(tap_flows.c.id.in_(_IDS))
_OF_PORTS = _TAPS.where(or_(tap_flows.c.source_port.in_(_IDS), tap_services.c.port_id.in_(_IDS)))
_OF_HOSTS = _TAPS.where(or_(_SOURCE.c.host_id.in_(_IDS), _TARGET.c.host_id.in_(_IDS)))


def taps(connection: Connection, ids: Iterable[str]) -> dict[str, Tap]:
    """Return tap flows by id."""
    return _found(connection, _BY_ID, ids)


def taps_of_ports(connection: Connection, port_ids: Iterable[str]) -> dict[str, Tap]:
    """Return the tap flows that copy from or to ports."""
    return _found(connection, _OF_PORTS, port_ids)


def taps_of_host(connection: Connection, host: str) -> dict[str, Tap]:
    """Return the tap flows with a port that is bound to a host."""
    return _found(connection, _OF_HOSTS, (host,))


def ports_of_services(connection: Connection, service_ids: Iterable[str]) -> set[str]:
    """Return the ports that get the copies of tap services."""
    found: set[str] = set()
    wanted = sorted(set(service_ids))
    for start in range(0, len(wanted), CHUNK):
        found.update(connection.execute(_PORTS, {"ids": wanted[start : start + CHUNK]}).scalars())
    return found


def _found(connection: Connection, statement: Select[Any], asked: Iterable[str]) -> dict[str, Tap]:
    wanted = sorted(set(asked))
    found: dict[str, Tap] = {}
    for start in range(0, len(wanted), CHUNK):
        found.update(
            (row.id, Tap(*row)) for row in connection.execute(statement, {"ids": wanted[start : start + CHUNK]})
        )
    return found
