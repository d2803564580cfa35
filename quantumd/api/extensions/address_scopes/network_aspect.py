"""Which address scopes a network is in: those of the pools that its subnets come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.resources.views import IDS
from quantumd.api.values import UUID_OR_NONE
from quantumd.model.context import Context
from quantumd.store.tables import subnets
from quantumd.store.tables.subnets import subnetpools
from quantumd.store.transaction import Transaction

ATTRIBUTE_OF: Mapping[int, str] = {4: "ipv4_address_scope", 6: "ipv6_address_scope"}
"""The attribute by IP version."""

_SCOPES = (
    select(subnets.c.network_id, subnets.c.ip_version, subnetpools.c.address_scope_id)
    .join(subnetpools, subnetpools.c.id == subnets.c.subnetpool_id)
    .where(subnets.c.network_id.in_(IDS), subnetpools.c.address_scope_id.is_not(None))
)


def scope_of_network(connection: Connection, network_id: str, ip_version: int) -> str | None:
    """Return the address scope that a network is in by its subnets of a version of IP; None when it is in none."""
    for _, version, scope_id in connection.execute(_SCOPES, {"ids": [network_id]}):
        if version == ip_version:
            return str(scope_id)
    return None


@implementer(IAspect)
@frozen
class NetworkScopes:
    """Shows ``ipv4_address_scope`` and ``ipv6_address_scope``; nobody names them."""

    attributes = tuple(
        Attribute(name, *UUID_OR_NONE, is_sort_key=False, extension="address-scope") for name in ATTRIBUTE_OF.values()
    )
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. A new network has no subnets yet."""
        return dict.fromkeys(ATTRIBUTE_OF.values()) if before is None else {}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: nothing is kept."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        for view in views.values():
            view |= dict.fromkeys(ATTRIBUTE_OF.values())
        for network_id, ip_version, scope_id in connection.execute(_SCOPES, {"ids": list(views)}).all():
            views[network_id][ATTRIBUTE_OF[ip_version]] = scope_id

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: nothing is kept."""
