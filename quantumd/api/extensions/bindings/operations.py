"""The bindings of a port: the one that counts is in the port itself, the others are hosts that it may move to.

Nova makes a binding to the destination of a live migration, activates it when the guest arrives there, and deletes the
one to the source; when it fails it deletes the one to the destination.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.extensions.bindings.errors import (
    PortBindingAlreadyActive,
    PortBindingAlreadyExists,
    PortBindingError,
    PortBindingNotFound,
)
from quantumd.api.extensions.bindings.rows import forget_binding, inactive_bindings_of, write_binding
from quantumd.api.resource import INestedOperations, IOperations, Query
from quantumd.api.resources.arranged import arranged
from quantumd.api.resources.guarantees import require_room_for
from quantumd.api.resources.port_binding import binding_for, is_bound, segments_of_network
from quantumd.api.resources.port_changes import PortChanger
from quantumd.api.resources.port_errors import BadPortRequest
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.port_rows import touch_port
from quantumd.api.resources.views import View, object_of
from quantumd.model.binding import BINDING_FAILED, UNBOUND
from quantumd.model.context import Context
from quantumd.model.port import COMPUTE_OWNER_PREFIX
from quantumd.store.transaction import Transaction


@implementer(INestedOperations)
@frozen
class BindingsOfPorts:
    """Bindings, by port."""

    changer: PortChanger

    def under(self, parent_id: str) -> Bindings:
        """See INestedOperations."""
        return Bindings(self.changer, parent_id)

    def activate(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Move the port to a host that it has a binding to. See Action."""
        return {"binding": self.under(parts["port_id"]).activate(tx, context, parts["host"])}


@implementer(IOperations)
@frozen
class Bindings:
    """Operations on the bindings of one port; a binding's id is its host."""

    changer: PortChanger
    port_id: str

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations. PortBindingAlreadyExists, PortBindingError."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        port = self._port(tx.connection, context)
        host = body["host"]
        if any(each["host"] == host for each in self._all(tx.connection, port)):
            raise PortBindingAlreadyExists(self.port_id, host)
        return self._keep(tx, context, port, host, body["vnic_type"], body["profile"], operation="create")

    def _keep(
        self,
        tx: Transaction,
        context: Context,
        port: View,
        host: str,
        vnic_type: str,
        profile: Mapping[str, Any],
        operation: str,
        before: View | None = None,
    ) -> View:
        """Write a binding that waits for its host. PortBindingError when the host cannot plug it.

        :raises HostBandwidthExceeded: it is new, and the host cannot guarantee what the port is guaranteed.
        """
        stays = before is not None and is_bound(before["vif_type"])
        of_network = segments_of_network(tx, port["network_id"])
        found = binding_for(tx, host, vnic_type, None if stays else self.changer.life, of_network)
        # No host is named by an empty text: such a binding could be neither shown nor deleted.
        if not host or found.vif_type == BINDING_FAILED:
            raise PortBindingError(self.port_id, host)
        view = {
            "host": host,
            "vnic_type": vnic_type,
            "profile": dict(profile),
            "vif_type": found.vif_type,
            "vif_details": object_of(found.vif_details),
            "status": "INACTIVE",
        }
        if view == before:
            return view
        if before is None:
            require_room_for(tx, self.port_id, host)
        self._journal(tx, context, operation, before, view)
        write_binding(tx, self.port_id, view)
        touch_port(tx, self.port_id)
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. PortBindingError."""
        port = self._port(tx.connection, context)
        before = self._one(tx.connection, port, resource_id)
        if before["status"] == "ACTIVE":
            named = {f"binding:{name}": value for name, value in changes.items() if name != "host"}
            after = self.changer.change(tx, context, port, {**named, "binding:host_id": resource_id})
            if after["binding:vif_type"] == BINDING_FAILED:
                raise PortBindingError(self.port_id, resource_id)
            return _active(after)
        vnic_type = changes.get("vnic_type", before["vnic_type"])
        profile = changes.get("profile", before["profile"])
        return self._keep(tx, context, port, resource_id, vnic_type, profile, operation="update", before=before)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. A port whose active binding goes is bound to no host."""
        port = self._port(tx.connection, context)
        before = self._one(tx.connection, port, resource_id)
        if before["status"] == "ACTIVE":
            self.changer.change(tx, context, port, {"binding:host_id": ""})
            return
        self._journal(tx, context, "delete", before, None)
        forget_binding(tx, self.port_id, resource_id)
        touch_port(tx, self.port_id)

    def activate(self, tx: Transaction, context: Context, host: str) -> View:
        """Move the port to the host; what it was bound to until now waits. PortBindingAlreadyActive."""
        port = self._port(tx.connection, context)
        if host == port["binding:host_id"]:
            raise PortBindingAlreadyActive(self.port_id, host)
        wanted = self._one(tx.connection, port, host)
        forget_binding(tx, self.port_id, host)
        if port["binding:host_id"]:
            left = {**_active(port), "vif_type": UNBOUND, "vif_details": {}, "status": "INACTIVE"}
            write_binding(tx, self.port_id, left)
        named = {
            "binding:host_id": host,
            "binding:vnic_type": wanted["vnic_type"],
            "binding:profile": wanted["profile"],
        }
        # The guest is there by now, so a host that has been silent since it was bound is not refused.
        return _active(evolve(self.changer, life=None).change(tx, context, port, named))

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return self._one(connection, self._port(connection, context), resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        yield arranged(self._all(connection, self._port(connection, context)), query)

    def _port(self, connection: Connection, context: Context) -> View:
        """Return the port, which must be a guest's. PortNotFound, BadRequest."""
        port = shown_port(connection, self.changer.aspects, context, self.port_id)
        if not port["device_owner"].startswith(COMPUTE_OWNER_PREFIX):
            raise BadPortRequest(f"Invalid port {self.port_id}. Operation only valid on compute ports")
        return port

    def _all(self, connection: Connection, port: View) -> builtins.list[View]:
        active = [_active(port)] if port["binding:host_id"] else []
        return active + inactive_bindings_of(connection, self.port_id)

    def _one(self, connection: Connection, port: View, host: str) -> View:
        found = next((each for each in self._all(connection, port) if each["host"] == host), None)
        if found is None:
            raise PortBindingNotFound(host, self.port_id)
        return found

    def _journal(
        self, tx: Transaction, context: Context, operation: str, before: View | None, after: View | None
    ) -> None:
        tx.journal(
            resource="port_binding",
            resource_id=self.port_id,
            project_id=context.project_id or "",
            request_id=context.request_id,
            operation=operation,
            before=before,
            after=after,
        )


def _active(port: View) -> View:
    return {
        "host": port["binding:host_id"],
        "vnic_type": port["binding:vnic_type"],
        "profile": port["binding:profile"],
        "vif_type": port["binding:vif_type"],
        "vif_details": port["binding:vif_details"],
        "status": "ACTIVE",
    }
