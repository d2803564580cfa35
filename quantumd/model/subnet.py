"""Subnets: what of them may be, and which of their changes hosts must hear of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import ip_address

from attrs import frozen

from quantumd.model.addresses import prefix_of

SLAAC = "slaac"
DHCPV6_STATEFUL = "dhcpv6-stateful"
DHCPV6_STATELESS = "dhcpv6-stateless"

IPV6_MODES = (DHCPV6_STATEFUL, DHCPV6_STATELESS, SLAAC)
"""What ``ipv6_ra_mode`` and ``ipv6_address_mode`` can be, beside nothing."""

DHCPV6_MODES = frozenset({DHCPV6_STATEFUL, DHCPV6_STATELESS})
"""Values of ``ipv6_address_mode`` with which clients ask a DHCP server for something."""

AUTO_ADDRESS_MODES = frozenset({SLAAC, DHCPV6_STATELESS})
"""Modes in which ports compute their address from their MAC."""

SERVICE_TYPE_PREFIXES = ("network:", "neutron:", "compute:")
"""How a device_owner that a subnet may be kept for begins."""

LONGEST_DHCP_PREFIX = {4: 30, 6: 126}
"""The longest prefix, by IP version, that has room for DHCP. Source: Neutron 29."""

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


def is_served(ip_version: int, enable_dhcp: bool, ra_mode: str | None = None, address_mode: str | None = None) -> bool:
    """Whether DHCP answers clients on the subnet, and the network's DHCP port has an address there.

    An IPv6 subnet without any mode is served like one that is stateful, as Neutron 29 does.
    """
    if not enable_dhcp or ip_version == 4:
        return enable_dhcp
    return address_mode in DHCPV6_MODES if address_mode is not None else ra_mode is None


def gives_addresses(ra_mode: str | None, address_mode: str | None) -> bool:
    """Whether DHCP gives ports their addresses on an IPv6 subnet that is served; else it only tells the rest."""
    return address_mode == DHCPV6_STATEFUL or (address_mode is None and ra_mode is None)


def version_of(text: str) -> int:
    """Return the IP version of an address or prefix in text form."""
    return ip_address(text.partition("/")[0]).version


def first_mismatch(ip_version: int, values: Iterable[tuple[str, str]]) -> Mismatch | None:
    """Return the first of the (attribute name, address or prefix) pairs that is not of the IP version."""
    return next((Mismatch(name, value) for name, value in values if version_of(value) != ip_version), None)


def is_auto_address(ra_mode: str | None, address_mode: str | None) -> bool:
    """Whether ports compute their address on the subnet from their MAC; others are not given addresses on it."""
    return ra_mode in AUTO_ADDRESS_MODES or address_mode in AUTO_ADDRESS_MODES


def is_advertised_elsewhere(ra_mode: str | None, address_mode: str | None) -> bool:
    """Whether routers that are not quantumd's say how ports get their addresses on an IPv6 subnet."""
    return ra_mode is None and address_mode is not None


def cidr_fault(cidr: str) -> str | None:
    """Return why no subnet can have this cidr, None when it can. Source: Neutron 29."""
    return "0 is not allowed as CIDR prefix length" if prefix_of(cidr).prefixlen == 0 else None


def dhcp_fault(cidr: str) -> str | None:
    """Return why DHCP cannot serve a subnet of this cidr, None when it can. Source: Neutron 29."""
    prefix = prefix_of(cidr)
    if prefix.prefixlen > LONGEST_DHCP_PREFIX[prefix.version]:
        return "Subnet has a prefix length that is incompatible with DHCP service enabled"
    if prefix.is_multicast:
        return "Multicast IP subnet is not supported if enable_dhcp is True"
    if prefix.is_loopback:
        return "Loopback IP subnet is not supported if enable_dhcp is True"
    if prefix.version == 4 and int(prefix.network_address) == 0:
        return "First IP '0.0.0.0' of network is not supported if enable_dhcp is True"
    return None


def ipv6_modes_fault(
    ip_version: int, cidr: str, enable_dhcp: bool, ra_mode: str | None, address_mode: str | None
) -> str | None:
    """Return why a new subnet cannot have these modes, None when it can. Source: Neutron 29; RFC 4862 5.5.3."""
    if ra_mode is None and address_mode is None:
        return None
    if ip_version == 4:
        return f"{'ipv6_address_mode' if ra_mode is None else 'ipv6_ra_mode'} is not valid when ip_version is 4"
    if not enable_dhcp:
        return "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False"
    if None not in (ra_mode, address_mode) and ra_mode != address_mode:
        return (
            f"ipv6_ra_mode set to '{ra_mode}' with ipv6_address_mode set to '{address_mode}' is not valid. "
            "If both attributes are set, they must be the same value"
        )
    if is_auto_address(ra_mode, address_mode) and prefix_of(cidr).prefixlen != 64:
        return (
            f"Invalid CIDR {cidr} for IPv6 address mode. "
            "OpenStack uses the EUI-64 address format, which requires the prefix to be /64"
        )
    return None


def is_service_type(text: str) -> bool:
    """Whether the text can be a device_owner that a subnet is kept for. Source: Neutron 29."""
    return text.startswith(SERVICE_TYPE_PREFIXES)
