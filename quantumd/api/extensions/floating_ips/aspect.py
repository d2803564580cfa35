"""What floating IPs have to do with ports: they let go of one that is deleted, and keep those that are theirs."""

from __future__ import annotations

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import AddsNothing, IAspect
from quantumd.api.extensions.floating_ips.operations import OWNER
from quantumd.api.extensions.floating_ips.rows import floating_ips_of_port, let_go
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

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. ServicePortNotDeletable."""
        if not self.is_served:
            return
        port = port_of(tx.connection, (), resource_id)
        if port is not None and port["device_owner"] == OWNER:
            raise ServicePortNotDeletable(resource_id, f"it has device owner {OWNER}")
        for floating_ip_id in floating_ips_of_port(tx, resource_id):
            let_go(tx, _BY_ITSELF, floating_ip_id)
