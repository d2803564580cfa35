"""What floating IPs have to do with ports: they let go of one that is deleted, hold the address to which they
lead, and keep the ports that are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import AddsNothing, IAspect, View
from quantumd.api.errors import BadRequest
from quantumd.api.extensions.floating_ips.operations import OWNER
from quantumd.api.extensions.floating_ips.rows import floated_addresses, floating_ips_of_port, let_go
from quantumd.api.resources.errors import ServicePortNotDeletable
from quantumd.api.resources.port_reading import port_of
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

_BY_ITSELF = Context(request_id="", roles=frozenset({"admin"}))


@implementer(IAspect)
@frozen
class FloatedPorts(AddsNothing):
    """Adds nothing to ports. ``is_served``: whether there are floating IPs."""

    is_served: bool

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. BadRequest: a floating IP leads to an address that the port would have no longer."""
        if self.is_served and before is not None and before["fixed_ips"] != view["fixed_ips"]:
            kept = {each["ip_address"] for each in view["fixed_ips"]}
            if not floated_addresses(tx, before["id"]) <= kept:
                raise BadRequest(
                    "port",
                    f"Cannot update the fixed_ips of the port {before['id']}, because its original fixed_ip has been "
                    "associated to a floating ip",
                )
        return {}

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. ServicePortNotDeletable."""
        if not self.is_served:
            return
        port = port_of(tx.connection, (), resource_id)
        if port is not None and port["device_owner"] == OWNER:
            raise ServicePortNotDeletable(resource_id, f"it has device owner {OWNER}")
        for floating_ip_id in floating_ips_of_port(tx, resource_id):
            let_go(tx, _BY_ITSELF, floating_ip_id)
