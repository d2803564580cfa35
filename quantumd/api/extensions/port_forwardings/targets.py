"""To which address of which port a forwarding leads, and whether the router of its floating IP reaches that."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.floating_ips.rows import floating_ips_of_port, routers_between
from quantumd.api.extensions.port_forwardings.errors import PortHasBindingFloatingIP
from quantumd.api.extensions.port_forwardings.spans import RESOURCE
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction


def router_to(tx: Transaction, context: Context, floating_ip: View, view: Mapping[str, Any]) -> str:
    """Return the router by which a forwarding of a floating IP leads to the address of the port that it names.

    :raises PortNotFound, BadRequest: the port cannot be meant, or the floating IP's router does not reach it.
    """
    port = shown_port(tx.connection, (), context, view["internal_port_id"])
    subnet_id = _subnet_of(port, view["internal_ip_address"])
    network_id = floating_ip["floating_network_id"]
    found = routers_between(tx, network_id, subnet_id)
    if not found:
        raise BadRequest(
            RESOURCE,
            f"External network {network_id} is not reachable from subnet {subnet_id}. Cannot set Port forwarding for "
            f"port {port['id']} with Floating IP {floating_ip['id']}",
        )
    held: str | None = floating_ip["router_id"]
    if held is not None and held not in found:
        raise BadRequest(
            RESOURCE,
            f"The Floating IP {floating_ip['id']} had been set on router {held}, the internal Neutron port "
            f"{port['id']} can not reach it",
        )
    return held or found[0]


def first_address(tx: Transaction, context: Context, port_id: str) -> str:
    """Return the first IPv4 address of a port. PortNotFound, BadRequest."""
    port = shown_port(tx.connection, (), context, port_id)
    return next(iter(_of_version_4(port)))


def require_free(tx: Transaction, port_id: str, address: str) -> None:
    """Refuse a port to which a floating IP leads. PortHasBindingFloatingIP."""
    for floatingip_id, floating_address in floating_ips_of_port(tx, port_id).items():
        raise PortHasBindingFloatingIP(floating_address, floatingip_id, port_id, address)


def _subnet_of(port: View, address: str) -> str:
    held = _of_version_4(port)
    if address not in held:
        raise BadRequest(
            RESOURCE,
            f"Requested internal IP address {address} is not suitable for internal neutron port {port['id']}, as its "
            f"fixed_ips are {[*held]}",
        )
    return held[address]


def _of_version_4(port: View) -> dict[str, str]:
    """Return the subnets of a port's IPv4 addresses, by these. BadRequest when there are none."""
    addresses = {each["ip_address"]: each["subnet_id"] for each in port["fixed_ips"]}
    held = {each: subnet_id for each, subnet_id in addresses.items() if ip_address(each).version == 4}
    if not held:
        raise BadRequest(RESOURCE, f"Requested internal port {port['id']} must allocate an IPv4 address at least")
    return held
