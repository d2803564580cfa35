"""Gateways of routers: the ports on external networks by which they reach the outside.

The first is ``external_gateway_info``; all are ``external_gateways``. Source: Neutron 29, its external gateways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from attrs import frozen

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.external_net.facts import external_network
from quantumd.api.extensions.floating_ips.errors import RouterExternalGatewayInUseByFloatingIp
from quantumd.api.extensions.floating_ips.rows import reached_by
from quantumd.api.extensions.ndp_proxies.enabling import require_no_proxies
from quantumd.api.extensions.routers.attributes import MOST_GATEWAYS
from quantumd.api.extensions.routers.delegations import withdraw
from quantumd.api.extensions.routers.gateway_rows import HeldGateway, gateways_of, order_gateways, take_gateway
from quantumd.api.extensions.routers.ports import RouterPorts
from quantumd.api.extensions.routers.rows import links_of, user_of
from quantumd.api.resources.allocation import Vacancies, addresses_of
from quantumd.api.resources.facts import NetworkFacts, network_facts
from quantumd.api.resources.port_addresses import chosen_addresses, wish_of
from quantumd.api.resources.port_reading import port_of
from quantumd.api.resources.port_rows import change_port
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.router import GATEWAY, INTERFACE, Link, overlap
from quantumd.store.transaction import Transaction


@frozen
class Gateways:
    """Gives routers their gateways and takes them away. Who has made changes says so at last, by ``require``."""

    ports: RouterPorts

    def set(self, tx: Transaction, context: Context, router: View, wanted: Mapping[str, Any]) -> None:
        """Let this be the router's first gateway; others stay. NetworkNotFound, BadRequest, errors of addresses."""
        held = gateways_of(tx, router["id"])
        network = _outside(tx, context, wanted["network_id"])
        if held and held[0].network_id == network.id:
            self.readdress(tx, context, held[0], wanted)
        else:
            for first in held[:1]:
                require_no_proxies(tx, router["id"])
                self.remove(tx, context, first)
            made = self.add(tx, context, router, wanted)
            order_gateways(tx, (made, *(each.port_id for each in held[1:])))
        self.require(tx, router)

    def clear(self, tx: Transaction, context: Context, router: View) -> None:
        """Take the first gateway away, if there is one. RouterExternalGatewayInUseByFloatingIp, and …ByNDPProxy."""
        for first in gateways_of(tx, router["id"])[:1]:
            require_no_proxies(tx, router["id"])
            self.remove(tx, context, first)
        self.require(tx, router)

    def clear_all(self, tx: Transaction, context: Context, router: View) -> None:
        """Take all gateways away. RouterExternalGatewayInUseByFloatingIp."""
        for each in gateways_of(tx, router["id"]):
            self.remove(tx, context, each)
        self.require(tx, router)

    def add(self, tx: Transaction, context: Context, router: View, wanted: Mapping[str, Any]) -> str:
        """Give the router one gateway more, the last one; return the id of its port.

        :raises NetworkNotFound, BadRequest: see ``set``; errors of addresses.
        """
        held = gateways_of(tx, router["id"])
        if len(held) >= MOST_GATEWAYS:
            raise BadRequest("router", f"A router has at most {MOST_GATEWAYS} external gateways")
        network = _outside(tx, context, wanted["network_id"])
        _require_other_address(network, wanted)
        fixed_ips = wanted.get("external_fixed_ips") or None
        port = self.ports.make(tx, context, router, GATEWAY, network.id, fixed_ips)
        take_gateway(tx, port["id"], held)
        return str(port["id"])

    def remove(self, tx: Transaction, context: Context, gateway: HeldGateway) -> None:
        """Take a gateway away; with the first one go the prefixes that were delegated by it."""
        router_id = user_of(tx, gateway.port_id)
        if router_id is not None and gateways_of(tx, router_id)[0].port_id == gateway.port_id:
            withdraw(tx, context, router_id)
        self.ports.remove(tx, context, gateway.port_id)

    def require_outside(self, tx: Transaction, context: Context, wanted: Mapping[str, Any]) -> None:
        """Refuse a network to which no gateway can lead. NetworkNotFound, BadRequest."""
        _outside(tx, context, wanted["network_id"])

    def readdress(self, tx: Transaction, context: Context, gateway: HeldGateway, wanted: Mapping[str, Any]) -> None:
        """Give a gateway the addresses that are wanted, if any are; those that it has it keeps."""
        fixed_ips, port = wanted.get("external_fixed_ips"), port_of(tx.connection, (), gateway.port_id)
        if not fixed_ips or port is None:
            return
        network = _outside(tx, context.elevated, gateway.network_id)
        _require_other_address(network, wanted)
        limit = self.ports.maker.settings.max_fixed_ips_per_port
        wish = wish_of(tx, network, port["device_owner"], "", fixed_ips, limit)
        vacancies = Vacancies(tx, self.ports.maker.chance.bits)
        held = addresses_of(tx, port["id"])
        change_port(tx, context.request_id, port, {}, chosen_addresses(wish, port["mac_address"], vacancies, held))

    def require(self, tx: Transaction, router: View) -> None:
        """Refuse gateways that cannot be together, or cannot be missed.

        :raises BadRequest: the router could not tell subnets apart.
        :raises RouterExternalGatewayInUseByFloatingIp: a floating IP is of a network to which no gateway leads.
        :raises RouterGatewayInUseByNDPProxy: there is none, and the router answers for addresses there.
        """
        held = gateways_of(tx, router["id"])
        outside = {each.network_id for each in held}
        for network_id, _ in reached_by(tx, router["id"]):
            if network_id not in outside:
                raise RouterExternalGatewayInUseByFloatingIp(router["id"], network_id)
        if not held:
            require_no_proxies(tx, router["id"])
        inside = [link for links in links_of(tx, router["id"], INTERFACE).values() for link in links]
        # Several may be in one network.
        networks = [_links_into(tx, network_id) for network_id in dict.fromkeys(each.network_id for each in held)]
        for links in networks:
            _require_apart(links, inside)
        for some, others in combinations(networks, 2):
            _require_apart(others, some)


