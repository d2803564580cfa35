"""Port forwardings: which ports of a floating IP lead where."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.floating_ips.errors import FloatingIPPortAlreadyAssociated
from quantumd.api.extensions.floating_ips.rows import FLOATING_IPS, NOWHERE, change_floating_ip
from quantumd.api.extensions.port_forwardings.errors import PortForwardingsExhausted
from quantumd.api.extensions.port_forwardings.removal import remove_forwarding
from quantumd.api.extensions.port_forwardings.rows import (
    INTERNALS,
    OWNER,
    collision,
    columns_of,
    entries_at,
    rows_of,
    shown_ports,
)
from quantumd.api.extensions.port_forwardings.spans import RESOURCE, merged_spans, spans_of
from quantumd.api.extensions.port_forwardings.targets import first_address, require_free, router_to
from quantumd.api.resource import INestedOperations, IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.port_forwarding import PortSpan, entries_of, span_fault
from quantumd.store.transaction import Transaction

_PLAIN = ("protocol", "internal_ip_address", "internal_port_id", "description")
_Spans = tuple[PortSpan, PortSpan]


@implementer(INestedOperations)
@frozen
class ForwardingsOfFloatingIps:
    """Port forwardings, by floating IP."""

    chance: Chance
    limit: int

    def under(self, parent_id: str) -> PortForwardings:
        """See INestedOperations."""
        return PortForwardings(self.chance, self.limit, parent_id)


@implementer(IOperations)
@frozen
class PortForwardings:
    """Operations on the port forwardings of one floating IP; ``limit`` is how many entries a router may make of all."""

    chance: Chance
    limit: int
    floatingip_id: str

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations.

        :raises FloatingIPNotFound, FloatingIPPortAlreadyAssociated: the floating IP, which leads to a port as a whole.
        :raises PortHasBindingFloatingIP, PortNotFound, BadRequest: where it shall lead, and which ports.
        :raises PortForwardingsExhausted: the router cannot do more.
        """
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        floating_ip = self._floating_ip(tx.connection, context)
        if floating_ip["port_id"] is not None:
            raise FloatingIPPortAlreadyAssociated(
                floating_ip["floating_ip_address"], self.floatingip_id, body["internal_port_id"],
                body["internal_ip_address"], floating_ip["floating_network_id"],
            )  # fmt: skip
        spans = spans_of(body)
        view = {
            "id": self.chance.new_id(),
            "floatingip_id": self.floatingip_id,
            OWNER: floating_ip["project_id"],
            **{name: body[name] for name in _PLAIN},
            **shown_ports(*spans),
        }
        require_free(tx, view["internal_port_id"], view["internal_ip_address"])
        view["router_id"] = self._require_fitting(tx, context, floating_ip, view, spans)
        rows_of(self.floatingip_id).insert(tx, context, {**view, **columns_of(*spans), "created_at": tx.now})
        FLOATING_IPS.touch(tx, self.floatingip_id)
        if floating_ip["router_id"] is None:
            before = self._floating_ip(tx.connection, context)
            change_floating_ip(tx, context, before, {**NOWHERE, "router_id": view["router_id"]})
        return _shown(view)

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. Errors are those of ``create``.

        Of another port its first address is meant when none is named.
        """
        floating_ip = self._floating_ip(tx.connection, context)
        before = rows_of(self.floatingip_id).show(tx.connection, context, resource_id)
        spans = merged_spans(before, changes)
        after = {**before, **{name: changes[name] for name in _PLAIN if name in changes}, **shown_ports(*spans)}
        if after["internal_port_id"] != before["internal_port_id"]:
            if "internal_ip_address" not in changes:
                after["internal_ip_address"] = first_address(tx, context, after["internal_port_id"])
            require_free(tx, after["internal_port_id"], after["internal_ip_address"])
        self._require_fitting(tx, context, floating_ip, after, spans)
        changed = {name: value for name, value in after.items() if value != before[name]}
        if not changed:
            return _shown(before)
        changed |= columns_of(*spans) if shown_ports(*spans) != shown_ports(*spans_of(before)) else {}
        made = rows_of(self.floatingip_id).change(tx, context, before, changed)
        FLOATING_IPS.touch(tx, self.floatingip_id)
        return _shown(made)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        self._floating_ip(tx.connection, context)
        remove_forwarding(tx, context, rows_of(self.floatingip_id).show(tx.connection, context, resource_id))

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        self._floating_ip(connection, context)
        return _shown(rows_of(self.floatingip_id).show(connection, context, resource_id))

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        self._floating_ip(connection, context)
        for views in rows_of(self.floatingip_id).list(connection, context, query):
            yield [_shown(view) for view in views]

    def _floating_ip(self, connection: Connection, context: Context) -> View:
        return FLOATING_IPS.show(connection, context, self.floatingip_id)

    def _require_fitting(
        self, tx: Transaction, context: Context, floating_ip: View, view: Mapping[str, Any], spans: _Spans
    ) -> str:
        """Return the router by which a forwarding leads where it says. See ``create``."""
        fault = span_fault(*spans)
        if fault is not None:
            raise BadRequest(RESOURCE, fault)
        # Whether ports are taken is only known while nobody takes others.
        tx.lock(f"port forwardings:{self.floatingip_id}")
        tx.lock(f"port forwardings:{view['internal_port_id']}")
        found = collision(tx.connection, view, *spans)
        if found is not None:
            name, existing, wanted = found
            raise BadRequest(
                RESOURCE,
                f"There is a port collision with the {name}. The following ranges collide: {existing.text} and "
                f"{wanted.text}",
            )
        router_id = router_to(tx, context, floating_ip, view)
        if entries_at(tx.connection, router_id, view["id"]) + entries_of(*spans) > self.limit:
            raise PortForwardingsExhausted(router_id, self.limit)
        return router_id


def _shown(view: View) -> View:
    return {name: value for name, value in view.items() if name not in INTERNALS}
