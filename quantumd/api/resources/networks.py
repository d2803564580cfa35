"""Networks: creating, changing and deleting them by the rules; see network_attributes for what a request may name."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection, delete, insert, select, update
from zope.interface import implementer

from quantumd.api.aspects import IAspect
from quantumd.api.extensions.network_cascade_delete.cascade import Cascade
from quantumd.api.extensions.rbac.shared import forget_grants, is_granted
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.dhcp_port import dhcp_port_of
from quantumd.api.resources.errors import NetworkInUse
from quantumd.api.resources.facts import forget_network
from quantumd.api.resources.matching import matching_ids
from quantumd.api.resources.network_rules import (
    TRANSPARENT,
    asked_segments,
    checked_mtu,
    moved_segment,
    network_mtu,
    require_tags_pass,
    rules_for,
)
from quantumd.api.resources.network_sharing import grant, require_own_use
from quantumd.api.resources.network_views import NetworkViews, network_row, segment_columns, segments_view
from quantumd.api.resources.network_writing import journal_network
from quantumd.api.resources.port_rows import remove_port
from quantumd.api.resources.segments import Segments, hold_segments, move_segment
from quantumd.api.resources.statuses import network_switched
from quantumd.api.resources.subnet_rows import remove_subnet
from quantumd.api.resources.tags import forget_tags
from quantumd.api.resources.views import View, in_batches
from quantumd.config import NetworkSettings
from quantumd.model.context import Context
from quantumd.model.network import Segment, SegmentRules, Underlay, is_host_content
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.status import ACTIVE
from quantumd.store.scope import visible_networks
from quantumd.store.tables import networks, ports, segments
from quantumd.store.transaction import Transaction

_UNDERLAY = Underlay(1500)


@implementer(IOperations)
@frozen
class Networks:
    """Operations on networks. ``cascade`` takes away what is on one that goes with it."""

    settings: NetworkSettings
    rules: SegmentRules
    chance: Chance
    cascade: Cascade
    aspects: tuple[IAspect, ...] = ()
    underlay: Underlay = _UNDERLAY
    _views: NetworkViews = field(init=False)
    _segments: Segments = field(init=False)
    _of_aspects: frozenset[str] = field(init=False)

    @_views.default
    def _make_views(self) -> NetworkViews:
        return NetworkViews(self.aspects)

    @_segments.default
    def _make_segments(self) -> Segments:
        return Segments(self.rules, self.chance)

    @_of_aspects.default
    def _name_aspects(self) -> frozenset[str]:
        return frozenset(attribute.name for aspect in self.aspects for attribute in aspect.attributes)

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        asked = asked_segments(self._segments, body)
        require_tags_pass(body, asked)
        choice = Segments(rules_for(self.rules, body), self.chance)

        def make(chosen: tuple[Segment, ...]) -> View:
            view = self._new_view(tx, body, chosen)
            settled = [each.settle(tx, context, body, None, view) for each in self.aspects]
            for values in settled:
                view |= values
            position = journal_network(tx, context, "create", view, after=view)
            row = {**network_row(view), **network_row(segment_columns(chosen[0])), "record_version": position}
            tx.connection.execute(insert(networks), row)
            hold_segments(tx, self.chance, view["id"], chosen)
            for aspect, values in zip(self.aspects, settled, strict=True):
                aspect.store(tx, view["id"], values)
            grant(tx, context, view, {name: True for name in ("shared", "router:external") if view.get(name)})
            return view

        return choice.held(tx, body["project_id"], asked, make)

    def _new_view(self, tx: Transaction, body: Mapping[str, Any], chosen: Sequence[Segment]) -> View:
        return {
            "id": self.chance.new_id(),
            "name": body["name"],
            "project_id": body["project_id"],
            "admin_state_up": body["admin_state_up"],
            "mtu": network_mtu(body["mtu"], chosen, self.underlay, bool(body.get(TRANSPARENT))),
            "status": ACTIVE,
            "subnets": [],
            "shared": body["shared"],
            **segments_view(chosen),
            "port_security_enabled": body["port_security_enabled"],
            "dns_domain": body["dns_domain"],
            "description": body["description"],
            "tags": [],
            "created_at": tx.now,
            "updated_at": tx.now,
            "revision_number": 1,
        }

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = self._views.visible(tx.connection, context, resource_id)
        changed, moved = self._changed(tx, before, changes)
        settled = self._settled(tx, context, changes, before, {**before, **changed})
        for values in settled:
            changed |= values
        if not changed:
            return before
        changed |= {"revision_number": before["revision_number"] + 1, "updated_at": tx.now}
        after = {**before, **changed}
        if changed.get("shared") is False:
            after["shared"] = is_granted(tx.connection, "network", resource_id, context.project_id)
        position = journal_network(tx, context, "update", after, before=before, after=after)
        row = network_row(changed)
        if is_host_content({**row, **changed}):
            row["record_version"] = position
        tx.connection.execute(update(networks).where(networks.c.id == resource_id).values(row))
        if moved is not None:
            move_segment(tx, resource_id, moved)
        for aspect, values in zip(self.aspects, settled, strict=True):
            if values:
                aspect.store(tx, resource_id, values)
        grant(tx, context, after, changed)
        forget_network(tx, resource_id)
        if "admin_state_up" in changed:
            network_switched(tx, context.request_id, resource_id, changed["admin_state_up"])
        return after

    def _changed(
        self, tx: Transaction, before: View, changes: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Segment | None]:
        """Return what the core's own attributes become, and the segment when that is another one."""
        if "shared" in changes:
            before = {**before, "shared": is_granted(tx.connection, "network", before["id"])}
        named = {
            name: value for name, value in changes.items() if name not in self._of_aspects and before.get(name) != value
        }
        if named.get("shared") is False:
            require_own_use(tx, before)
        moved = moved_segment(self._segments, before, named)
        if "mtu" in named:
            named["mtu"] = checked_mtu(tx, before, named["mtu"], self.underlay)
        if named.get("mtu") == before["mtu"]:
            del named["mtu"]
        return named, moved

    def _settled(
        self, tx: Transaction, context: Context, changes: Mapping[str, Any], before: View, after: View
    ) -> builtins.list[View]:
        # Most changes are of a name or a state; what an aspect has no part in is not its to settle.
        return [
            each.settle(tx, context, changes, before, after)
            if any(attribute.name in changes for attribute in each.attributes)
            else {}
            for each in self.aspects
        ]

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. The subnets and the DHCP port go with the network; any other port keeps it."""
        before = self._views.visible(tx.connection, context, resource_id)
        _require_unused(tx, resource_id)
        self._remove(tx, context, before)

    def delete_with_ports(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """Delete one with every port on it, whosever that is. See delete and Cascade."""
        before = self._views.visible(tx.connection, context, resource_id)
        self.cascade(tx, context, resource_id)
        self._remove(tx, context, before)

    def _remove(self, tx: Transaction, context: Context, before: View) -> None:
        resource_id = before["id"]
        for aspect in self.aspects:
            aspect.forget(tx, resource_id)
        journal_network(tx, context, "delete", before, before=before)
        forget_grants(tx, context, "network", resource_id)
        dhcp_port = dhcp_port_of(tx, resource_id)
        if dhcp_port is not None:
            remove_port(tx, context.request_id, dhcp_port)
        for subnet_id in before["subnets"]:
            remove_subnet(tx, context, subnet_id)
        forget_tags(tx, resource_id)
        tx.connection.execute(delete(segments).where(segments.c.network_id == resource_id))
        tx.connection.execute(delete(networks).where(networks.c.id == resource_id))
        forget_network(tx, resource_id)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return self._views.visible(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        visible = visible_networks(context.scope_of("network"))
        for batch in in_batches(matching_ids(connection, self._views.filterable(context), visible, query)):
            yield self._views.many(connection, context, batch, query.fields)


def _require_unused(tx: Transaction, network_id: str) -> None:
    statement = (
        select(ports.c.id)
        .where(ports.c.network_id == network_id, ports.c.device_owner != DHCP_OWNER)
        .order_by(ports.c.created_at, ports.c.id)
    )
    port_ids = list(tx.connection.execute(statement).scalars())
    if port_ids:
        raise NetworkInUse(network_id, port_ids)