def links_around(tx: Transaction, router_id: str) -> list[Link]:
    """Return the links of a router, those to other subnets of its external networks too: they are out there."""
    outside = dict.fromkeys(each.network_id for each in gateways_of(tx, router_id))
    inside = [link for links in links_of(tx, router_id, INTERFACE).values() for link in links]
    return [*inside, *(link for network_id in outside for link in _links_into(tx, network_id))]


def _links_into(tx: Transaction, network_id: str) -> list[Link]:
    """Return what a gateway into a network makes of its subnets, whether it has an address there or not."""
    network = network_facts(tx, network_id)
    return [Link(each.id, each.cidr, "", network_id) for each in network.subnets] if network else []


def _require_apart(links: Sequence[Link], others: Sequence[Link]) -> None:
    for link in links:
        other = overlap(others, link.subnet_id, link.cidr)
        if other is not None:
            raise overlapping(link.subnet_id, link.cidr, other.subnet_id, other.cidr)


def overlapping(subnet_id: str, cidr: str, other_id: str, other_cidr: str) -> BadRequest:
    """Return the error of two subnets that one router cannot tell apart."""
    return BadRequest(
        "router", f"Cidr {cidr} of subnet {subnet_id} overlaps with cidr {other_cidr} of subnet {other_id}"
    )


def _require_other_address(network: NetworkFacts, wanted: Mapping[str, Any]) -> None:
    """Refuse the address of somebody else's gateway. BadRequest."""
    taken = {subnet.gateway_ip for subnet in network.subnets} - {None}
    for each in wanted.get("external_fixed_ips") or ():
        if each.get("ip_address") in taken:
            raise BadRequest("router", f"External IP {each['ip_address']} is the same as the gateway IP")


def _outside(tx: Transaction, context: Context, network_id: str) -> NetworkFacts:
    inner = BadRequest("router", f"Network {network_id} is not an external network")
    return external_network(tx, context, network_id, inner)
