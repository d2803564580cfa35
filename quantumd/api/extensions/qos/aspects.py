"""The QoS policy of networks and ports. It is kept beside them, so those that have none cost nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from attrs import frozen
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, bindparam, delete, insert, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.qos.attributes import NETWORK_POLICY_ID, POLICY_ID
from quantumd.api.extensions.qos.errors import PolicyRemoveAuthorizationError, QosPolicyNotFound
from quantumd.api.extensions.qos.policies import QOS_POLICY_TYPE
from quantumd.api.extensions.qos.requests import resource_requests
from quantumd.api.extensions.qos.support import Support
from quantumd.api.resources.guarantees import require_kept, require_room, require_room_of_new
from quantumd.api.resources.port_views import REQUEST
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import IDS
from quantumd.model.bandwidth import beyond
from quantumd.model.context import Context
from quantumd.model.qos import policy_in_force
from quantumd.store import guarantee_nouns
from quantumd.store.scope import visible
from quantumd.store.tables.services import network_qos, port_qos, qos_policies
from quantumd.store.transaction import Transaction

OWN = "qos_policy_id"
OF_NETWORK = "qos_network_policy_id"

_DEFAULT = Prepared(select(qos_policies.c.id).where(qos_policies.c.default_for == bindparam("project")))
_OF_NETWORK = Prepared(select(network_qos.c.policy_id).where(network_qos.c.network_id == bindparam("network")))


@frozen
class Kept:
    """The statements of a table that keeps policies beside a core table; ``key`` is its column of that one's ids."""

    key: str
    is_used: ColumnElement[bool]
    of_ids: Select[Any]
    clear: Prepared
    write: Prepared

    def policies(self, connection: Connection, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the policies of those of the ids that have one."""
        return {row[0]: row[1] for row in connection.execute(self.of_ids, {"ids": list(ids)})}

    def put(self, tx: Transaction, resource_id: str, policy_id: str | None) -> None:
        """Keep this policy and no other."""
        self.clear.write(tx, ({"wanted": resource_id},))
        if policy_id is not None:
            self.write.write(tx, ({self.key: resource_id, "policy_id": policy_id},))


def kept(table: Table, key: Column[Any]) -> Kept:
    """Return how the policies of what a table names are kept."""
    return Kept(
        key.name,
        select(key).exists(),
        select(key, table.c.policy_id).where(key.in_(IDS)),
        Prepared(delete(table).where(key == bindparam("wanted"))),
        Prepared(insert(table)),
    )


ON_NETWORKS = kept(network_qos, network_qos.c.network_id)
ON_PORTS = kept(port_qos, port_qos.c.port_id)

# Most deployments have no policies, and lists have many rows, so it is asked first whether there are any at all.
_IS_NETWORKS_USED = select(ON_NETWORKS.is_used)
_IS_USED = Prepared(cast("Select[Any]", select(ON_PORTS.is_used, ON_NETWORKS.is_used)))


def require_policy(connection: Connection, context: Context, policy_id: str) -> None:
    """Refuse a policy that the caller does not see. QosPolicyNotFound."""
    if not _is_seen(connection, context, policy_id):
        raise QosPolicyNotFound(policy_id)


def _is_seen(connection: Connection, context: Context, policy_id: str) -> bool:
    statement = select(qos_policies.c.id).where(
        qos_policies.c.id == policy_id, *visible(qos_policies, QOS_POLICY_TYPE, context.scope_of("policy"))
    )
    return connection.execute(statement).first() is not None


def changed_policy(tx: Transaction, context: Context, named: Mapping[str, Any], before: View) -> View:
    """Return the policy if an update really changes it. QosPolicyNotFound, PolicyRemoveAuthorizationError."""
    had = before.get(OWN)
    if OWN not in named or named[OWN] == had:
        return {}
    if had is not None and not _is_seen(tx.connection, context, had):
        raise PolicyRemoveAuthorizationError(had)
    if named[OWN] is not None:
        require_policy(tx.connection, context, named[OWN])
    return {OWN: named[OWN]}


@implementer(IAspect)
@frozen
class NetworkQos:
    """The policy of a network: for its ports that have none of their own."""

    support: Support
    attributes: ClassVar[tuple[Attribute, ...]] = (POLICY_ID,)
    filters: ClassVar[Mapping[str, Condition]] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. A new network without a policy is given its project's default."""
        values = self._settle(tx, context, named, before, view)
        self.support.require_for_network(tx.connection, values.get(OWN), view["id"])
        return values

    def _settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        if before is not None:
            return changed_policy(tx, context, named, before)
        policy_id = named.get(OWN)
        if policy_id is None:
            rows = _DEFAULT.rows(tx, {"project": view["project_id"]})
            return {OWN: rows[0][0] if rows else None}
        require_policy(tx.connection, context, policy_id)
        return {OWN: policy_id}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect."""
        if OWN in values:
            tx.cache.pop(("qos of network", resource_id), None)
            ON_NETWORKS.put(tx, resource_id, values[OWN])
            if self.support.guarantees and values[OWN] is not None:
                grown = guarantee_nouns.guaranteed_by(tx.connection, values[OWN])
                require_kept(tx, guarantee_nouns.places_on_network(tx.connection, resource_id) if grown else (), grown)

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        is_used = connection.execute(_IS_NETWORKS_USED).scalar()
        policies = ON_NETWORKS.policies(connection, views) if is_used else {}
        for network_id, view in views.items():
            view[OWN] = policies.get(network_id)

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. The row goes with the network's."""
        tx.cache.pop(("qos of network", resource_id), None)


@implementer(IAspect)
@frozen
class PortQos:
    """The policy of a port, and that of its network, which counts for ports without one."""

    support: Support
    attributes: ClassVar[tuple[Attribute, ...]] = (POLICY_ID, NETWORK_POLICY_ID)
    filters: ClassVar[Mapping[str, Condition]] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. What the port asks of hosts may change with its policy, or its kind of NIC."""
        values = self._settle(tx, context, named, before, view)
        if self.support.guarantees:
            request = resource_requests(tx.connection, {view["id"]: {**view, **values}}).get(view["id"])
            if request != view.get(REQUEST):
                values[REQUEST] = request
            if before is not None:
                _require_room(tx, before, {**view, **values})
        return values

    def _settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        if before is not None:
            changed = changed_policy(tx, context, named, before)
            self.support.require_for_port(tx.connection, changed.get(OWN), view["id"])
            return changed
        policy_id = named.get(OWN)
        if policy_id is not None:
            require_policy(tx.connection, context, policy_id)
            self.support.require_for_port(tx.connection, policy_id, view["id"])
        return {OWN: policy_id, OF_NETWORK: _policy_of_network(tx, view["network_id"])}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect."""
        is_new = OF_NETWORK in values
        if OWN in values and not (is_new and values[OWN] is None):
            ON_PORTS.put(tx, resource_id, values[OWN])
        # All that come with it are there by now.
        if is_new and self.support.guarantees and (values[OWN] or values[OF_NETWORK]):
            require_room_of_new(tx, resource_id)

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect."""
        is_own_used, is_networks_used = _IS_USED.read(connection, {})[0]
        own = ON_PORTS.policies(connection, views) if is_own_used else {}
        network_ids = {view["network_id"] for view in views.values()} if is_networks_used else ()
        of_networks = ON_NETWORKS.policies(connection, network_ids) if network_ids else {}
        for port_id, view in views.items():
            view[OWN] = own.get(port_id)
            view[OF_NETWORK] = of_networks.get(view["network_id"])
        if self.support.guarantees and (own or of_networks):
            for port_id, request in resource_requests(connection, views).items():
                views[port_id][REQUEST] = request

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. The row goes with the port's."""


def _require_room(tx: Transaction, before: View, after: View) -> None:
    """Refuse a change by which a host would have to guarantee more than it has. HostBandwidthExceeded."""
    host = after["binding:host_id"]
    wanted = guarantee_nouns.guaranteed_by(tx.connection, _in_force(after)) if host else {}
    if not wanted:
        return
    stays = host == before["binding:host_id"]
    had = guarantee_nouns.guaranteed_by(tx.connection, _in_force(before)) if stays else {}
    physical = guarantee_nouns.physical_network(tx.connection, after["network_id"])
    require_room(tx, host, physical, beyond(wanted, had), after["id"])


def _in_force(port: View) -> str | None:
    return policy_in_force(port[OWN], port[OF_NETWORK], port["device_owner"])


def _policy_of_network(tx: Transaction, network_id: str) -> str | None:
    key = ("qos of network", network_id)
    if key not in tx.cache:
        rows = _OF_NETWORK.rows(tx, {"network": network_id})
        tx.cache[key] = rows[0][0] if rows else None
    policy_id: str | None = tx.cache[key]
    return policy_id
