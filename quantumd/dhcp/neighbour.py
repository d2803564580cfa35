"""Answers who asks for the MAC of the DHCP server, so that leases are renewed by packets to it alone. Pure.

Source: RFC 826; RFC 2131 4.4.5, renewal.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from quantumd.model.records import DhcpNetworkRecord

_FRAME = struct.Struct("!6s6sHHHBBH6s4s6s4s")
_ARP, _ETHERNET, _IPV4 = 0x0806, 1, 0x0800
_REQUEST, _REPLY = 1, 2


def answer_arp(frame: bytes, network: DhcpNetworkRecord) -> bytes | None:
    """Return the answer to a question for an address of the network's DHCP server; None to any other frame."""
    if len(frame) < _FRAME.size:
        return None
    _, source, *head, sender_mac, sender_ip, _, target_ip = _FRAME.unpack_from(frame)
    if head != [_ARP, _ETHERNET, _IPV4, 6, 4, _REQUEST] or source != sender_mac:
        return None
    if all(IPv4Address(subnet.server_address).packed != target_ip for subnet in network.subnets):
        return None
    own = bytes.fromhex(network.server_mac.replace(":", ""))
    said = (_ARP, _ETHERNET, _IPV4, 6, 4, _REPLY)
    return _FRAME.pack(sender_mac, own, *said, own, target_ip, sender_mac, sender_ip)
