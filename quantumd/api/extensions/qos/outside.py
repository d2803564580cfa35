"""QoS policies of floating IPs and of routers' gateways. Of a policy routers obey the limits of bandwidth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from quantumd.api.extensions.qos.aspects import (
    OF_NETWORK,
    ON_NETWORKS,
    OWN,
    changed_policy,
    kept,
    require_policy,
)
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables.routers import floating_ip_qos, gateway_qos
from quantumd.store.transaction import Transaction

ON_FLOATING_IPS: Final = kept(floating_ip_qos, floating_ip_qos.c.floatingip_id)
ON_GATEWAYS: Final = kept(gateway_qos, gateway_qos.c.router_id)


def policies_of_new(tx: Transaction, context: Context, network_id: str, policy_id: str | None) -> View:
    """Return what a new floating IP of a network shows of its policies. QosPolicyNotFound."""
    if policy_id is not None:
        require_policy(tx.connection, context, policy_id)
    return {OWN: policy_id, OF_NETWORK: ON_NETWORKS.policies(tx.connection, (network_id,)).get(network_id)}


def put_policy(tx: Transaction, context: Context, before: View, named: Mapping[str, Any]) -> View:
    """Give a floating IP the policy that a change names; return what it shows of that, nothing when it is the same.

    :raises QosPolicyNotFound, PolicyRemoveAuthorizationError: see there.
    """
    changed = changed_policy(tx, context, named, before)
    if changed:
        ON_FLOATING_IPS.put(tx, before["id"], changed[OWN])
    return changed


def add_policies(connection: Connection, views: Mapping[str, View]) -> None:
    """Add to views of floating IPs their policies, and those of their networks."""
    own = ON_FLOATING_IPS.policies(connection, views)
    of_networks = ON_NETWORKS.policies(connection, {view["floating_network_id"] for view in views.values()})
    for floatingip_id, view in views.items():
        view[OWN] = own.get(floatingip_id)
        view[OF_NETWORK] = of_networks.get(view["floating_network_id"])


def put_gateway_policy(
    tx: Transaction, context: Context, router_id: str, wanted: Mapping[str, Any] | None, held: View | None
) -> None:
    """Give a router's gateway the policy that is named; one that names none keeps it, and none has none.

    :param wanted: what a request says of the gateway; nothing when it goes.
    :param held: what the router shows of its gateway before the change.
    :raises QosPolicyNotFound, PolicyRemoveAuthorizationError: see there.
    """
    if not wanted:
        ON_GATEWAYS.put(tx, router_id, None)
        return
    changed = changed_policy(tx, context, wanted, held or {})
    if changed:
        ON_GATEWAYS.put(tx, router_id, changed[OWN])


def gateway_policies(connection: Connection, networks: Mapping[str, str]) -> Mapping[str, View]:
    """Return what routers, by id with the networks of their gateways, show of the policies there.

    As in Neutron, nothing is shown where neither the gateway nor its network has one.
    """
    own = ON_GATEWAYS.policies(connection, networks) if networks else {}
    of_networks = ON_NETWORKS.policies(connection, set(networks.values())) if networks else {}
    return {
        router_id: {OWN: own.get(router_id)}
        for router_id, network_id in networks.items()
        if router_id in own or network_id in of_networks
    }
