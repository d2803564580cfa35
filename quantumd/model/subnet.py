"""Subnets: what of them may be, and which of their changes hosts must hear of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import ip_address

from attrs import frozen

from quantumd.model.addresses import prefix_of

HOST_CONTENT = frozenset({"cidr", "gateway_ip", "enable_dhcp", "dns_nameservers", "host_routes"})
"""Attributes that are part of the network's records; changing others changes no record."""


@frozen
class Mismatch:
    """An address or prefix ``value`` of attribute ``name`` that is not of the subnet's IP version."""

    name: str
    value: str


def is_host_content(changed: Collection[str]) -> bool:
    """Whether a change of these attributes changes what hosts must know."""
    return not HOST_CONTENT.isdisjoint(changed)


def is_served(ip_version: int, enable_dhcp: bool) -> bool:
    """Whether the network's DHCP port has an address on the subnet."""
    return ip_version == 4 and enable_dhcp


def version_of(text: str) -> int:
    """Return the IP version of an address or prefix in text form."""
    return ip_address(text.partition("/")[0]).version


def first_mismatch(ip_version: int, values: Iterable[tuple[str, str]]) -> Mismatch | None:
    """Return the first of the (attribute name, address or prefix) pairs that is not of the IP version."""
    return next((Mismatch(name, value) for name, value in values if version_of(value) != ip_version), None)


def cidr_fault(cidr: str, enable_dhcp: bool) -> str | None:
    """Return why a subnet cannot have this cidr, None when it can. Source: Neutron 29."""
    prefix = prefix_of(cidr)
    if prefix.prefixlen == 0:
        return "0 is not allowed as CIDR prefix length"
    if enable_dhcp and prefix.is_multicast:
        return "Multicast IP subnet is not supported if enable_dhcp is True"
    if enable_dhcp and prefix.is_loopback:
        return "Loopback IP subnet is not supported if enable_dhcp is True"
    return None
