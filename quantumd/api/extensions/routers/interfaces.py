"""Interfaces of routers: the ports with which they stand in subnets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from quantumd.api.errors import BadRequest, InvalidInput
from quantumd.api.extensions.floating_ips.errors import RouterInterfaceInUseByFloatingIP
from quantumd.api.extensions.floating_ips.rows import reached_by
from quantumd.api.extensions.ndp_proxies.enabling import require_none_inside
from quantumd.api.extensions.routers.delegations import is_delegated, withdraw
from quantumd.api.extensions.routers.errors import (
    PortInUse,
    RouterInterfaceInUseByRoute,
    RouterInterfaceNotFound,
    RouterInterfaceNotFoundForSubnet,
    SubnetMismatchForPort,
)
from quantumd.api.extensions.routers.gateway import links_around, overlapping
from quantumd.api.extensions.routers.ports import RouterPorts
from quantumd.api.extensions.routers.rows import ROUTERS, links_of, network_of_subnet, user_of
from quantumd.api.extensions.routers.standing import (
    require_leave,
    require_leave_for_port,
    require_one_ipv6_port,
    require_own_advertisements,
)
from quantumd.api.resources.allocation import Vacancies, addresses_of
from quantumd.api.resources.errors import SubnetNotFound
from quantumd.api.resources.facts import NetworkFacts, SubnetFacts, network_facts
from quantumd.api.resources.port_addresses import chosen_addresses, wish_of
from quantumd.api.resources.port_reading import port_of, shown_port
from quantumd.api.resources.port_rows import change_port
from quantumd.api.resources.views import View
from quantumd.api.values import UUID
from quantumd.model.context import Context
from quantumd.model.router import INTERFACE, Link, is_reached, overlap
from quantumd.store.transaction import Transaction

Links = Mapping[str, Sequence[Link]]


@frozen
class Interfaces:
    """The operations of actions."""

    ports: RouterPorts

    def add(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Let the router stand in a subnet: by a port that is there, or by its gateway address. See Action."""
        router = ROUTERS.show(tx.connection, context, parts["resource_id"])
        port_id, subnet_id = _named(body)
        if port_id is not None and subnet_id is not None:
            raise BadRequest("router", "Cannot specify both subnet-id and port-id")
        if port_id is not None:
            port, subnet_ids = self._by_port(tx, context, router, port_id)
        else:
            port, subnet_ids = self._by_subnet(tx, context, router, str(subnet_id))
        ROUTERS.touch(tx, router["id"])
        return _shown(router, port, subnet_ids, subnet_ids[-1])

    def remove(self, tx: Transaction, context: Context, parts: Mapping[str, str], body: Any) -> View:
        """Let the router leave a subnet. See Action.

        :raises RouterInterfaceNotFound, RouterInterfaceNotFoundForSubnet, SubnetMismatchForPort: it is not there.
        :raises RouterInterfaceInUseByRoute, RouterInterfaceInUseByFloatingIP, and …ByNDPProxy: it is needed.
        """
        router = ROUTERS.show(tx.connection, context, parts["resource_id"])
        port_id, subnet_id = _named(body)
        inside = links_of(tx, router["id"], INTERFACE)
        port_id = _found(router["id"], inside, port_id, subnet_id)
        leaving = [link for link in inside[port_id] if subnet_id in (None, link.subnet_id)]
        staying = [link for link in inside[port_id] if link not in leaving]
        _require_unused(tx, router, leaving)
        withdraw(tx, context, router["id"], [link.subnet_id for link in leaving])
        port = port_of(tx.connection, (), port_id)
        if port is None:
            raise RouterInterfaceNotFound(router["id"], port_id)
        if staying:
            kept = {link.subnet_id for link in staying}
            addresses = tuple(each for each in addresses_of(tx, port_id) if each.subnet_id in kept)
            change_port(tx, context.request_id, port, {}, addresses)
        else:
            self.ports.remove(tx, context, port_id)
        ROUTERS.touch(tx, router["id"])
        return _shown(router, port, [link.subnet_id for link in leaving], leaving[0].subnet_id)

    def _by_port(self, tx: Transaction, context: Context, router: View, port_id: str) -> tuple[View, list[str]]:
        port = shown_port(tx.connection, (), context, port_id)
        if port["device_id"] or user_of(tx, port_id) is not None:
            raise PortInUse(port["network_id"], port_id, port["device_id"])
        network = network_facts(tx, port["network_id"])
        subnets = [network.subnet(each["subnet_id"]) if network else None for each in port["fixed_ips"]]
        there = [subnet for subnet in subnets if subnet is not None]
        if not there:
            raise BadRequest("router", "Router port must have at least one fixed IP")
        if sum(subnet.ip_version == 4 for subnet in there) > 1:
            raise BadRequest("router", "Cannot have multiple IPv4 subnets on router port")
        require_own_advertisements(tx, there)
        require_one_ipv6_port(tx, router, port["network_id"], there)
        for subnet in there:
            _require_apart(tx, router, subnet)
        require_leave_for_port(tx, context, port, there)
        self.ports.adopt(tx, context, router, INTERFACE, port)
        return port, [subnet.id for subnet in there]

    def _by_subnet(self, tx: Transaction, context: Context, router: View, subnet_id: str) -> tuple[View, list[str]]:
        network_id = network_of_subnet(tx, context, subnet_id)
        network = None if network_id is None else network_facts(tx, network_id)
        subnet = None if network is None else network.subnet(subnet_id)
        if network is None or subnet is None:
            raise SubnetNotFound(subnet_id)
        if subnet.gateway_ip is None:
            raise BadRequest("router", "Subnet for router interface must have a gateway IP")
        require_leave(tx, context, network, subnet)
        _require_apart(tx, router, subnet)
        wanted = {"subnet_id": subnet.id, "ip_address": subnet.gateway_ip}
        # As in Neutron a subnet whose prefix is delegated has a port of its own.
        joins = subnet.ip_version == 6 and not is_delegated(tx, subnet.id)
        beside = _ipv6_port(tx, router, network) if joins else None
        if beside is not None:
            self._add_address(tx, context, network, beside, wanted)
            return beside, [subnet.id]
        return self.ports.make(tx, context, router, INTERFACE, network.id, (wanted,)), [subnet.id]

    def _add_address(
        self, tx: Transaction, context: Context, network: NetworkFacts, port: View, wanted: Mapping[str, str]
    ) -> None:
        """Give a port one address more: of one network the IPv6 subnets of a router are on one port."""
        held = addresses_of(tx, port["id"])
        every = [*({"subnet_id": each.subnet_id, "ip_address": each.text} for each in held), wanted]
        wish = wish_of(tx, network, port["device_owner"], "", every, self.ports.maker.settings.max_fixed_ips_per_port)
        vacancies = Vacancies(tx, self.ports.maker.chance.bits)
        change_port(tx, context.request_id, port, {}, chosen_addresses(wish, port["mac_address"], vacancies, held))


