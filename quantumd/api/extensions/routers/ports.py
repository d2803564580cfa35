"""Ports that routers use: made, given back and protected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from zope.interface import implementer

from quantumd.api.aspects import IAspect, KeptInRow
from quantumd.api.attributes import Attribute
from quantumd.api.errors import BadRequest
from quantumd.api.extensions.quotas.counts import forget_count
from quantumd.api.extensions.routers.errors import DeviceIDNotOwnedByTenant
from quantumd.api.extensions.routers.hosting import RouterHosts
from quantumd.api.extensions.routers.rows import leave_port, owner_of, take_port, user_of
from quantumd.api.resources.allocation import addresses_of
from quantumd.api.resources.errors import ServicePortInUse, ServicePortNotDeletable
from quantumd.api.resources.facts import network_facts
from quantumd.api.resources.guarantees import require_room_for
from quantumd.api.resources.port_binding import rebound
from quantumd.api.resources.port_changes import require_reached
from quantumd.api.resources.port_creation import PortMaker
from quantumd.api.resources.port_errors import (
    HostConnectedToMultipleSegments,
    HostNotCompatibleWithFixedIps,
    HostNotConnectedToAnySegment,
)
from quantumd.api.resources.port_reading import port_of
from quantumd.api.resources.port_rows import change_port, remove_port
from quantumd.api.resources.views import View
from quantumd.model.binding import NORMAL
from quantumd.model.context import Context
from quantumd.model.port import ROUTER_INTERFACE_OWNERS
from quantumd.model.router import INTERFACE, PORT_OWNERS
from quantumd.store.transaction import Transaction

_FIXED = ("device_id", "device_owner")
_UNREACHED = (HostConnectedToMultipleSegments, HostNotCompatibleWithFixedIps, HostNotConnectedToAnySegment)


@frozen
class RouterPorts:
    """Makes ports for routers and takes them away again. The callers need not be allowed to: they are the service's.

    They are bound to the host that carries the router, also while that is silent: there the router stays.
    """

    maker: PortMaker
    hosts: RouterHosts

    def make(
        self,
        tx: Transaction,
        context: Context,
        router: View,
        kind: str,
        network_id: str,
        fixed_ips: Sequence[Mapping[str, Any]] | None,
    ) -> View:
        """Make a port for the router. Errors are those of a port's creation, and BadRequest.

        A gateway's belongs to no project: it is not of those that count, nor is it seen by whom the router is of.
        """
        project_id = router["project_id"] if kind == INTERFACE else ""
        body: dict[str, Any] = {
            "name": "",
            "description": "",
            "network_id": network_id,
            "project_id": project_id,
            "admin_state_up": True,
            "device_id": router["id"],
            "device_owner": PORT_OWNERS[kind],
            "binding:host_id": self.hosts.carrier(tx, context, router["id"]),
            "binding:vnic_type": NORMAL,
            "binding:profile": {},
        }
        if fixed_ips is not None:
            body["fixed_ips"] = fixed_ips
        forget_count(tx, "port", project_id)
        with _reaching(router, network_id):
            port = self.maker.create(tx, context.elevated, (body,))[0]
        take_port(tx, router["id"], port["id"], kind)
        return port

    def adopt(self, tx: Transaction, context: Context, router: View, kind: str, port: View) -> None:
        """Let the router use a port that somebody made. BadRequest, HostBandwidthExceeded, NoBandwidthToGuarantee."""
        host = self.hosts.carrier(tx, context, router["id"])
        network = network_facts(tx, port["network_id"])
        if host and network is not None:
            with _reaching(router, network.id):
                require_reached(tx, network, port["id"], host, addresses_of(tx, port["id"]))
        require_room_for(tx, port["id"], host)
        owner = {"device_id": router["id"], "device_owner": PORT_OWNERS[kind]}
        change_port(tx, context.request_id, port, owner | rebound(tx, port, {"binding:host_id": host}, None))
        take_port(tx, router["id"], port["id"], kind)

    def remove(self, tx: Transaction, context: Context, port_id: str) -> View | None:
        """Delete a port that a router used; return what it was."""
        port = port_of(tx.connection, (), port_id)
        leave_port(tx, port_id)
        if port is not None:
            remove_port(tx, context.request_id, port)
        return port


@contextmanager
def _reaching(router: View, network_id: str) -> Iterator[None]:
    """Refuse a network that the router's host does not reach, in words that name no host: owners know of none."""
    try:
        yield
    except _UNREACHED:
        raise BadRequest(
            "router", f"The host of router {router['id']} is on no segment of network {network_id}"
        ) from None


@implementer(IAspect)
@frozen
class RoutersPorts(KeptInRow):
    """Adds nothing to ports; protects those that routers use. ``is_served``: whether there are routers."""

    is_served: bool
    attributes: tuple[Attribute, ...] = ()

    def settle(
        self, tx: Transaction, context: Context, named: Mapping[str, Any], before: View | None, view: Mapping[str, Any]
    ) -> View:
        """See IAspect. ServicePortInUse, DeviceIDNotOwnedByTenant."""
        asks = self.is_served and not context.is_admin and _says_it_is_a_router_s(before, view)
        if asks and owner_of(tx, view["device_id"]) not in (None, view["project_id"]):
            raise DeviceIDNotOwnedByTenant(view["device_id"])
        changes = before is not None and any(before[name] != view[name] for name in _FIXED)
        if before is not None and changes and self._user(tx, before["id"]) is not None:
            raise ServicePortInUse(before["id"], f"it has device owner {before['device_owner']}")
        return {}

    def forget(self, tx: Transaction, resource_id: str) -> None:
        """See IAspect. ServicePortNotDeletable: a router's interface is removed from the router."""
        if self._user(tx, resource_id) is not None:
            port = port_of(tx.connection, (), resource_id) or {}
            raise ServicePortNotDeletable(resource_id, f"it has device owner {port.get('device_owner')}")

    def _user(self, tx: Transaction, port_id: str) -> str | None:
        return user_of(tx, port_id) if self.is_served else None


def _says_it_is_a_router_s(before: View | None, view: Mapping[str, Any]) -> bool:
    is_new = before is None or any(before[name] != view[name] for name in _FIXED)
    return is_new and bool(view["device_id"]) and view["device_owner"] in ROUTER_INTERFACE_OWNERS
