"""``router:external`` and ``is_default`` of networks, which are columns of the network; who may use an external network
is granted with its other grants by the networks themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.external_net.errors import DefaultExternalNetworkExists, ExternalNetworkInUse
from quantumd.api.values import BOOLEAN, filter_boolean
from quantumd.model.context import Context
from quantumd.store.tables import networks, ports
from quantumd.store.transaction import Transaction

EXTERNAL: Final = "router:external"
DEFAULT: Final = "is_default"

GATEWAY_OWNERS: Final = ("network:router_gateway", "network:floatingip")
"""device_owners of the ports that routers and floating IPs have on an external network."""

_RULES: dict[str, Any] = {
    "in_post": True,
    "in_put": True,
    "default": False,
    "filter_convert": filter_boolean,
    "is_sort_key": False,
}


@implementer(IAspect)
@frozen
class ExternalNetworks:
    """A network that is external is where routers have their gateways. One of them may be everybody's default."""

    attributes: tuple[Attribute, ...] = (
        Attribute(EXTERNAL, *BOOLEAN, extension="external-net", **_RULES),
        Attribute(DEFAULT, *BOOLEAN, extension="auto-allocated-topology", **_RULES),
    )
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. A network that is not external is nobody's default, whatever is named."""
        old = {EXTERNAL: False, DEFAULT: False} if before is None else before
        is_external = named.get(EXTERNAL, old[EXTERNAL])
        is_default = is_external and named.get(DEFAULT, old[DEFAULT])
        if is_default and not old[DEFAULT]:
            _require_no_default(tx)
        if old[EXTERNAL] and not is_external:
            _require_no_gateways(tx, view["id"])
        settled = {EXTERNAL: is_external, DEFAULT: is_default}
        return settled if before is None else {key: value for key, value in settled.items() if before[key] != value}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect: all is in the row."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect: all is in the row."""

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect: all is in the row."""


def _require_no_default(tx: Transaction) -> None:
    tx.lock("default external network")
    default = select(networks.c.id).where(networks.c.is_external.is_(True), networks.c.is_default.is_(True)).limit(1)
    other = tx.connection.execute(default).scalar()
    if other is not None:
        raise DefaultExternalNetworkExists(other)


def _require_no_gateways(tx: Transaction, network_id: str) -> None:
    gateways = (
        select(ports.c.id).where(ports.c.network_id == network_id, ports.c.device_owner.in_(GATEWAY_OWNERS)).limit(1)
    )
    if tx.connection.execute(gateways).first() is not None:
        raise ExternalNetworkInUse(network_id)


def default_external_network(connection: Connection) -> str | None:
    """Return the id of the default external network, None when there is none."""
    found: str | None = connection.execute(
        select(networks.c.id).where(networks.c.is_external.is_(True), networks.c.is_default.is_(True)).limit(1)
    ).scalar()
    return found
