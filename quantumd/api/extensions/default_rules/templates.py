"""What a new group gets of the administrator's templates and settings. Reading only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from quantumd.api.resources.views import IDS
from quantumd.model.security import PARENT
from quantumd.store.tables.security import (
    address_groups,
    default_security_group_rules,
    default_statefulness,
    security_groups,
)

EVERY_PROJECT = ""
"""The project of the setting that holds where a project has none of its own."""

_MATCH = (
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "remote_address_group_id",
)


def rules_for_new_group(connection: Connection, group_id: str, is_default: bool) -> list[dict[str, Any]]:
    """Return what the rules of a new group say of packets, by the templates.

    A template whose group or address group is gone gives no rule: what it would have let in stays out.
    """
    columns = default_security_group_rules.c
    used = columns.used_in_default_sg if is_default else columns.used_in_non_default_sg
    statement = select(default_security_group_rules).where(used.is_(True)).order_by(columns.created_at, columns.id)
    found = [{name: row._mapping[name] for name in _MATCH} for row in connection.execute(statement).all()]
    gone = _gone(connection, found)
    return [
        {**each, "remote_group_id": group_id} if each["remote_group_id"] == PARENT else each
        for each in found
        if gone.isdisjoint((each["remote_group_id"], each["remote_address_group_id"]))
    ]


def _gone(connection: Connection, found: list[Mapping[str, Any]] | list[dict[str, Any]]) -> set[str]:
    groups = {each["remote_group_id"] for each in found} - {None, PARENT}
    addresses = {each["remote_address_group_id"] for each in found} - {None}
    return _missing(connection, security_groups, groups) | _missing(connection, address_groups, addresses)


def _missing(connection: Connection, table: Table, ids: set[str]) -> set[str]:
    if not ids:
        return set()
    return ids - set(connection.execute(select(table.c.id).where(table.c.id.in_(IDS)), {"ids": sorted(ids)}).scalars())


def stateful_by_default(connection: Connection, project_id: str) -> bool:
    """Return whether a new group of the project is stateful when the request does not say."""
    columns = default_statefulness.c
    statement = select(columns.project_id, columns.stateful).where(columns.project_id.in_((project_id, EVERY_PROJECT)))
    said = {row.project_id: bool(row.stateful) for row in connection.execute(statement).all()}
    return said.get(project_id, said.get(EVERY_PROJECT, True))
