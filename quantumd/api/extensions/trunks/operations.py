"""Trunks: a port that carries the tagged frames of others."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from quantumd.api.errors import HTTPBadRequest, InvalidInput
from quantumd.api.extensions.trunks.errors import (
    DuplicateSubPort,
    ParentPortInUse,
    SubPortNotFound,
    TrunkDisabled,
    TrunkInUse,
    TrunkPortInUse,
)
from quantumd.api.extensions.trunks.rows import (
    TRUNKS,
    remove_sub_port,
    status_of,
    trunk_of_parent,
    trunk_of_sub_port,
    write_sub_ports,
)
from quantumd.api.extensions.trunks.sub_ports import SubPorts, own_port
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.port import is_dhcp_port
from quantumd.model.status import DOWN
from quantumd.model.trunk import sub_ports_fault
from quantumd.store.transaction import Transaction


@frozen
class Trunks(KeptAsRows):
    """Operations on trunks. A new one is DOWN; what its status is later, its ports decide."""

    rows: ClassVar = TRUNKS
    sub_ports: SubPorts

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. PortNotFound, ParentPortInUse, TrunkPortInUse and what SubPorts.checked raises."""
        parent = own_port(tx.connection, context, body["port_id"])
        if trunk_of_sub_port(tx, parent["id"]) is not None:
            raise TrunkPortInUse(parent["id"])
        is_used = parent["binding:host_id"] or is_dhcp_port(parent["device_owner"])
        if is_used or trunk_of_parent(tx, parent["id"]) is not None:
            raise ParentPortInUse(parent["id"])
        added = self.sub_ports.checked(tx, context, parent, body["sub_ports"])
        names = ("name", "description", "project_id", "port_id", "admin_state_up")
        values = {"id": self.sub_ports.changer.chance.new_id(), **{name: body[name] for name in names}}
        view = TRUNKS.insert(tx, context, {**values, "status": DOWN, "sub_ports": added})
        write_sub_ports(tx, view["id"], added, 0)
        self.sub_ports.take(tx, context, view["id"], added, None)
        return view

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. TrunkDisabled, TrunkInUse."""
        before = self._managed(tx.connection, context, resource_id)
        if shown_port(tx.connection, (), self.sub_ports.everywhere(context), before["port_id"])["binding:host_id"]:
            raise TrunkInUse(resource_id)
        self._dissolve(tx, context, before)

    def _dissolve(self, tx: Transaction, context: Context, before: View) -> None:
        for each in before["sub_ports"]:
            remove_sub_port(tx, each["port_id"])
        self.sub_ports.release(tx, context, before["sub_ports"])
        TRUNKS.remove(tx, context, before)

    def let_go(self, tx: Transaction, context: Context, port_id: str) -> None:
        """End the trunk that the port is the parent of, in use or not; take the port out of the trunk that it is in.

        A Release: whether the caller may delete the port is asked when it is.
        """
        everywhere = self.sub_ports.everywhere(context)
        parents = trunk_of_parent(tx, port_id)
        if parents is not None:
            self._dissolve(tx, everywhere, self.show(tx.connection, everywhere, parents))
        trunk_id = trunk_of_sub_port(tx, port_id)
        if trunk_id is not None:
            trunk = self.show(tx.connection, everywhere, trunk_id)
            remove_sub_port(tx, port_id)
            self.sub_ports.release(tx, everywhere, [{"port_id": port_id}])
            kept = [each for each in trunk["sub_ports"] if each["port_id"] != port_id]
            self._changed(tx, everywhere, trunk, kept)

    def add(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Add sub-ports. See Action."""
        trunk = self.show(tx.connection, context, parts["resource_id"])
        parent = shown_port(tx.connection, (), self.sub_ports.everywhere(context), trunk["port_id"])
        added = self.sub_ports.checked(tx, context, parent, _given(body))
        self._managed(tx.connection, context, trunk["id"])
        taken = {(each["segmentation_type"], each["segmentation_id"]) for each in trunk["sub_ports"]}
        for each in added:
            if (each["segmentation_type"], each["segmentation_id"]) in taken:
                raise DuplicateSubPort(each["segmentation_type"], each["segmentation_id"], trunk["id"])
        try:
            with tx.savepoint():
                write_sub_ports(tx, trunk["id"], added, len(trunk["sub_ports"]))
        except IntegrityError:
            # Another process was faster.
            raise TrunkPortInUse(added[0]["port_id"]) from None
        self.sub_ports.take(tx, context, trunk["id"], added, parent["binding:host_id"])
        return self._changed(tx, context, trunk, trunk["sub_ports"] + added)

    def remove(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Take sub-ports away. See Action."""
        trunk = self._managed(tx.connection, context, parts["resource_id"])
        gone = {each["port_id"]: each for each in _given(body)}
        known = {each["port_id"] for each in trunk["sub_ports"]}
        for port_id in gone:
            if port_id not in known:
                raise SubPortNotFound(trunk["id"], port_id)
            remove_sub_port(tx, port_id)
        self.sub_ports.release(tx, context, list(gone.values()))
        kept = [each for each in trunk["sub_ports"] if each["port_id"] not in gone]
        return self._changed(tx, context, trunk, kept)

    def listed(self, connection: Connection, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Return the sub-ports. See Action."""
        return {"sub_ports": self.show(connection, context, parts["resource_id"])["sub_ports"]}

    def _changed(self, tx: Transaction, context: Context, trunk: View, sub_ports: builtins.list[View]) -> View:
        status = status_of(tx.connection, (trunk["id"],))[trunk["id"]]
        view = TRUNKS.change(tx, context, trunk, {"sub_ports": sub_ports, "status": status})
        return {**view, "tenant_id": view["project_id"]}

    def _managed(self, connection: Connection, context: Context, trunk_id: str) -> View:
        trunk = self.show(connection, context, trunk_id)
        if not trunk["admin_state_up"]:
            raise TrunkDisabled(trunk_id)
        return trunk


def _given(body: Any) -> builtins.list[View]:
    """Return the sub-ports that a request names. HTTPBadRequest, InvalidInput."""
    if not isinstance(body, dict) or "sub_ports" not in body:
        raise HTTPBadRequest("Invalid input for sub_ports. Reason: it is missing.")
    fault = sub_ports_fault(body["sub_ports"])
    if fault is not None:
        raise InvalidInput(fault)
    given: builtins.list[View] = body["sub_ports"]
    return given
