"""Subnets: creating, changing and deleting them by the rules; see subnet_attributes for what a request may name."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import ColumnElement, Connection, or_, select
from zope.interface import implementer

from quantumd.api.aspects import IAspect
from quantumd.api.extensions.peer_routes.routes import give_routes, keep_routes, peer_came, peer_gone
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.dhcp_port import DhcpPorts
from quantumd.api.resources.errors import GatewayIpInUse, NetworkNotFound, SubnetNotFound
from quantumd.api.resources.facts import NetworkFacts, SubnetFacts, forget_network, network_facts
from quantumd.api.resources.matching import Alternatives, Filterable, matching_ids
from quantumd.api.resources.network_rows import record_changed, subnets_changed
from quantumd.api.resources.network_rules import require_mtu
from quantumd.api.resources.subnet_pools import placed
from quantumd.api.resources.subnet_ports import give_auto_addresses, take_addresses
from quantumd.api.resources.subnet_rows import (
    change_subnet,
    drop_subnet,
    facts_of,
    insert_subnet,
    journal_deletion,
    subnet_views,
)
from quantumd.api.resources.subnet_rules import checked_gateway_and_pools, require_disjoint, require_possible
from quantumd.api.resources.views import View, in_batches
from quantumd.config import NetworkSettings
from quantumd.model.context import Context
from quantumd.model.port import ROUTER_OWNER_PREFIX
from quantumd.model.subnet import is_host_content
from quantumd.store.scope import granted, visible_subnets
from quantumd.store.tables import ip_allocations, ports, subnets
from quantumd.store.transaction import Transaction


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
        if network is None or not network.is_visible(context.scope_of("network")):
            raise NetworkNotFound(body["network_id"])
        body = placed(tx, context, network, body, self.settings.delegate_prefixes)
        require_possible(body, None, self.settings)
        require_disjoint(network, body["cidr"])
        require_mtu(network.id, network.mtu_bytes, (body["ip_version"],))
        view = self._new_view(tx, body)
        settled = [(each, each.settle(tx, context, body, None, view)) for each in self.aspects]
        for _, values in settled:
            view |= values
        give_routes(tx, view)
        position = insert_subnet(tx, context, view)
        for aspect, values in settled:
            aspect.store(tx, view["id"], values)
        position = peer_came(tx, context, view) or position
        grown = evolve(network, subnets=(*network.subnets, facts_of(view)))
        followed = self.dhcp_ports.follow(tx, context.request_id, grown)
        subnets_changed(tx, network.id, followed or position)
        give_auto_addresses(tx, context.request_id, network.id, facts_of(view))
        return view

    def _new_view(self, tx: Transaction, body: Mapping[str, Any]) -> View:
        gateway_ip, pools = checked_gateway_and_pools(body)
        return {
            "id": self.dhcp_ports.chance.new_id(),
            "name": body["name"],
            "project_id": body["project_id"],
            "network_id": body["network_id"],
            "ip_version": body["ip_version"],
            "subnetpool_id": body["subnetpool_id"],
            "enable_dhcp": body["enable_dhcp"],
            "ipv6_ra_mode": body["ipv6_ra_mode"],
            "ipv6_address_mode": body["ipv6_address_mode"],
            "gateway_ip": gateway_ip,
            "cidr": body["cidr"],
            "allocation_pools": pools,
            "host_routes": list(body["host_routes"]),
            "dns_nameservers": list(body["dns_nameservers"]),
            "service_types": [],
            "segment_id": None,
            "dns_publish_fixed_ip": False,
            "tags": [],
            "description": body["description"],
            "created_at": tx.now,
            "updated_at": tx.now,
            "revision_number": 0,
        }

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = self.show(tx.connection, context, resource_id)
        network = _network_of(tx, before)
        changed, settled = self._changed(tx, context, before, changes)
        keep_routes(tx, before, changed)
        if not changed:
            return before
        if "gateway_ip" in changed:
            _require_gateway_unused(tx, before)
        after, position = change_subnet(tx, context, before, changed)
        for aspect, values in settled:
            aspect.store(tx, resource_id, values)
        forget_network(tx, network.id)
        if is_host_content(changed):
            followed = self.dhcp_ports.follow(tx, context.request_id, _with(network, facts_of(after)))
            record_changed(tx, network.id, followed or position)
        return after

    def _changed(
        self, tx: Transaction, context: Context, before: View, changes: Mapping[str, Any]
    ) -> tuple[View, list[tuple[IAspect, View]]]:
        """Return what the changes really change, in all and by aspect."""
        foreign = {attribute.name for aspect in self.aspects for attribute in aspect.attributes}
        named = {name: _shown(value) for name, value in changes.items() if name not in foreign}
        require_possible({**before, **named}, before, self.settings)
        if "gateway_ip" in named or "allocation_pools" in named:
            named["gateway_ip"], named["allocation_pools"] = checked_gateway_and_pools({**before, **named})
        changed = {name: value for name, value in named.items() if before[name] != value}
        view = {**before, **changed}
        settled = []
        for aspect in self.aspects:
            values = aspect.settle(tx, context, changes, before, view)
            if values:
                settled.append((aspect, values))
                changed |= values
        return changed, settled

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations.

        The network's DHCP port gives its address up, and goes with the last served subnet; ports give up addresses that
        they compute themselves. SubnetInUse for any other.
        """
        before = self.show(tx.connection, context, resource_id)
        network = _network_of(tx, before)
        take_addresses(tx, context.request_id, facts_of(before))
        for aspect in self.aspects:
            aspect.forget(tx, resource_id)
        position = journal_deletion(tx, context, before)
        others = tuple(each for each in network.subnets if each.id != resource_id)
        followed = self.dhcp_ports.follow(tx, context.request_id, evolve(network, subnets=others))
        drop_subnet(tx, resource_id)
        position = peer_gone(tx, context, before) or followed or position
        subnets_changed(tx, network.id, position)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        conditions = visible_subnets(context.scope_of("subnet"))
        if connection.execute(select(subnets.c.id).where(subnets.c.id == resource_id, *conditions)).first() is None:
            raise SubnetNotFound(resource_id)
        return self._views(connection, (resource_id,))[0]

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        special = {name: make for aspect in self.aspects for name, make in aspect.filters.items()}
        filterable = Filterable(subnets, special={**special, "shared": _of_shared(context)})
        ids = matching_ids(connection, filterable, visible_subnets(context.scope_of("subnet")), query)
        for batch in in_batches(ids):
            yield self._views(connection, batch)

    def _views(self, connection: Connection, ids: Sequence[str]) -> builtins.list[View]:
        views = subnet_views(connection, ids)
        for aspect in self.aspects:
            aspect.load(connection, views)
        return [*views.values()]


def _of_shared(context: Context) -> Any:
    """Return what makes the condition of the filter ``shared``: that the network is shared with the caller."""

    of_shared = subnets.c.network_id.in_(granted("network", context.project_id))

    def condition(alternatives: Alternatives) -> ColumnElement[bool]:
        return or_(*(of_shared if wanted else ~of_shared for wanted in alternatives))

    return condition


def _with(network: NetworkFacts, changed: SubnetFacts) -> NetworkFacts:
    return evolve(network, subnets=tuple(changed if each.id == changed.id else each for each in network.subnets))


def _network_of(tx: Transaction, subnet: View) -> NetworkFacts:
    network = network_facts(tx, subnet["network_id"])
    if network is None:
        raise SubnetNotFound(subnet["id"])
    return network


def _shown(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


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
