"""Rows of tap services and tap flows. No rules here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, bindparam, select

from quantumd.api.extensions.taps.errors import TapFlowNotFound, TapServiceNotFound
from quantumd.api.extensions.taps.status import FLOW_STATUS, SERVICE_STATUS
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.resources.rows import Children, Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.taps import LAST_NUMBER
from quantumd.store.tables.taps import tap_flows, tap_services
from quantumd.store.transaction import Transaction

_NUMBERS = select(tap_services.c.number).order_by(tap_services.c.number)
_FLOWS_OF_SERVICE = Prepared(select(tap_flows.c.id).where(tap_flows.c.tap_service_id == bindparam("wanted")))
_FLOWS_OF_SOURCE = Prepared(select(tap_flows.c.id).where(tap_flows.c.source_port == bindparam("wanted")))
_SERVICES_OF_PORT = Prepared(select(tap_services.c.id).where(tap_services.c.port_id == bindparam("wanted")))


def _of(*columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns)


def _with_status(key: Column[str], status: ColumnElement[str]) -> Children:
    prepared = PreparedIds(_of(key, status), key)

    def add(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
        for tap_id, found in prepared.rows(connection, list(views)):
            views[tap_id]["status"] = found

    return add


SERVICES: Final = Rows(
    "tap_service",
    tap_services,
    TapServiceNotFound,
    of_project(tap_services),
    hidden=frozenset({"created_at", "number"}),
    children=_with_status(tap_services.c.id, SERVICE_STATUS),
    computed={"status": SERVICE_STATUS},
)
FLOWS: Final = Rows(
    "tap_flow",
    tap_flows,
    TapFlowNotFound,
    of_project(tap_flows),
    hidden=frozenset({"created_at"}),
    children=_with_status(tap_flows.c.id, FLOW_STATUS),
    computed={"status": FLOW_STATUS},
)


def free_number(connection: Connection) -> int | None:
    """Return the lowest number that no tap service has; None when there is none."""
    number = 1
    for taken in connection.execute(_NUMBERS).scalars():
        if taken > number:
            break
        number = taken + 1
    return number if number <= LAST_NUMBER else None


def flows_of_service(tx: Transaction, service_id: str) -> Sequence[str]:
    """Return the ids of the flows that go to a service."""
    return [row[0] for row in _FLOWS_OF_SERVICE.rows(tx, {"wanted": service_id})]


def flows_of_source(tx: Transaction, port_id: str) -> Sequence[str]:
    """Return the ids of the flows that copy what a port sends or gets."""
    return [row[0] for row in _FLOWS_OF_SOURCE.rows(tx, {"wanted": port_id})]


def services_of_port(tx: Transaction, port_id: str) -> Sequence[str]:
    """Return the ids of the services whose copies go to a port."""
    return [row[0] for row in _SERVICES_OF_PORT.rows(tx, {"wanted": port_id})]
