"""Ports: creating, changing and deleting them by the rules; see port_attributes for what a request may name."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, or_, select
from zope.interface import implementer

from quantumd.api.aspects import IAspect
from quantumd.api.errors import InvalidInput, PolicyNotAuthorized
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.allocation import (
    Address,
    Demand,
    addresses_of,
    automatic_addresses,
    demanded_addresses,
    demands_of,
    shown_addresses,
)
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.errors import (
    IpAddressAlreadyAllocated,
    MacAddressGenerationFailure,
    MacAddressInUse,
    NetworkNotFound,
    PortBound,
    PortNotFound,
    ServicePortInUse,
    ServicePortNotDeletable,
)
from quantumd.api.resources.facts import NetworkFacts, binding_for, network_facts
from quantumd.api.resources.matching import Alternatives, Filterable, matching_ids
from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.port_rows import (
    change_port,
    insert_port,
    is_mac_taken,
    new_port_view,
    owner_of_address,
    remove_port,
    settled,
)
from quantumd.api.resources.views import (
    PORT_COLUMNS,
    PORT_ROW,
    View,
    fixed_ips_of,
    in_batches,
    object_of,
    port_view,
    port_views,
)
from quantumd.config import NetworkSettings
from quantumd.model.context import Context
from quantumd.model.macs import GENERATED_BITS, generate_mac
from quantumd.model.port import COMPUTE_OWNER_PREFIX, DHCP_PORT_FIXED, is_dhcp_port
from quantumd.model.status import DOWN
from quantumd.store.scope import visible_ports
from quantumd.store.tables import ip_allocations, ports
from quantumd.store.transaction import Transaction

_DHCP_REASON = "it is the DHCP port of its network and follows from the subnets with enable_dhcp"


def _with_addresses(alternatives: Alternatives) -> ColumnElement[bool]:
    """Return the condition of ``fixed_ips`` filters: keys are ANDed on one address, values of a key ORed."""
    wanted: dict[str, list[str]] = {}
    for key, value in alternatives:
        wanted.setdefault(key, []).append(value)
    clauses: list[ColumnElement[bool]] = []
    for key, values in wanted.items():
        if key == "ip_address_substr":
            clauses.append(or_(*(ip_allocations.c.ip_address.contains(each, autoescape=True) for each in values)))
        else:
            clauses.append(ip_allocations.c[key].in_(values))
    return ports.c.id.in_(select(ip_allocations.c.port_id).where(*clauses))


_FILTERABLE = Filterable(ports, PORT_COLUMNS, {"fixed_ips": _with_addresses})


@implementer(IOperations)
@frozen
class Ports:
    """Operations on ports."""

    settings: NetworkSettings
    chance: Chance
    aspects: tuple[IAspect, ...] = ()

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        network = network_facts(tx, body["network_id"])
        if network is None or not network.is_visible(context.scope):
            raise NetworkNotFound(body["network_id"])
        _require_free_choice(context, network, body, "create_port")
        named = body.get("fixed_ips")
        demands = None if named is None else demands_of(network, named, self.settings.max_fixed_ips_per_port)
        mac = body.get("mac_address")

        def attempt() -> View:
            if demands is None:
                addresses = automatic_addresses(tx, network, self.chance.bits)
            else:
                addresses = demanded_addresses(tx, network, demands, self.chance.bits)
            view = self._new_view(tx, body, mac or self._new_mac(), addresses)
            insert_port(tx, context.request_id, view, addresses)
            return view

        return settled(
            tx, attempt, lambda: _explain(tx, network.id, mac, demands), MacAddressGenerationFailure(network.id)
        )

    def _new_mac(self) -> str:
        return generate_mac(self.settings.mac_base, self.chance.bits(GENERATED_BITS))

    def _new_view(
        self, tx: Transaction, body: Mapping[str, Any], mac_address: str, addresses: Sequence[Address]
    ) -> View:
        host_id, vnic_type = body["binding:host_id"], body["binding:vnic_type"]
        view = new_port_view(
            id=self.chance.new_id(),
            name=body["name"],
            network_id=body["network_id"],
            project_id=body["project_id"],
            mac_address=mac_address,
            admin_state_up=body["admin_state_up"],
            device_id=body["device_id"],
            device_owner=body["device_owner"],
            description=body["description"],
            fixed_ips=shown_addresses(addresses),
            created_at=tx.now,
            updated_at=tx.now,
        )
        view |= _bound(tx, host_id, vnic_type)
        view["binding:vnic_type"] = vnic_type
        view["binding:profile"] = body["binding:profile"]
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = visible_port(tx.connection, context, resource_id)
        if not is_owner(context, before["project_id"]):
            raise PolicyNotAuthorized("rule:update_port")
        network = network_facts(tx, before["network_id"])
        if network is None:
            raise NetworkNotFound(before["network_id"])
        named = {name: value for name, value in changes.items() if before[name] != value}
        _require_changeable(before, named)
        _require_free_choice(context, network, named, "update_port")
        demands = None
        if "fixed_ips" in named:
            demands = demands_of(network, named.pop("fixed_ips"), self.settings.max_fixed_ips_per_port)
        # Binding is tried again whenever a host is named, also the same one: it may have become known meanwhile.
        if "binding:host_id" in changes or "binding:vnic_type" in named:
            named.update(_rebound(tx, before, changes))
        if named.get("admin_state_up") is False:
            named["status"] = DOWN
        had = () if demands is None else addresses_of(tx, resource_id)

        def attempt() -> View:
            addresses = None if demands is None else demanded_addresses(tx, network, demands, self.chance.bits, had)
            return change_port(tx, context.request_id, before, named, addresses)[0]

        mac = named.get("mac_address")
        return settled(
            tx,
            attempt,
            lambda: _explain(tx, network.id, mac, demands, resource_id),
            MacAddressGenerationFailure(network.id),
        )

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. Ports that a compute service uses are deleted by administrators only, as in Neutron 29."""
        before = visible_port(tx.connection, context, resource_id)
        if before["device_owner"].startswith(COMPUTE_OWNER_PREFIX) and not context.is_admin:
            raise PolicyNotAuthorized("rule:delete_port")
        if is_dhcp_port(before["device_owner"]):
            raise ServicePortNotDeletable(resource_id, _DHCP_REASON)
        remove_port(tx, context.request_id, before)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return visible_port(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        ids = matching_ids(connection, _FILTERABLE, visible_ports(context.scope), query)
        with_fixed_ips = not query.fields or "fixed_ips" in query.fields
        for batch in in_batches(ids):
            yield port_views(connection, batch, with_fixed_ips)


def visible_port(connection: Connection, context: Context, port_id: str) -> View:
    """Return the view of the port. PortNotFound."""
    row = connection.execute(PORT_ROW.where(ports.c.id == port_id, *visible_ports(context.scope))).first()
    if row is None:
        raise PortNotFound(port_id)
    return port_view(row, fixed_ips_of(connection, (port_id,))[port_id])


def bind_plugged(tx: Transaction, context: Context, port_id: str, host: str) -> bool:
    """Bind an unbound port to the host on which its device was plugged; return whether it was unbound.

    A port that is gone, bound already, or a DHCP port stays as it is: what was plugged then stays dead.
    """
    row = tx.connection.execute(PORT_ROW.where(ports.c.id == port_id)).first()
    if row is None or row.host_id or is_dhcp_port(row.device_owner):
        return False
    before = port_view(row, fixed_ips_of(tx.connection, (port_id,))[port_id])
    change_port(tx, context.request_id, before, _rebound(tx, before, {"binding:host_id": host}))
    return True


def _rebound(tx: Transaction, before: View, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that binding the port anew makes; a port that moves is DOWN until its new host has it.

    DHCP ports are on every host and never bound.
    """
    host_id = changes.get("binding:host_id", before["binding:host_id"])
    vnic_type = changes.get("binding:vnic_type", before["binding:vnic_type"])
    if is_dhcp_port(before["device_owner"]):
        return {}
    bound = _bound(tx, host_id, vnic_type)
    return {**bound, "status": DOWN} if host_id != before["binding:host_id"] else bound


def _bound(tx: Transaction, host_id: str, vnic_type: str) -> dict[str, Any]:
    """Return the binding attributes of a port that is bound to the host."""
    binding = binding_for(tx, host_id, vnic_type)
    return {
        "binding:host_id": host_id,
        "binding:vif_type": binding.vif_type,
        "binding:vif_details": object_of(binding.vif_details),
    }


def _require_free_choice(context: Context, network: NetworkFacts, named: Mapping[str, Any], rule: str) -> None:
    """Refuse what only a network's owner may name on it. InvalidInput, PolicyNotAuthorized."""
    owner = named.get("device_owner") or ""
    if is_dhcp_port(owner):
        raise InvalidInput(f"device_owner '{owner}' is kept for the DHCP port that a network has by itself")
    if is_owner(context, network.project_id):
        return
    if named.get("mac_address") is not None:
        raise PolicyNotAuthorized(f"(rule:{rule} and rule:{rule}:mac_address)")
    if owner.startswith("network:"):
        raise PolicyNotAuthorized(f"(rule:{rule} and rule:{rule}:device_owner)")
    if any("ip_address" in item for item in named.get("fixed_ips") or ()):
        raise PolicyNotAuthorized(f"(rule:{rule} and rule:{rule}:fixed_ips:ip_address)")


def _require_changeable(before: View, named: Mapping[str, Any]) -> None:
    """Refuse changes that the port's use does not allow. ServicePortInUse, PortBound."""
    if is_dhcp_port(before["device_owner"]) and not DHCP_PORT_FIXED.isdisjoint(named):
        raise ServicePortInUse(before["id"], _DHCP_REASON)
    if "mac_address" in named and before["binding:host_id"]:
        raise PortBound(before["id"], before["binding:vif_type"], before["mac_address"], named["mac_address"])


def _explain(
    tx: Transaction, network_id: str, mac: str | None, demands: Sequence[Demand] | None, own_id: str | None = None
) -> None:
    """Raise when a MAC or address that the caller named is taken; return when a generated one was."""
    if mac is not None and is_mac_taken(tx, network_id, mac):
        raise MacAddressInUse(network_id, mac)
    for demand in demands or ():
        if demand.address is not None and owner_of_address(tx, demand.address) not in (None, own_id):
            raise IpAddressAlreadyAllocated(demand.address.text, demand.address.subnet_id)
