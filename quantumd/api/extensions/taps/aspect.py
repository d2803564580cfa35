"""Taps go with the ports that they are about."""

from __future__ import annotations

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import AddsNothing, IAspect
from quantumd.api.extensions.taps.operations import forget_flows
from quantumd.api.extensions.taps.rows import SERVICES, flows_of_service, flows_of_source, services_of_port
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

_BY_ITSELF = Context(request_id="", roles=frozenset({"admin"}))


@implementer(IAspect)
@frozen
class TappedPorts(AddsNothing):
    """Adds nothing to ports. ``is_served``: whether there are taps."""

    is_served: bool

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect."""
        if not self.is_served:
            return
        forget_flows(tx, _BY_ITSELF, flows_of_source(tx, resource_id))
        for service_id in services_of_port(tx, resource_id):
            forget_flows(tx, _BY_ITSELF, flows_of_service(tx, service_id))
            for view in SERVICES.views(tx.connection, _BY_ITSELF, [service_id]):
                SERVICES.remove(tx, _BY_ITSELF, view)
