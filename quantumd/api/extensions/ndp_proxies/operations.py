"""NDP proxies: for which addresses inside a router answers outside."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, ClassVar

from attrs import frozen

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.address_scopes.network_aspect import scope_of_network
from quantumd.api.extensions.ndp_proxies.attributes import ENABLE
from quantumd.api.extensions.ndp_proxies.errors import (
    AddressScopeConflict,
    InvalidAddress,
    NeutronDbObjectDuplicateEntry,
    PortUnreachableRouter,
    RouterNDPProxyNotEnable,
)
from quantumd.api.extensions.ndp_proxies.rows import PROXIES, proxied_by
from quantumd.api.extensions.routers.attributes import GATEWAY
from quantumd.api.extensions.routers.rows import ROUTERS, links_of
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.router import INTERFACE
from quantumd.store.transaction import Transaction

_GIVEN = ("name", "description", "project_id", "router_id", "port_id")


@frozen
class NdpProxies(KeptAsRows):
    """Operations on NDP proxies. Only name and description of one change."""

    rows: ClassVar = PROXIES
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows.

        :raises PortNotFound, RouterNotFound: one of them is not there.
        :raises PortUnreachableRouter, BadRequest, InvalidAddress: there is no such address that the router reaches.
        :raises RouterNDPProxyNotEnable, AddressScopeConflict: the router does not answer, or may not for this one.
        :raises NeutronDbObjectDuplicateEntry: it does already.
        """
        port = shown_port(tx.connection, (), context, body["port_id"])
        router = ROUTERS.show(tx.connection, context, body["router_id"])
        reached = _reached_subnets(tx, router["id"], port["network_id"])
        if reached is None:
            raise PortUnreachableRouter(port["id"], router["id"])
        if not router[ENABLE]:
            raise RouterNDPProxyNotEnable(router["id"])
        address = _address(port, router["id"], reached, body["ip_address"])
        outside, inside = (
            scope_of_network(tx.connection, each, 6) for each in (router[GATEWAY]["network_id"], port["network_id"])
        )
        if outside != inside:
            raise AddressScopeConflict(outside, inside)
        # Whether it answers already is only known while nobody makes another.
        tx.lock(f"ndp proxies:{router['id']}")
        if address in proxied_by(tx, router["id"]):
            raise NeutronDbObjectDuplicateEntry(router["id"], address)
        view = {"id": self.chance.new_id(), **{name: body[name] for name in _GIVEN}, "ip_address": address}
        return PROXIES.insert(tx, context, view)


def _reached_subnets(tx: Transaction, router_id: str, network_id: str) -> set[str] | None:
    """Return the IPv6 subnets of a network that the router stands in; None when it stands in none of any version."""
    links = [link for some in links_of(tx, router_id, INTERFACE).values() for link in some]
    here = [link for link in links if link.network_id == network_id]
    return {link.subnet_id for link in here if ":" in link.ip_address} if here else None


def _address(port: View, router_id: str, reached: set[str], wanted: str | None) -> str:
    """Return the address of the port that is meant. See ``make``."""
    held: dict[str, str] = {each["ip_address"]: each["subnet_id"] for each in port["fixed_ips"]}
    of_version_6 = {each: subnet_id for each, subnet_id in held.items() if ip_address(each).version == 6}
    if not of_version_6:
        raise BadRequest("ndp_proxy", f"Requested port {port['id']} must allocate one IPv6 address at least")
    if wanted is None:
        found = next((each for each, subnet_id in of_version_6.items() if subnet_id in reached), None)
        if found is None:
            raise PortUnreachableRouter(port["id"], router_id)
        return found
    if wanted not in of_version_6:
        raise InvalidAddress(wanted, f"This address not belong to the port {port['id']}")
    if of_version_6[wanted] not in reached:
        raise InvalidAddress(wanted, f"This address cannot reach the router {router_id}")
    return wanted
