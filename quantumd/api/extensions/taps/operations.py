"""Tap services, ports that listen, and tap flows, whose frames they get copies of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen

from quantumd.api.extensions.taps.errors import (
    InvalidDestinationPort,
    InvalidSourcePort,
    PortDoesNotBelongToProject,
    TapServiceNotBelongToProject,
)
from quantumd.api.extensions.taps.rows import FLOWS, SERVICES, flows_of_service, free_number
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.errors import PortNotFound
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.views import View
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.model.status import DOWN
from quantumd.store.transaction import Transaction


class NoTapNumber(ApiError):
    """There are as many tap services as tunnels can tell apart."""

    status = 503

    def __init__(self) -> None:
        super().__init__("No number is free for a tap service.")


@frozen
class TapServices(KeptAsRows):
    """Operations on tap services. The flows of one go with it."""

    rows: ClassVar = SERVICES
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. InvalidDestinationPort, PortDoesNotBelongToProject, NoTapNumber."""
        _require_own(tx, context, body["port_id"], body["project_id"], InvalidDestinationPort(body["port_id"]))
        number = free_number(tx.connection)
        if number is None:
            raise NoTapNumber
        given = {name: body[name] for name in ("name", "description", "project_id", "port_id")}
        view = {"id": self.chance.new_id(), **given}
        SERVICES.insert(tx, context, {**view, "created_at": tx.now, "number": number})
        return SERVICES.show(tx.connection, context, view["id"])

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        before = SERVICES.show(tx.connection, context, resource_id)
        forget_flows(tx, context, flows_of_service(tx, resource_id))
        SERVICES.remove(tx, context, before)


@frozen
class TapFlows(KeptAsRows):
    """Operations on tap flows."""

    rows: ClassVar = FLOWS
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. InvalidSourcePort, TapServiceNotFound, the errors of what is another project's."""
        _require_own(tx, context, body["source_port"], body["project_id"], InvalidSourcePort(body["source_port"]))
        service = SERVICES.show(tx.connection, context, body["tap_service_id"])
        if service["project_id"] != body["project_id"]:
            raise TapServiceNotBelongToProject
        names = ("name", "description", "project_id", "tap_service_id", "source_port", "direction")
        view = {"id": self.chance.new_id(), **{name: body[name] for name in names}}
        FLOWS.insert(tx, context, {**view, "created_at": tx.now, "status": DOWN})
        return FLOWS.show(tx.connection, context, view["id"])


def forget_flows(tx: Transaction, context: Context, flow_ids: Sequence[str]) -> None:
    """Delete tap flows, whosever they are."""
    for view in FLOWS.views(tx.connection, context, list(flow_ids)):
        FLOWS.remove(tx, context, view)


def _require_own(tx: Transaction, context: Context, port_id: str, project_id: str, hidden: ApiError) -> None:
    try:
        port = shown_port(tx.connection, (), context, port_id)
    except PortNotFound:
        raise hidden from None
    if port["project_id"] != project_id:
        raise PortDoesNotBelongToProject
