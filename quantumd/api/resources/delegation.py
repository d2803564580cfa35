"""Subnets whose prefix a router is given from outside: what they are until they have one."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from quantumd.api.errors import BadRequest, InvalidInput
from quantumd.model.addresses import prefix_of
from quantumd.model.delegation import PREFIX_DELEGATION, PROVISIONAL
from quantumd.model.subnet import AUTO_ADDRESS_MODES

FIRST_GATEWAY: Final = "::1"
"""The gateway of such a subnet whose creator names none, and when it has a prefix the same in that. As in Neutron."""


def is_meant(body: Mapping[str, Any], is_default: bool) -> bool:
    """Whether a new subnet names delegation as its pool. BadRequest: it says twice which one it wants.

    ``is_default``: whether delegation stands for the default pool of IPv6.
    """
    by_default, pool_id = bool(body.get("use_default_subnetpool")), body.get("subnetpool_id")
    if by_default and pool_id is not None:
        raise BadRequest("subnets", "subnetpool_id and use_default_subnetpool cannot both be specified")
    return pool_id == PREFIX_DELEGATION or (by_default and is_default and body["ip_version"] == 6)


def provisional(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a new subnet as it is until it has a prefix. BadRequest, InvalidInput."""
    if "allocation_pools" in body:
        raise BadRequest("subnets", "allocation_pools allowed only for specific subnet requests")
    if body["ip_version"] != 6:
        raise BadRequest("subnets", "Prefix Delegation can only be used with IPv6 subnets")
    for name, shown in (("ipv6_ra_mode", "RA"), ("ipv6_address_mode", "Address")):
        if body[name] not in AUTO_ADDRESS_MODES:
            raise BadRequest("subnets", f"IPv6 {shown} Mode must be SLAAC or Stateless for Prefix Delegation")
    gateway_ip = body.get("gateway_ip", FIRST_GATEWAY)
    if gateway_ip is not None and ip_address(gateway_ip) not in prefix_of(PROVISIONAL):
        raise InvalidInput("Gateway is not valid on subnet")
    return {**body, "cidr": PROVISIONAL, "subnetpool_id": PREFIX_DELEGATION, "gateway_ip": gateway_ip}
