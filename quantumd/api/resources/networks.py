"""Networks: creating, changing and deleting them by the rules; see network_attributes for what a request may name."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, delete, insert, select, update
from zope.interface import implementer

from quantumd.api.aspects import IAspect
from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.dhcp_port import dhcp_port_of
from quantumd.api.resources.errors import InvalidSharedSetting, NetworkInUse, NetworkNotFound, NoNetworkAvailable
from quantumd.api.resources.facts import forget_network
from quantumd.api.resources.matching import Filterable, matching_ids
from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.port_rows import remove_port, settled
from quantumd.api.resources.segments import hold_segment, release_segment, segment_for
from quantumd.api.resources.statuses import network_switched
from quantumd.api.resources.subnet_rows import remove_subnet
from quantumd.api.resources.views import (
    NETWORK_COLUMNS,
    View,
    in_batches,
    network_view,
    network_views,
    subnet_ids_of,
)
from quantumd.config import NetworkSettings
from quantumd.model.context import Context
from quantumd.model.network import Segment, SegmentRules, is_host_content
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.status import ACTIVE
from quantumd.store.scope import visible_networks
from quantumd.store.tables import networks, ports
from quantumd.store.transaction import Transaction

_FILTERABLE = Filterable(networks, NETWORK_COLUMNS)


@implementer(IOperations)
@frozen
class Networks:
    """Operations on networks."""

    settings: NetworkSettings
    rules: SegmentRules
    chance: Chance
    aspects: tuple[IAspect, ...] = ()

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        def attempt() -> View:
            segment = segment_for(tx, self.rules, body)
            view = self._new_view(tx, body, segment)
            position = _journal(tx, context, "create", view, after=view)
            tx.connection.execute(insert(networks), _columns(view, position))
            hold_segment(tx, view["id"], segment)
            return view

        return settled(tx, attempt, lambda: None, NoNetworkAvailable())

    def _new_view(self, tx: Transaction, body: Mapping[str, Any], segment: Segment) -> View:
        return {
            "id": self.chance.new_id(),
            "name": body["name"],
            "project_id": body["project_id"],
            "admin_state_up": body["admin_state_up"],
            "mtu": self.settings.mtu_bytes,
            "status": ACTIVE,
            "subnets": [],
            "shared": body["shared"],
            "provider:network_type": segment.network_type,
            "provider:physical_network": segment.physical_network,
            "provider:segmentation_id": segment.segmentation_id,
            "description": body["description"],
            "created_at": tx.now,
            "updated_at": tx.now,
            "revision_number": 1,
        }

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = visible_network(tx.connection, context, resource_id)
        if not is_owner(context, before["project_id"]):
            raise PolicyNotAuthorized("rule:update_network")
        changed = {name: value for name, value in changes.items() if before[name] != value}
        if not changed:
            return before
        if changed.get("shared") is False:
            _require_own_ports(tx, before)
        changed.update(revision_number=before["revision_number"] + 1, updated_at=tx.now)
        after = {**before, **changed}
        position = _journal(tx, context, "update", after, before=before, after=after)
        row = _columns(changed, position if is_host_content(changed) else None)
        tx.connection.execute(update(networks).where(networks.c.id == resource_id).values(row))
        forget_network(tx, resource_id)
        if "admin_state_up" in changed:
            network_switched(tx, context.request_id, resource_id, changed["admin_state_up"])
        return after

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. The subnets and the DHCP port go with the network; any other port keeps it."""
        before = visible_network(tx.connection, context, resource_id)
        if not is_owner(context, before["project_id"]):
            raise PolicyNotAuthorized("rule:delete_network")
        _require_unused(tx, resource_id)
        _journal(tx, context, "delete", before, before=before)
        dhcp_port = dhcp_port_of(tx, resource_id)
        if dhcp_port is not None:
            remove_port(tx, context.request_id, dhcp_port)
        for subnet_id in before["subnets"]:
            remove_subnet(tx, context, subnet_id)
        release_segment(tx, resource_id)
        tx.connection.execute(delete(networks).where(networks.c.id == resource_id))
        forget_network(tx, resource_id)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return visible_network(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        ids = matching_ids(connection, _FILTERABLE, visible_networks(context.scope), query)
        for batch in in_batches(ids):
            yield network_views(connection, batch)


def visible_network(connection: Connection, context: Context, network_id: str) -> View:
    """Return the view of the network. NetworkNotFound."""
    statement = select(networks).where(networks.c.id == network_id, *visible_networks(context.scope))
    row = connection.execute(statement).first()
    if row is None:
        raise NetworkNotFound(network_id)
    return network_view(row, subnet_ids_of(connection, (network_id,))[network_id])


def _columns(view: Mapping[str, Any], position: int | None) -> dict[str, Any]:
    row = {NETWORK_COLUMNS.get(name, name): value for name, value in view.items() if name != "subnets"}
    return row if position is None else {**row, "record_version": position}


def _require_unused(tx: Transaction, network_id: str) -> None:
    statement = (
        select(ports.c.id)
        .where(ports.c.network_id == network_id, ports.c.device_owner != DHCP_OWNER)
        .order_by(ports.c.created_at, ports.c.id)
    )
    port_ids = list(tx.connection.execute(statement).scalars())
    if port_ids:
        raise NetworkInUse(network_id, port_ids)


def _require_own_ports(tx: Transaction, network: View) -> None:
    statement = (
        select(ports.c.id)
        .where(ports.c.network_id == network["id"], ports.c.project_id != network["project_id"])
        .limit(1)
    )
    if tx.connection.execute(statement).first() is not None:
        raise InvalidSharedSetting(network["id"])


def _journal(
    tx: Transaction,
    context: Context,
    operation: str,
    network: View,
    before: View | None = None,
    after: View | None = None,
) -> int:
    return tx.journal(
        resource="network",
        resource_id=network["id"],
        project_id=network["project_id"],
        request_id=context.request_id,
        operation=operation,
        before=before,
        after=after,
    )
