"""UDP over IPv6 over Ethernet, between bytes and values. Frames come from VMs, so nothing in them is believed.

Sources: RFC 8200, RFC 768, IEEE 802.3.
"""

from __future__ import annotations

import struct

from quantumd.dhcp.checksum import is_udp_sound, udp_checksum
from quantumd.dhcp.frames import Datagram
from quantumd.dhcp.reasons import Reason

_ETHERNET_BYTES = 14
IP_BYTES = 40
UDP_BYTES = 8
_IPV6 = 0x86DD
_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_UDP, _FRAGMENT = 17, 44
_HOPS = 64

_IP_HEADER = struct.Struct("!IHBB16s16s")
_UDP_HEADER = struct.Struct("!HHHH")
_PSEUDO_HEADER = struct.Struct("!32sII")


def parse_frame6(frame: bytes) -> Datagram | Reason:
    """Return the UDP datagram in an Ethernet frame, or why there is none.

    Tagged frames, fragments and extension headers are refused: no DHCP client sends them. Bytes after the datagram are
    padding.
    """
    if len(frame) < _ETHERNET_BYTES + IP_BYTES:
        return Reason.FRAME_TRUNCATED
    ether_type = frame[12] << 8 | frame[13]
    if ether_type != _IPV6:
        return Reason.FRAME_TAGGED if ether_type in _TAGS else Reason.NOT_IPV6
    start, room, following, _, source, target = _IP_HEADER.unpack_from(frame, _ETHERNET_BYTES)
    if start >> 28 != 6:
        return Reason.BAD_IP_HEADER
    if following != _UDP:
        return Reason.FRAGMENT if following == _FRAGMENT else Reason.NOT_UDP
    at = _ETHERNET_BYTES + IP_BYTES
    if at + room > len(frame):
        return Reason.FRAME_TRUNCATED
    if room < UDP_BYTES:
        return Reason.BAD_UDP_LENGTH
    source_port, target_port, length, checksum = _UDP_HEADER.unpack_from(frame, at)
    if not UDP_BYTES <= length <= room:
        return Reason.BAD_UDP_LENGTH
    # It is no choice here, other than over IPv4 (RFC 8200 8.1).
    pseudo = _PSEUDO_HEADER.pack(source + target, length, _UDP)
    if not checksum or not is_udp_sound(pseudo, frame[at : at + length], checksum):
        return Reason.BAD_UDP_CHECKSUM
    payload = frame[at + UDP_BYTES : at + length]
    return Datagram(frame[6:12], frame[0:6], source, target, source_port, target_port, payload)


def build_frame6(datagram: Datagram) -> bytes:
    """Return the Ethernet frame of a datagram, with its checksum."""
    length = UDP_BYTES + len(datagram.payload)
    ports = (datagram.source_port, datagram.target_port)
    pseudo = _PSEUDO_HEADER.pack(datagram.source_ip + datagram.target_ip, length, _UDP)
    checksum = udp_checksum(pseudo, _UDP_HEADER.pack(*ports, length, 0) + datagram.payload)
    return b"".join(
        (
            datagram.target_mac,
            datagram.source_mac,
            _IPV6.to_bytes(2, "big"),
            _IP_HEADER.pack(6 << 28, length, _UDP, _HOPS, datagram.source_ip, datagram.target_ip),
            _UDP_HEADER.pack(*ports, length, checksum),
            datagram.payload,
        )
    )
