"""To which address of which port a floating IP leads, and by which router."""

from __future__ import annotations

from ipaddress import ip_address

from attrs import frozen

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.floating_ips.errors import (
    ExternalGatewayForFloatingIPNotFound,
    FloatingIPPortAlreadyAssociated,
)
from quantumd.api.extensions.floating_ips.rows import NOWHERE, floating_ip_of, router_between
from quantumd.api.resources.port_reading import shown_port
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.port import is_dhcp_port
from quantumd.store.transaction import Transaction

_RESOURCE = "floatingip"


@frozen
class Target:
    """One IPv4 address of a port."""

    port_id: str
    subnet_id: str
    address: str


def association(tx: Transaction, context: Context, floating_ip: View, port_id: str | None, address: str | None) -> View:
    """Return what the floating IP shows when it leads to the port; to none when that is None.

    :param address: of those of the port; None where it has only one.
    :raises BadRequest, PortNotFound: the port cannot be meant.
    :raises ExternalGatewayForFloatingIPNotFound, FloatingIPPortAlreadyAssociated: see there.
    """
    if port_id is None:
        if address is not None:
            raise BadRequest(_RESOURCE, "fixed_ip_address cannot be specified without a port_id")
        return NOWHERE
    target = _target(tx, context, floating_ip, port_id, address)
    network_id = floating_ip["floating_network_id"]
    router_id = router_between(tx, network_id, target.subnet_id)
    if router_id is None:
        raise ExternalGatewayForFloatingIPNotFound(network_id, target.subnet_id, port_id)
    held = floating_ip_of(tx, port_id, target.address, network_id)
    if held is not None and held[0] != floating_ip["id"]:
        raise FloatingIPPortAlreadyAssociated(
            floating_ip["floating_ip_address"], floating_ip["id"], port_id, target.address, network_id
        )
    return {"port_id": port_id, "fixed_ip_address": target.address, "router_id": router_id}


def _target(tx: Transaction, context: Context, floating_ip: View, port_id: str, address: str | None) -> Target:
    port = shown_port(tx.connection, (), context, port_id)
    if port["project_id"] != floating_ip["project_id"] and not context.is_admin:
        raise BadRequest(
            _RESOURCE,
            f"Cannot process floating IP association with Port {port_id} since that port is owned by a different "
            "project",
        )
    if is_dhcp_port(port["device_owner"]):
        raise BadRequest(_RESOURCE, f"Port {port_id} is unable to be assigned a floating IP")
    held = {each["ip_address"]: each["subnet_id"] for each in port["fixed_ips"]}
    if address is not None:
        if address not in held:
            raise BadRequest(_RESOURCE, f"Port {port_id} does not have fixed ip {address}")
        if ip_address(address).version == 6:
            raise BadRequest(_RESOURCE, f"Cannot process floating IP association with {address} since it is not IPv4")
        return Target(port_id, held[address], address)
    of_version_4 = [each for each in held if ip_address(each).version == 4]
    if not of_version_4:
        raise BadRequest(_RESOURCE, f"Cannot add floating IP to port {port_id} that has no fixed IPv4 addresses")
    if len(of_version_4) > 1:
        raise BadRequest(
            _RESOURCE,
            f"Port {port_id} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning "
            "a floating IP",
        )
    return Target(port_id, held[of_version_4[0]], of_version_4[0])
