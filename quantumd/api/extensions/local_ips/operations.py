"""Local IPs: an address that on each host means a port of that host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, select

from quantumd.api.extensions.local_ips.errors import (
    LocalIPInUse,
    LocalIPNoIP,
    LocalIPNoRequestedIP,
    LocalIPNotFound,
    LocalIPPortOrNetworkRequired,
    LocalIPRequestedIPNotFound,
)
from quantumd.api.resources.errors import NetworkNotFound, PortNotFound
from quantumd.api.resources.facts import network_facts
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.port_creation import PortMaker
from quantumd.api.resources.port_errors import BadPortRequest
from quantumd.api.resources.port_reading import port_of, shown_port
from quantumd.api.resources.port_rows import remove_port
from quantumd.api.resources.rows import Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model.binding import NORMAL
from quantumd.model.context import Context
from quantumd.store.tables.ports import local_ip_associations, local_ips
from quantumd.store.transaction import Transaction

OWNER = "network:local_ip"
"""device_owner of the port that holds a local IP's address, when it was made for it."""

LOCAL_IPS = Rows("local_ip", local_ips, LocalIPNotFound, of_project(local_ips), is_taggable=True)
_NAMED = ("name", "description", "project_id", "ip_mode")


def ip_of(port: View, requested: str | None) -> str:
    """Return the address of the port that is meant. LocalIPNoIP, LocalIPRequestedIPNotFound, LocalIPNoRequestedIP."""
    addresses = [each["ip_address"] for each in port["fixed_ips"]]
    if not addresses:
        raise LocalIPNoIP(port["id"])
    if requested is None and len(addresses) > 1:
        raise LocalIPNoRequestedIP(port["id"])
    if requested is not None and requested not in addresses:
        raise LocalIPRequestedIPNotFound(port["id"], requested)
    return requested or str(addresses[0])


def visible_port(connection: Connection, context: Context, port_id: str, resource: str) -> View:
    """Return the port that a request names. BadRequest when the caller sees none, as today."""
    try:
        return shown_port(connection, (), context, port_id)
    except PortNotFound:
        raise BadPortRequest(f"Port {port_id} not found", resource) from None


@frozen
class LocalIps(KeptAsRows):
    """Operations on local IPs."""

    rows: ClassVar = LOCAL_IPS
    maker: PortMaker

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        local_ip_id = self.maker.chance.new_id()
        requested = body.get("local_ip_address")
        if body.get("local_port_id") is not None:
            port = visible_port(tx.connection, context, body["local_port_id"], "local_ip")
        elif body.get("network_id") is not None:
            port = self._new_port(tx, context, body, local_ip_id)
        else:
            raise LocalIPPortOrNetworkRequired()
        values = {
            "id": local_ip_id,
            **{name: body[name] for name in _NAMED},
            "local_port_id": port["id"],
            "network_id": port["network_id"],
            "local_ip_address": ip_of(port, requested),
        }
        return LOCAL_IPS.insert(tx, context, values)

    def _new_port(self, tx: Transaction, context: Context, body: Mapping[str, Any], local_ip_id: str) -> View:
        """Make a port that holds the address, on a network that the caller sees."""
        network = network_facts(tx, body["network_id"])
        if network is None or not network.is_visible(context.scope_of("network")):
            raise NetworkNotFound(body["network_id"])
        if not any(subnet.ip_version == 4 for subnet in network.subnets):
            raise BadPortRequest(f"Network {network.id} does not contain any IPv4 subnet", "local_ip")
        port: dict[str, Any] = {
            "name": "",
            "description": "",
            "network_id": network.id,
            "project_id": body["project_id"],
            "admin_state_up": True,
            "device_id": local_ip_id,
            "device_owner": OWNER,
            "binding:host_id": "",
            "binding:vnic_type": NORMAL,
            "binding:profile": {},
        }
        if body.get("local_ip_address") is not None:
            port["fixed_ips"] = [{"ip_address": body["local_ip_address"]}]
        # The port is the service's own: the caller need not be allowed to make it.
        return self.maker.create(tx, context.elevated, (port,))[0]

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. A port that was made for it goes with it. LocalIPInUse."""
        before = self.show(tx.connection, context, resource_id)
        columns = local_ip_associations.c
        users = select(columns.fixed_port_id).where(columns.local_ip_id == resource_id).limit(1)
        if tx.connection.execute(users).first() is not None:
            raise LocalIPInUse(resource_id)
        LOCAL_IPS.remove(tx, context, before)
        port = port_of(tx.connection, (), before["local_port_id"])
        if port is not None and port["device_owner"] == OWNER and port["device_id"] == resource_id:
            remove_port(tx, context.request_id, port)
