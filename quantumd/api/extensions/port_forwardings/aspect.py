"""What port forwardings have to do with ports: they go with the address that they lead to, as in Neutron."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import AddsNothing, IAspect, View
from quantumd.api.extensions.port_forwardings.removal import let_go_of
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

_BY_ITSELF = Context(request_id="", roles=frozenset({"admin"}))


@implementer(IAspect)
@frozen
class ForwardedPorts(AddsNothing):
    """Adds nothing to ports. ``is_served``: whether there are port forwardings."""

    is_served: bool

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if self.is_served and before is not None and before["fixed_ips"] != view["fixed_ips"]:
            let_go_of(tx, context.elevated, before["id"], {each["ip_address"] for each in view["fixed_ips"]})
        return {}

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect."""
        if self.is_served:
            let_go_of(tx, _BY_ITSELF, resource_id)
