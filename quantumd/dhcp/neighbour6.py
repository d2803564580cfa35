"""Answers who asks for the MAC of the DHCP server over IPv6. Pure. Source: RFC 4861, 4.3, 4.4, 7.1.1 and 7.2.4."""

from __future__ import annotations

import struct

from quantumd.dhcp.addresses import pack_mac
from quantumd.dhcp.addresses6 import link_local
from quantumd.dhcp.checksum import sum_of_words
from quantumd.model.records import DhcpNetworkRecord

_FRAME = struct.Struct("!6s6sHIHBB16s16sBBHI16s")
_PSEUDO_HEADER = struct.Struct("!16s16sII")
_IPV6, _VERSION, _ICMPV6, _HOPS = 0x86DD, 6 << 28, 58, 255
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOLICITED_AND_OVERRIDE = 0x6000_0000
_TARGET_LINK_LAYER = b"\2\1"
_NO_ADDRESS = bytes(16)
_BODY_BYTES = 24


def answer_solicitation(frame: bytes, network: DhcpNetworkRecord) -> bytes | None:
    """Return the answer to a question for the link-local address of the network's DHCP server; None to other frames.

    Who looks whether the address is taken, and has none to answer to, is told nothing.
    """
    if len(frame) < _FRAME.size:
        return None
    _, mac, ether_type, version, _, following, hops, source, _, kind, code, _, _, wanted = _FRAME.unpack_from(frame)
    if (ether_type, version >> 28, following, hops, kind, code) != (_IPV6, 6, _ICMPV6, _HOPS, _SOLICITATION, 0):
        return None
    own = link_local(network.server_mac)
    if not network.subnets6 or source == _NO_ADDRESS or wanted != own:
        return None
    return _advertise(mac, source, pack_mac(network.server_mac), own)


def _advertise(mac: bytes, target: bytes, own_mac: bytes, own: bytes) -> bytes:
    option = _TARGET_LINK_LAYER + own_mac
    length = _BODY_BYTES + len(option)
    body = struct.pack("!BBHI16s", _ADVERTISEMENT, 0, 0, _SOLICITED_AND_OVERRIDE, own) + option
    checksum = -sum_of_words(_PSEUDO_HEADER.pack(own, target, length, _ICMPV6) + body) % 0xFFFF
    head = (mac, own_mac, _IPV6, _VERSION, length, _ICMPV6, _HOPS, own, target)
    said = (_ADVERTISEMENT, 0, checksum, _SOLICITED_AND_OVERRIDE, own)
    return _FRAME.pack(*head, *said) + option
