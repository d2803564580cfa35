"""What a floating IP shows of the port to which it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select

from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables import ports

DETAILS: Final = "port_details"

_SHOWN: Final = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")
_PORTS = PreparedIds(select(ports.c.id, *(ports.c[name] for name in _SHOWN)), ports.c.id)


def add_details(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    """Add what is shown of the ports to views of floating IPs; None to those that lead to no port."""
    ids = {view["port_id"] for view in views.values()} - {None}
    found = {row[0]: dict(zip(_SHOWN, row[1:], strict=True)) for row in _PORTS.rows(connection, sorted(ids))}
    for each in found.values():
        each["admin_state_up"] = bool(each["admin_state_up"])
    for view in views.values():
        view[DETAILS] = found.get(view["port_id"])
