"""Rows of bindings that wait for their host. No rules here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import View, json_text, object_of
from quantumd.store.tables.ports import inactive_bindings
from quantumd.store.transaction import Transaction

_COLUMNS = inactive_bindings.c
_ROWS = select(_COLUMNS.host, _COLUMNS.vnic_type, _COLUMNS.profile, _COLUMNS.vif_type, _COLUMNS.vif_details).order_by(
    _COLUMNS.host
)
_INSERT = Prepared(insert(inactive_bindings))
_DELETE = Prepared(
    delete(inactive_bindings).where(_COLUMNS.port_id == bindparam("port"), _COLUMNS.host == bindparam("on_host"))
)


def inactive_bindings_of(connection: Connection, port_id: str) -> list[View]:
    """Return the views of the port's bindings that wait, by host."""
    return [_view(row) for row in connection.execute(_ROWS.where(_COLUMNS.port_id == port_id)).all()]


def write_binding(tx: Transaction, port_id: str, view: View) -> None:
    """Keep a binding, in the place of the one that the port has to that host."""
    row = {
        "port_id": port_id,
        "host": view["host"],
        "vnic_type": view["vnic_type"],
        "profile": json_text(view["profile"]),
        "vif_type": view["vif_type"],
        "vif_details": json_text(view["vif_details"]),
    }
    forget_binding(tx, port_id, view["host"])
    _INSERT.write(tx, (row,))


def forget_binding(tx: Transaction, port_id: str, host: str) -> None:
    """Remove a binding."""
    _DELETE.write(tx, ({"port": port_id, "on_host": host},))


def _view(row: Sequence[Any]) -> View:
    host, vnic_type, profile, vif_type, vif_details = row
    return {
        "host": host,
        "vnic_type": vnic_type,
        "profile": object_of(profile),
        "vif_type": vif_type,
        "vif_details": object_of(vif_details),
        "status": "INACTIVE",
    }
