"""UDP over IPv4 over Ethernet, between bytes and values. Frames come from VMs, so nothing in them is believed.

Sources: RFC 791, RFC 768, IEEE 802.3.
"""

from __future__ import annotations

import struct

from attrs import frozen

from quantumd.dhcp.checksum import is_udp_sound, sum_of_words, udp_checksum
from quantumd.dhcp.reasons import Reason

_ETHERNET_BYTES = 14
_IP_BYTES = 20
_UDP_BYTES = 8
_IPV4 = 0x0800
_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_UDP = 17
_TTL = 64

_IP_HEADER = struct.Struct("!BBHHHBBH4s4s")
_UDP_HEADER = struct.Struct("!HHHH")


@frozen
class Datagram:
    """One UDP datagram and the addresses that it travels with: MACs of 6 bytes, IP addresses of 4, or of 16."""

    source_mac: bytes
    target_mac: bytes
    source_ip: bytes
    target_ip: bytes
    source_port: int
    target_port: int
    payload: bytes


def parse_frame(frame: bytes) -> Datagram | Reason:
    """Return the UDP datagram in an Ethernet frame, or why there is none.

    Tagged frames and fragments are refused: no DHCP client sends them. Bytes after the datagram are padding.
    """
    if len(frame) < _ETHERNET_BYTES + _IP_BYTES:
        return Reason.FRAME_TRUNCATED
    ether_type = frame[12] << 8 | frame[13]
    if ether_type != _IPV4:
        return Reason.FRAME_TAGGED if ether_type in _TAGS else Reason.NOT_IPV4
    versions, _, total, _, fragment, _, protocol, _, source, target = _IP_HEADER.unpack_from(frame, _ETHERNET_BYTES)
    header = (versions & 0x0F) * 4
    if versions >> 4 != 4 or header < _IP_BYTES or total < header:
        return Reason.BAD_IP_HEADER
    if _ETHERNET_BYTES + total > len(frame):
        return Reason.FRAME_TRUNCATED
    start = _ETHERNET_BYTES + header
    if sum_of_words(frame[_ETHERNET_BYTES:start]) != 0:
        return Reason.BAD_IP_CHECKSUM
    if fragment & 0x3FFF:
        return Reason.FRAGMENT
    if protocol != _UDP:
        return Reason.NOT_UDP
    return _parse_udp(frame, start, total - header, source, target)


def _parse_udp(frame: bytes, start: int, room: int, source_ip: bytes, target_ip: bytes) -> Datagram | Reason:
    if room < _UDP_BYTES:
        return Reason.BAD_UDP_LENGTH
    source_port, target_port, length, checksum = _UDP_HEADER.unpack_from(frame, start)
    if not _UDP_BYTES <= length <= room:
        return Reason.BAD_UDP_LENGTH
    # No checksum is allowed (RFC 768).
    if checksum and not _is_udp_sound(frame[start : start + length], checksum, source_ip + target_ip):
        return Reason.BAD_UDP_CHECKSUM
    payload = frame[start + _UDP_BYTES : start + length]
    return Datagram(frame[6:12], frame[0:6], source_ip, target_ip, source_port, target_port, payload)


def _is_udp_sound(udp: bytes, checksum: int, addresses: bytes) -> bool:
    return is_udp_sound(addresses + struct.pack("!HH", _UDP, len(udp)), udp, checksum)


def build_frame(datagram: Datagram) -> bytes:
    """Return the Ethernet frame of a datagram, with both checksums."""
    length = _UDP_BYTES + len(datagram.payload)
    addresses = datagram.source_ip + datagram.target_ip
    ip = _ip_header(_IP_BYTES + length, 0, addresses)
    ip = _ip_header(_IP_BYTES + length, -sum_of_words(ip) % 0xFFFF, addresses)
    ports = (datagram.source_port, datagram.target_port)
    bare = _UDP_HEADER.pack(*ports, length, 0) + datagram.payload
    checksum = udp_checksum(addresses + struct.pack("!HH", _UDP, length), bare)
    return b"".join(
        (
            datagram.target_mac,
            datagram.source_mac,
            _IPV4.to_bytes(2, "big"),
            ip,
            _UDP_HEADER.pack(*ports, length, checksum),
            datagram.payload,
        )
    )


def _ip_header(total: int, checksum: int, addresses: bytes) -> bytes:
    return _IP_HEADER.pack(0x45, 0, total, 0, 0, _TTL, _UDP, checksum, addresses[:4], addresses[4:])
