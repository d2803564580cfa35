"""Gateways of routers: the port on an external network by which they reach the outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.external_net.facts import external_network
from quantumd.api.extensions.floating_ips.errors import RouterExternalGatewayInUseByFloatingIp
from quantumd.api.extensions.floating_ips.rows import reached_by
from quantumd.api.extensions.ndp_proxies.enabling import require_no_proxies
from quantumd.api.extensions.routers.ports import RouterPorts
from quantumd.api.extensions.routers.rows import links_of, ports_of
from quantumd.api.resources.allocation import Vacancies
from quantumd.api.resources.facts import NetworkFacts
from quantumd.api.resources.port_addresses import chosen_addresses, wish_of
from quantumd.api.resources.port_reading import port_of
from quantumd.api.resources.port_rows import change_port
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.router import GATEWAY, INTERFACE, overlap
from quantumd.store.transaction import Transaction


@frozen
class Gateways:
    """Gives routers their gateways and takes them away."""

    ports: RouterPorts

    def set(self, tx: Transaction, context: Context, router: View, wanted: Mapping[str, Any]) -> None:
        """Let the router have this gateway, and no other. NetworkNotFound, BadRequest, errors of addresses."""
        network = _outside(tx, context, wanted["network_id"])
        held = ports_of(tx, router["id"], GATEWAY)
        port = port_of(tx.connection, (), held[0]) if held else None
        fixed_ips = wanted.get("external_fixed_ips")
        if port is not None and port["network_id"] == network.id:
            if fixed_ips:
                self._readdress(tx, context, network, port, fixed_ips)
        else:
            self.clear(tx, context, router)
            self.ports.make(tx, context, router, GATEWAY, network.id, fixed_ips or None)
        self._require_apart(tx, router)

    def clear(self, tx: Transaction, context: Context, router: View) -> None:
        """Take the gateway away, if there is one. RouterExternalGatewayInUseByFloatingIp, and …ByNDPProxy."""
        for port_id in ports_of(tx, router["id"], GATEWAY):
            port = port_of(tx.connection, (), port_id)
            if port is not None and any(port["network_id"] == outside for outside, _ in reached_by(tx, router["id"])):
                raise RouterExternalGatewayInUseByFloatingIp(router["id"], port["network_id"])
            require_no_proxies(tx, router["id"])
            self.ports.remove(tx, context, port_id)

    def _readdress(self, tx: Transaction, context: Context, network: NetworkFacts, port: View, fixed_ips: Any) -> None:
        limit = self.ports.maker.settings.max_fixed_ips_per_port
        wish = wish_of(tx, network, port["device_owner"], "", fixed_ips, limit)
        addresses = chosen_addresses(wish, port["mac_address"], Vacancies(tx, self.ports.maker.chance.bits))
        change_port(tx, context.request_id, port, {}, addresses)

    def _require_apart(self, tx: Transaction, router: View) -> None:
        """Refuse a gateway in whose subnets are addresses that the router has inside. BadRequest."""
        inside = [link for links in links_of(tx, router["id"], INTERFACE).values() for link in links]
        for links in links_of(tx, router["id"], GATEWAY).values():
            for link in links:
                other = overlap(inside, link.subnet_id, link.cidr)
                if other is not None:
                    raise overlapping(link.subnet_id, link.cidr, other.subnet_id, other.cidr)


def overlapping(subnet_id: str, cidr: str, other_id: str, other_cidr: str) -> BadRequest:
    """Return the error of two subnets that one router cannot tell apart."""
    return BadRequest(
        "router", f"Cidr {cidr} of subnet {subnet_id} overlaps with cidr {other_cidr} of subnet {other_id}"
    )


def _outside(tx: Transaction, context: Context, network_id: str) -> NetworkFacts:
    inner = BadRequest("router", f"Network {network_id} is not an external network")
    return external_network(tx, context, network_id, inner)
