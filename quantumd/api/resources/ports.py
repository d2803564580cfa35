"""Ports: what requests do with them, by the rules; see port_attributes for what a request may name."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.aspects import IAspect
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.errors import ServicePortNotDeletable
from quantumd.api.resources.matching import matching_ids
from quantumd.api.resources.port_changes import PortChanger, bind_plugged
from quantumd.api.resources.port_creation import PortMaker
from quantumd.api.resources.port_reading import filterable_ports, listed_ports, ports_at_once, shown_port
from quantumd.api.resources.port_rows import remove_port
from quantumd.api.resources.port_rules import DHCP_REASON
from quantumd.api.resources.tags import forget_tags
from quantumd.api.resources.views import View, in_batches
from quantumd.config import NetworkSettings
from quantumd.model.context import Context
from quantumd.model.host_life import HostLife
from quantumd.model.port import is_dhcp_port
from quantumd.store.scope import visible_ports
from quantumd.store.transaction import Transaction

__all__ = ["Ports", "bind_plugged"]


@implementer(IOperations)
@frozen
class Ports:
    """Operations on ports. ``life``: see binding_for."""

    settings: NetworkSettings
    chance: Chance
    life: HostLife | None
    aspects: tuple[IAspect, ...] = ()

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        return PortMaker(self.settings, self.chance, self.aspects, self.life).create(tx, context, bodies)

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = self.show(tx.connection, context, resource_id)
        return PortChanger(self.settings, self.chance, self.aspects, self.life).change(tx, context, before, changes)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        before = self.show(tx.connection, context, resource_id)
        if is_dhcp_port(before["device_owner"]):
            raise ServicePortNotDeletable(resource_id, DHCP_REASON)
        for aspect in self.aspects:
            aspect.forget(tx, resource_id)
        if before["tags"]:
            forget_tags(tx, resource_id)
        remove_port(tx, context.request_id, before)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return shown_port(connection, self.aspects, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        ids = matching_ids(connection, filterable_ports(self.aspects), visible_ports(context.scope_of("port")), query)
        for batch in in_batches(ids, ports_at_once(connection)):
            yield listed_ports(connection, self.aspects, batch, query.fields)
