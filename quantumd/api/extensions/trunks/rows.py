"""Rows of trunks and of their sub-ports. No rules here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from quantumd.api.extensions.trunks.errors import TrunkNotFound
from quantumd.api.extensions.trunks.status import STATUS
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.rows import Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.trunk import shown_sub_ports
from quantumd.store.tables.ports import sub_ports, trunks
from quantumd.store.transaction import Transaction

_SUB = sub_ports.c
_OF_TRUNKS = PreparedIds(
    select(_SUB.trunk_id, _SUB.port_id, _SUB.segmentation_type, _SUB.segmentation_id).order_by(
        _SUB.trunk_id, _SUB.ordinal, _SUB.port_id
    ),
    _SUB.trunk_id,
)
_STATUS = PreparedIds(select(trunks.c.id, STATUS), trunks.c.id)
_TRUNK_OF_PARENT = Prepared(select(trunks.c.id).where(trunks.c.port_id == bindparam("wanted")))
_TRUNK_OF_SUB_PORT = Prepared(select(_SUB.trunk_id).where(_SUB.port_id == bindparam("wanted")))
_INSERT = Prepared(insert(sub_ports))
_REMOVE = Prepared(delete(sub_ports).where(_SUB.port_id == bindparam("wanted")))


def sub_ports_of(connection: Connection, trunk_ids: Sequence[str]) -> Mapping[str, list[View]]:
    """Return the sub-ports of trunks as these show them; a trunk without any is an empty list."""
    rows: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for start in range(0, len(trunk_ids), 500):
        for trunk_id, *rest in _OF_TRUNKS.rows(connection, trunk_ids[start : start + 500]):
            rows[trunk_id].append((rest[0], rest[1], rest[2]))
    return defaultdict(list, {trunk_id: shown_sub_ports(found) for trunk_id, found in rows.items()})


def status_of(connection: Connection, trunk_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the status of trunks."""
    return dict(_STATUS.rows(connection, trunk_ids))


def _with_ports(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    found, status = sub_ports_of(connection, list(views)), status_of(connection, list(views))
    for trunk_id, view in views.items():
        view.update(sub_ports=found[trunk_id], status=status[trunk_id])


TRUNKS = Rows(
    "trunk",
    trunks,
    TrunkNotFound,
    of_project(trunks),
    children=_with_ports,
    is_taggable=True,
    computed={"status": STATUS},
)


def trunk_of_parent(tx: Transaction, port_id: str) -> str | None:
    """Return the id of the trunk whose parent the port is; None when it is none."""
    rows = _TRUNK_OF_PARENT.rows(tx, {"wanted": port_id})
    return str(rows[0][0]) if rows else None


def trunk_of_sub_port(tx: Transaction, port_id: str) -> str | None:
    """Return the id of the trunk whose sub-port the port is; None when it is none."""
    rows = _TRUNK_OF_SUB_PORT.rows(tx, {"wanted": port_id})
    return str(rows[0][0]) if rows else None


def write_sub_ports(tx: Transaction, trunk_id: str, added: Sequence[Mapping[str, Any]], first: int) -> None:
    """Insert sub-ports after the ``first`` that there are. IntegrityError when a port or a tag is taken."""
    _INSERT.write(tx, [{**each, "trunk_id": trunk_id, "ordinal": first + at} for at, each in enumerate(added)])


def remove_sub_port(tx: Transaction, port_id: str) -> None:
    """Remove a sub-port from its trunk."""
    _REMOVE.write(tx, ({"wanted": port_id},))
