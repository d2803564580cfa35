"""Subnets: creating, changing and deleting them by the rules; see subnet_attributes for what a request may name."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Connection, delete, insert, select, update
from zope.interface import implementer

from quantumd.api.aspects import IAspect
from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.dhcp_port import DhcpPorts
from quantumd.api.resources.errors import GatewayIpInUse, NetworkNotFound, SubnetInUse, SubnetNotFound
from quantumd.api.resources.facts import NetworkFacts, SubnetFacts, forget_network, network_facts, pools_of
from quantumd.api.resources.matching import Filterable, matching_ids
from quantumd.api.resources.network_rows import record_changed, subnets_changed
from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.subnet_rules import checked_gateway_and_pools, require_disjoint, require_possible
from quantumd.api.resources.views import View, in_batches, json_text, subnet_view, subnet_views
from quantumd.config import NetworkSettings
from quantumd.model.context import Context
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.port import ROUTER_OWNER_PREFIX
from quantumd.model.subnet import is_host_content
from quantumd.store.scope import visible_subnets
from quantumd.store.tables import ip_allocations, ports, subnets
from quantumd.store.transaction import Transaction

_JSON = ("allocation_pools", "host_routes", "dns_nameservers")
_NO_COLUMN = ("subnetpool_id", "ipv6_ra_mode", "ipv6_address_mode")
_FILTERABLE = Filterable(subnets)


@implementer(IOperations)
@frozen
class Subnets:
    """Operations on subnets."""

    settings: NetworkSettings
    dhcp_ports: DhcpPorts
    aspects: tuple[IAspect, ...] = ()

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        network = network_facts(tx, body["network_id"])
        if network is None or not network.is_visible(context.scope):
            raise NetworkNotFound(body["network_id"])
        if not is_owner(context, network.project_id):
            raise PolicyNotAuthorized("rule:create_subnet")
        require_possible(body, "new subnet", self.settings)
        gateway_ip, pools = checked_gateway_and_pools(body)
        require_disjoint(network, body["cidr"])
        view = self._new_view(tx, body, gateway_ip, pools)
        position = _journal(tx, context, "create", view, after=view)
        tx.connection.execute(insert(subnets), _columns(view))
        grown = evolve(network, subnets=(*network.subnets, _facts(view)))
        followed = self.dhcp_ports.follow(tx, context.request_id, grown)
        subnets_changed(tx, network.id, followed or position)
        return view

    def _new_view(
        self, tx: Transaction, body: Mapping[str, Any], gateway_ip: str | None, pools: list[dict[str, str]]
    ) -> View:
        return {
            "id": self.dhcp_ports.chance.new_id(),
            "name": body["name"],
            "project_id": body["project_id"],
            "network_id": body["network_id"],
            "ip_version": body["ip_version"],
            "subnetpool_id": None,
            "enable_dhcp": body["enable_dhcp"],
            "ipv6_ra_mode": None,
            "ipv6_address_mode": None,
            "gateway_ip": gateway_ip,
            "cidr": body["cidr"],
            "allocation_pools": pools,
            "host_routes": list(body["host_routes"]),
            "dns_nameservers": list(body["dns_nameservers"]),
            "description": body["description"],
            "created_at": tx.now,
            "updated_at": tx.now,
            "revision_number": 0,
        }

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = visible_subnet(tx.connection, context, resource_id)
        network = _owned_network(tx, context, before, "update_subnet")
        named = {name: _shown(value) for name, value in changes.items()}
        require_possible({**before, **named}, resource_id, self.settings)
        if "gateway_ip" in named or "allocation_pools" in named:
            named["gateway_ip"], named["allocation_pools"] = checked_gateway_and_pools({**before, **named})
        changed = {name: value for name, value in named.items() if before[name] != value}
        if not changed:
            return before
        if "gateway_ip" in changed:
            _require_gateway_unused(tx, before)
        changed.update(revision_number=before["revision_number"] + 1, updated_at=tx.now)
        after = {**before, **changed}
        position = _journal(tx, context, "update", after, before=before, after=after)
        tx.connection.execute(update(subnets).where(subnets.c.id == resource_id).values(_columns(changed)))
        forget_network(tx, network.id)
        if is_host_content(changed):
            others = tuple(_facts(after) if each.id == resource_id else each for each in network.subnets)
            followed = self.dhcp_ports.follow(tx, context.request_id, evolve(network, subnets=others))
            record_changed(tx, network.id, followed or position)
        return after

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. The network's DHCP port gives its address up, and goes with the last served subnet."""
        before = visible_subnet(tx.connection, context, resource_id)
        network = _owned_network(tx, context, before, "delete_subnet")
        if _is_in_use(tx, resource_id):
            raise SubnetInUse(resource_id)
        position = _journal(tx, context, "delete", before, before=before)
        others = tuple(each for each in network.subnets if each.id != resource_id)
        followed = self.dhcp_ports.follow(tx, context.request_id, evolve(network, subnets=others))
        tx.connection.execute(delete(subnets).where(subnets.c.id == resource_id))
        subnets_changed(tx, network.id, followed or position)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return visible_subnet(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        ids = matching_ids(connection, _FILTERABLE, visible_subnets(context.scope), query)
        for batch in in_batches(ids):
            yield subnet_views(connection, batch)


def visible_subnet(connection: Connection, context: Context, subnet_id: str) -> View:
    """Return the view of the subnet. SubnetNotFound."""
    statement = select(subnets).where(subnets.c.id == subnet_id, *visible_subnets(context.scope))
    row = connection.execute(statement).first()
    if row is None:
        raise SubnetNotFound(subnet_id)
    return subnet_view(row)


def remove_subnet(tx: Transaction, context: Context, subnet_id: str) -> None:
    """Delete a subnet that no port has an address on, without any question asked."""
    row = tx.connection.execute(select(subnets).where(subnets.c.id == subnet_id)).one()
    view = subnet_view(row)
    _journal(tx, context, "delete", view, before=view)
    tx.connection.execute(delete(subnets).where(subnets.c.id == subnet_id))


def _owned_network(tx: Transaction, context: Context, subnet: View, rule: str) -> NetworkFacts:
    network = network_facts(tx, subnet["network_id"])
    if network is None:
        raise SubnetNotFound(subnet["id"])
    if not is_owner(context, subnet["project_id"]) and not is_owner(context, network.project_id):
        raise PolicyNotAuthorized(f"rule:{rule}")
    return network


def _shown(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _facts(view: View) -> SubnetFacts:
    pools = pools_of(view["ip_version"], view["allocation_pools"])
    return SubnetFacts(view["id"], view["ip_version"], view["cidr"], view["gateway_ip"], view["enable_dhcp"], pools)


def _columns(view: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: json_text(value) if name in _JSON else value for name, value in view.items() if name not in _NO_COLUMN
    }


def _is_in_use(tx: Transaction, subnet_id: str) -> bool:
    others = (
        select(ip_allocations.c.port_id)
        .join(ports, ports.c.id == ip_allocations.c.port_id)
        .where(ip_allocations.c.subnet_id == subnet_id, ports.c.device_owner != DHCP_OWNER)
        .limit(1)
    )
    return tx.connection.execute(others).first() is not None


def _require_gateway_unused(tx: Transaction, subnet: View) -> None:
    """Refuse to take a gateway from the router port that has it. GatewayIpInUse."""
    router_port = (
        select(ports.c.id)
        .join(ip_allocations, ip_allocations.c.port_id == ports.c.id)
        .where(
            ip_allocations.c.subnet_id == subnet["id"],
            ip_allocations.c.ip_address == subnet["gateway_ip"],
            ports.c.device_owner.startswith(ROUTER_OWNER_PREFIX, autoescape=True),
        )
    )
    port_id = tx.connection.execute(router_port).scalar()
    if port_id is not None:
        raise GatewayIpInUse(subnet["gateway_ip"], port_id)


def _journal(
    tx: Transaction,
    context: Context,
    operation: str,
    subnet: View,
    before: View | None = None,
    after: View | None = None,
) -> int:
    return tx.journal(
        resource="subnet",
        resource_id=subnet["id"],
        project_id=subnet["project_id"],
        request_id=context.request_id,
        operation=operation,
        before=before,
        after=after,
    )
