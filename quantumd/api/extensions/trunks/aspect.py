"""``trunk_details`` of the ports that are parents of trunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, select
from zope.interface import implementer

from quantumd.api.aspects import Condition, IAspect, View
from quantumd.api.attributes import Attribute
from quantumd.api.extensions.trunks.errors import PortInUseAsSubPort, PortInUseAsTrunkParent
from quantumd.api.extensions.trunks.rows import sub_ports_of, trunk_of_parent, trunk_of_sub_port
from quantumd.api.extensions.trunks.sub_ports import SubPorts
from quantumd.api.resources.prepared_ids import PreparedIds
from quantumd.api.values import OBJECT
from quantumd.model.context import Context
from quantumd.store.tables import ports
from quantumd.store.tables.ports import trunks
from quantumd.store.transaction import Transaction

DETAILS = "trunk_details"
_TRUNKS = PreparedIds(select(trunks.c.port_id, trunks.c.id), trunks.c.port_id)
_MACS = PreparedIds(select(ports.c.id, ports.c.mac_address), ports.c.id)


@implementer(IAspect)
@frozen
class TrunkDetails:
    """Shows the trunk in its parent; sub-ports follow it from host to host. ``is_served``: whether there are trunks."""

    sub_ports: SubPorts
    is_served: bool
    attributes: tuple[Attribute, ...] = (Attribute(DETAILS, *OBJECT, is_sort_key=False, extension="trunk-details"),)
    filters: Mapping[str, Condition] = {}

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect."""
        if before is not None and DETAILS in before and before["binding:host_id"] != view["binding:host_id"]:
            self.sub_ports.bind(tx, context, before[DETAILS]["sub_ports"], view["binding:host_id"])
        return {}

    def store(self, tx: Transaction, resource_id: str, values: View) -> None:
        """See IAspect."""

    def load(self, connection: Connection, views: Mapping[str, View]) -> None:
        """See IAspect. Ports that are no parents have no details at all, as today."""
        found = dict(_TRUNKS.rows(connection, list(views))) if self.is_served else {}
        if not found:
            return
        inside = sub_ports_of(connection, list(found.values()))
        macs = self._macs(connection, [each["port_id"] for some in inside.values() for each in some])
        for port_id, trunk_id in found.items():
            sub_ports = [{**each, "mac_address": macs.get(each["port_id"])} for each in inside[trunk_id]]
            views[port_id][DETAILS] = {"trunk_id": trunk_id, "sub_ports": sub_ports}

    def _macs(self, connection: Connection, port_ids: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(port_ids), 500):
            found |= dict(_MACS.rows(connection, port_ids[start : start + 500]))
        return found

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. PortInUseAsSubPort, PortInUseAsTrunkParent."""
        if not self.is_served:
            return
        trunk_id = trunk_of_sub_port(tx, resource_id)
        if trunk_id is not None:
            raise PortInUseAsSubPort(resource_id, trunk_id)
        trunk_id = trunk_of_parent(tx, resource_id)
        if trunk_id is not None:
            raise PortInUseAsTrunkParent(resource_id, trunk_id)
