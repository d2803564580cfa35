"""``router:external`` of subnets: whether their network is external."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.resources.facts import network_facts
from quantumd.api.resources.views import IDS
from quantumd.api.values import BOOLEAN, filter_boolean
from quantumd.model.context import Context
from quantumd.store.tables import networks, subnets
from quantumd.store.transaction import Transaction

ALIAS: Final = "subnet-external-network"
_NAME: Final = "router:external"

_EXTERNAL_AMONG = select(networks.c.id).where(networks.c.id.in_(IDS), networks.c.is_external.is_(True))


def _of_external(alternatives: tuple[Any, ...]) -> ColumnElement[bool]:
    wanted = select(networks.c.id).where(networks.c.is_external.in_(alternatives))
    return subnets.c.network_id.in_(wanted)


@implementer(IAspect)
@frozen
class ExternalSubnets:
    """Shows what the network is; nobody names it."""

    attributes = (Attribute(_NAME, *BOOLEAN, filter_convert=filter_boolean, is_sort_key=False, extension=ALIAS),)
    filters: Mapping[str, Condition] = {_NAME: _of_external}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if before is not None:
            return {}
        network = network_facts(tx, view["network_id"])
        return {_NAME: network is not None and network.is_external}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: it is the network's."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        ids = sorted({view["network_id"] for view in views.values()})
        external = set(connection.execute(_EXTERNAL_AMONG, {"ids": ids}).scalars())
        for view in views.values():
            view[_NAME] = view["network_id"] in external

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: it is the network's."""
