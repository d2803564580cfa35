"""Ports as sub-ports of trunks: which may be, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from quantumd.api.errors import InvalidInput, PolicyNotAuthorized
from quantumd.api.extensions.trunks.errors import (
    ParentPortInUse,
    SubPortMtuGreaterThanTrunkPortMtu,
    TrunkPortInUse,
)
from quantumd.api.extensions.trunks.rows import trunk_of_parent, trunk_of_sub_port
from quantumd.api.policy.rules import may
from quantumd.api.resources.facts import network_facts
from quantumd.api.resources.port_changes import PortChanger
from quantumd.api.resources.port_errors import PortInUse
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.trunk import INHERIT, SUB_PORT_OWNER, missing_segment, segment_fault
from quantumd.store.tables import networks
from quantumd.store.transaction import Transaction

_SEGMENT = Prepared(
    select(networks.c.network_type, networks.c.segmentation_id).where(networks.c.id == bindparam("wanted"))
)


@frozen
class SubPorts:
    """The rules of sub-ports."""

    changer: PortChanger

    def everywhere(self, context: Context) -> Context:
        """Return the context with every row in its scope: a trunk's ports may belong to other projects."""
        return context.elevated

    def checked(
        self, tx: Transaction, context: Context, parent: View, given: Sequence[Mapping[str, Any]]
    ) -> list[View]:
        """Return the sub-ports with their segments.

        :raises PortNotFound, PolicyNotAuthorized: a port is not the caller's.
        :raises ParentPortInUse, TrunkPortInUse, PortInUse: a port is used otherwise.
        :raises SubPortMtuGreaterThanTrunkPortMtu, InvalidInput: it does not fit.
        """
        return [self._checked(tx, context, parent, each) for each in given]

    def _checked(self, tx: Transaction, context: Context, parent: View, given: Mapping[str, Any]) -> View:
        port_id = given["port_id"]
        if port_id == parent["id"]:
            raise ParentPortInUse(port_id)
        port = own_port(tx.connection, context, port_id)
        _require_fitting(tx, parent, port)
        kind, number = _segment(tx, given, port)
        fault = segment_fault(kind, number)
        if fault is not None:
            raise InvalidInput(fault)
        if trunk_of_sub_port(tx, port_id) is not None:
            raise TrunkPortInUse(port_id)
        if trunk_of_parent(tx, port_id) is not None:
            raise ParentPortInUse(port_id)
        if port["device_id"]:
            raise PortInUse(port_id, port["network_id"], port["device_id"])
        return {"port_id": port_id, "segmentation_type": kind, "segmentation_id": number}

    def take(self, tx: Transaction, context: Context, trunk_id: str, added: Sequence[View], host: str | None) -> None:
        """Note in the ports whose sub-ports they are, and bind them to the host of the parent (None: leave them)."""
        named: dict[str, Any] = {"device_id": trunk_id, "device_owner": SUB_PORT_OWNER}
        self._change(tx, context, added, named if host is None else {**named, "binding:host_id": host})

    def release(self, tx: Transaction, context: Context, gone: Sequence[Mapping[str, Any]]) -> None:
        """Make the ports usable for something else."""
        self._change(tx, context, gone, {"device_id": "", "device_owner": "", "binding:host_id": ""})

    def bind(self, tx: Transaction, context: Context, bound: Sequence[Mapping[str, Any]], host: str) -> None:
        """Bind the ports to the host of their parent."""
        self._change(tx, context, bound, {"binding:host_id": host})

    def _change(
        self, tx: Transaction, context: Context, which: Sequence[Mapping[str, Any]], named: Mapping[str, Any]
    ) -> None:
        elevated = self.everywhere(context)
        for each in which:
            port = shown_port(tx.connection, self.changer.aspects, elevated, each["port_id"])
            self.changer.change(tx, elevated, port, named)


def own_port(connection: Connection, context: Context, port_id: str) -> View:
    """Return a port that the caller may make part of a trunk. The owner of a network sees ports that are not its own.

    :raises PortNotFound, PolicyNotAuthorized: it is not there, or another project's.
    """
    port = shown_port(connection, (), context, port_id)
    if not may(context, "update_port", port):
        raise PolicyNotAuthorized("rule:update_port")
    return port


def _require_fitting(tx: Transaction, parent: View, port: View) -> None:
    outer, inner = network_facts(tx, parent["network_id"]), network_facts(tx, port["network_id"])
    if outer is not None and inner is not None and inner.mtu_bytes > outer.mtu_bytes:
        raise SubPortMtuGreaterThanTrunkPortMtu(port["id"], inner.mtu_bytes, parent["id"], outer.mtu_bytes)


def _segment(tx: Transaction, given: Mapping[str, Any], port: View) -> tuple[Any, int]:
    """Return the segmentation type and id of a sub-port. InvalidInput."""
    if given.get("segmentation_type") == INHERIT:
        kind, number = _SEGMENT.rows(tx, {"wanted": port["network_id"]})[0]
        return kind, number or 0
    if "segmentation_type" not in given or "segmentation_id" not in given:
        raise InvalidInput(missing_segment(given))
    number = given["segmentation_id"]
    try:
        if isinstance(number, (bool, float)):
            raise TypeError
        return given["segmentation_type"], int(number)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"Invalid subport details: segmentation_id '{given['segmentation_id']}' is not an integer"
        ) from None
