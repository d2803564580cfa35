"""``l2_adjacency`` of networks: whether a network is one L2 domain, or routed between its segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.resources.views import IDS
from quantumd.api.values import BOOLEAN
from quantumd.model.context import Context
from quantumd.store.tables import subnets
from quantumd.store.transaction import Transaction

ADJACENCY: Final = "l2_adjacency"

_ROUTED = (
    select(subnets.c.network_id).where(subnets.c.network_id.in_(IDS), subnets.c.segment_id.is_not(None)).distinct()
)


@implementer(IAspect)
@frozen
class Adjacency:
    """A network whose subnets belong to segments is routed between them."""

    attributes: tuple[Attribute, ...] = (Attribute(ADJACENCY, *BOOLEAN, extension=ADJACENCY),)
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. A network without subnets is one L2 domain."""
        return {ADJACENCY: True} if before is None else {}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: it follows from the subnets."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        routed = set(connection.execute(_ROUTED, {"ids": [*views]}).scalars())
        for network_id, view in views.items():
            view[ADJACENCY] = network_id not in routed

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: it follows from the subnets."""
