"""Rows → which logs concern which ports. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, exists, select

from quantumd.model.logging_records import PacketLog
from quantumd.store.nouns import CHUNK
from quantumd.store.tables import ports
from quantumd.store.tables.security import logs, port_security_groups

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LOG = logs.c
_MEMBER = port_security_groups.c

_ANY = select(_LOG.id).where(_LOG.enabled).limit(1)
_SAID = (_LOG.id, _LOG.project_id, _LOG.event)
_HAS_GROUP = exists().where(_MEMBER.port_id == _LOG.target_id, _MEMBER.security_group_id == _LOG.resource_id)
_LOGS_OF_PORTS = (
    select(_LOG.target_id.label("port_id"), *_SAID).where(
        _LOG.enabled, _LOG.target_id.in_(_IDS), _LOG.resource_id.is_(None) | _HAS_GROUP
    ),
    select(_MEMBER.port_id, *_SAID)
    .join(logs, _LOG.resource_id == _MEMBER.security_group_id)
    .where(_LOG.enabled, _LOG.target_id.is_(None), _MEMBER.port_id.in_(_IDS)),
    select(ports.c.id.label("port_id"), *_SAID)
    .join(logs, _LOG.project_id == ports.c.project_id)
    .where(_LOG.enabled, _LOG.target_id.is_(None), _LOG.resource_id.is_(None), ports.c.id.in_(_IDS)),
)
_IS_BOUND = ports.c.host_id != ""
_BOUND = (ports.c.id, ports.c.host_id)
_OF_TARGETS = select(*_BOUND).where(ports.c.id.in_(_IDS), _IS_BOUND)
_OF_GROUPS = (
    select(*_BOUND)
    .join(port_security_groups, _MEMBER.port_id == ports.c.id)
    .where(_MEMBER.security_group_id.in_(_IDS), _IS_BOUND)
)
_OF_PROJECTS = select(*_BOUND).where(ports.c.project_id.in_(_IDS), _IS_BOUND)


def has_logs(connection: Connection) -> bool:
    """Whether anything is to be logged at all: as a rule nothing is."""
    return connection.execute(_ANY).first() is not None


def logs_of_ports(connection: Connection, port_ids: Iterable[str]) -> dict[str, tuple[PacketLog, ...]]:
    """Return the enabled logs that concern ports, by port, in the order of their ids; a port without is not named.

    A log of a group is about the ports that have it; with a port as well, about that one while it has the group; one
    that names neither, about all ports of its project.
    """
    wanted = sorted(set(port_ids))
    found: defaultdict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for statement in _LOGS_OF_PORTS:
        for port_id, *said in _rows(connection, statement, wanted):
            found[port_id].add(tuple(said))
    return {port_id: tuple(PacketLog(*said) for said in sorted(held)) for port_id, held in found.items()}


def bound_ports(
    connection: Connection, port_ids: Iterable[str], group_ids: Iterable[str], project_ids: Iterable[str]
) -> Mapping[str, str]:
    """Return the hosts of all bound ports that are named themselves, by one of their groups or by their project."""
    asked = ((_OF_TARGETS, port_ids), (_OF_GROUPS, group_ids), (_OF_PROJECTS, project_ids))
    return {row.id: row.host_id for statement, ids in asked for row in _rows(connection, statement, sorted(set(ids)))}


def _rows(connection: Connection, statement: Select[Any], wanted: list[str]) -> Iterator[Any]:
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})
