"""What NDP proxies have to do with ports: one goes with the address that the router answers for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import AddsNothing, IAspect, View
from quantumd.api.extensions.ndp_proxies.rows import PROXIES, proxies_of_port
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

_BY_ITSELF = Context(request_id="", roles=frozenset({"admin"}))


@implementer(IAspect)
@frozen
class ProxiedPorts(AddsNothing):
    """Adds nothing to ports. ``is_served``: whether there are NDP proxies."""

    is_served: bool

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if self.is_served and before is not None and before["fixed_ips"] != view["fixed_ips"]:
            _remove(tx, context.elevated, before["id"], {each["ip_address"] for each in view["fixed_ips"]})
        return {}

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect."""
        if self.is_served:
            _remove(tx, _BY_ITSELF, resource_id)


def _remove(tx: Transaction, context: Context, port_id: str, kept: Collection[str] = ()) -> None:
    gone = [each for each, address in proxies_of_port(tx, port_id).items() if address not in kept]
    for view in PROXIES.views(tx.connection, context, gone):
        PROXIES.remove(tx, context, view)
