"""IPv6 addresses as 16 bytes. The texts come from records, so they are canonical."""

from __future__ import annotations

from ipaddress import IPv6Address

from quantumd.dhcp.addresses import pack_mac

ALL_SERVERS = bytes.fromhex("ff020000000000000000000000010002")
"""All_DHCP_Relay_Agents_and_Servers, ff02::1:2."""

_LINK_LOCAL = bytes.fromhex("fe80000000000000")


def pack_ip6(text: str) -> bytes:
    """Return the 16 bytes of an IPv6 address."""
    return IPv6Address(text).packed


def show_ip6(packed: bytes) -> str:
    """Return 16 bytes as an IPv6 address."""
    return str(IPv6Address(packed))


def link_local(mac_address: str) -> bytes:
    """Return the link-local address that follows from a MAC (RFC 4291, modified EUI-64)."""
    mac = pack_mac(mac_address)
    return _LINK_LOCAL + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def is_link_local(address: bytes) -> bool:
    """Whether an address is of fe80::/10."""
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def is_inside6(address: bytes, cidr: str) -> bool:
    """Whether an address is of a prefix."""
    network, _, length = cidr.partition("/")
    shift = 128 - int(length)
    return int.from_bytes(address, "big") >> shift == int(IPv6Address(network)) >> shift