def _named(body: Any) -> tuple[str | None, str | None]:
    """Return the port and the subnet that a request names. BadRequest."""
    if not isinstance(body, dict) or not any(body.get(name) for name in ("port_id", "subnet_id")):
        raise BadRequest("router", "Either subnet_id or port_id must be specified")
    return _id(body, "port_id"), _id(body, "subnet_id")


def _id(body: Mapping[str, Any], name: str) -> str | None:
    given = body.get(name)
    if given is None:
        return None
    try:
        return str(UUID.convert(given))
    except InvalidInput as error:
        raise BadRequest("router", error.reason) from None


def _require_apart(tx: Transaction, router: View, subnet: SubnetFacts) -> None:
    """Refuse a subnet that the router stands in already, or cannot tell from one in which it does. BadRequest."""
    other = overlap(links_around(tx, router["id"]), subnet.id, subnet.cidr)
    if other is None:
        return
    if other.subnet_id == subnet.id:
        raise BadRequest("router", f"Router already has a port on subnet {subnet.id}")
    raise overlapping(subnet.id, subnet.cidr, other.subnet_id, other.cidr)


def _require_unused(tx: Transaction, router: View, leaving: Sequence[Link]) -> None:
    reached = {subnet_id for _, subnet_id in reached_by(tx, router["id"])}
    for link in leaving:
        if link.subnet_id in reached:
            raise RouterInterfaceInUseByFloatingIP(router["id"], link.subnet_id)
    require_none_inside(tx, router["id"], {link.subnet_id for link in leaving})
    staying = [link for some in links_of(tx, router["id"]).values() for link in some if link not in leaving]
    for route in router["routes"]:
        if not is_reached(staying, route["nexthop"]):
            out = next((link for link in leaving if is_reached((link,), route["nexthop"])), None)
            if out is not None:
                raise RouterInterfaceInUseByRoute(router["id"], out.subnet_id)


def _found(router_id: str, inside: Links, port_id: str | None, subnet_id: str | None) -> str:
    """Return the interface that is meant. See ``remove``."""
    if port_id is None:
        ids = (each for each, links in inside.items() if any(link.subnet_id == subnet_id for link in links))
        found = next(ids, None)
        if found is None:
            raise RouterInterfaceNotFoundForSubnet(router_id, str(subnet_id))
        return found
    if port_id not in inside:
        raise RouterInterfaceNotFound(router_id, port_id)
    if subnet_id is not None and all(link.subnet_id != subnet_id for link in inside[port_id]):
        raise SubnetMismatchForPort(port_id, subnet_id)
    return port_id


def _ipv6_port(tx: Transaction, router: View, network: NetworkFacts) -> View | None:
    """Return the port with which the router stands in other IPv6 subnets of the network."""
    for port_id, links in links_of(tx, router["id"], INTERFACE).items():
        if any(link.network_id == network.id and ":" in link.cidr for link in links):
            return port_of(tx.connection, (), port_id)
    return None


def _shown(router: View, port: View, subnet_ids: Sequence[str], subnet_id: str) -> View:
    return {
        "id": router["id"],
        "project_id": port["project_id"],
        "port_id": port["id"],
        "network_id": port["network_id"],
        "subnet_id": subnet_id,
        "subnet_ids": list(subnet_ids),
    }
