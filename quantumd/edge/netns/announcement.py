"""What tells neighbours where an address is now. Pure.

Source: RFC 5227, 3 (IPv4); RFC 4861, 7.2.6 (IPv6).
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

_EVERYBODY = b"\xff" * 6
_ARP, _IPV6 = 0x0806, 0x86DD
_ALL_NODES_MAC = bytes.fromhex("333300000001")
_ALL_NODES = IPv6Address("ff02::1").packed
_ICMPV6, _HOPS = 58, 255
_ADVERTISEMENT, _ROUTER_OVERRIDE = 136, 0xA0000000


def announcement(mac: str, address: str) -> bytes:
    """Return the frame by which the device of a MAC says that it has an address."""
    own, said = bytes.fromhex(mac.replace(":", "")), ip_address(address)
    return _arp(own, said) if isinstance(said, IPv4Address) else _advertisement(own, said)


def _arp(own: bytes, said: IPv4Address) -> bytes:
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, said.packed, bytes(6), said.packed)
    return _EVERYBODY + own + struct.pack("!H", _ARP) + body


def _advertisement(own: bytes, said: IPv6Address) -> bytes:
    body = struct.pack("!BBHI16sBB6s", _ADVERTISEMENT, 0, 0, _ROUTER_OVERRIDE, said.packed, 2, 1, own)
    pseudo = said.packed + _ALL_NODES + struct.pack("!II", len(body), _ICMPV6)
    body = body[:2] + struct.pack("!H", _checksum(pseudo + body)) + body[4:]
    head = struct.pack("!IHBB", 0x60000000, len(body), _ICMPV6, _HOPS) + said.packed + _ALL_NODES
    return _ALL_NODES_MAC + own + struct.pack("!H", _IPV6) + head + body


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
