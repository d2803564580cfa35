"""The checksum of IP and UDP. Source: RFC 1071."""

from __future__ import annotations


def sum_of_words(data: bytes) -> int:
    """Return the ones' complement sum of 16-bit words, with both zeros as 0; an odd last byte counts as a high byte.

    2**16 leaves 1 when divided by 0xFFFF, so the remainder of the whole number is the sum of its 16-bit digits.
    """
    return int.from_bytes(data if len(data) % 2 == 0 else data + b"\0", "big") % 0xFFFF


def is_udp_sound(pseudo_header: bytes, udp: bytes, checksum: int) -> bool:
    """Whether a datagram is as it was sent; ``checksum``, which is not 0, is the one in it."""
    if sum_of_words(pseudo_header + udp) == 0:
        return True
    # A kernel leaves the checksum to the NIC, and a veth has none: what then arrives is the sum of the pseudo header
    # alone. Such a datagram has not left this machine, so nothing can have damaged it (what a kernel socket sends).
    return sum_of_words(pseudo_header) == checksum % 0xFFFF


def udp_checksum(pseudo_header: bytes, bare_udp: bytes) -> int:
    """Return the checksum of a datagram that has 0 in its place."""
    # A computed zero is sent as all ones, for zero says that there is no checksum (RFC 768).
    return -sum_of_words(pseudo_header + bare_udp) % 0xFFFF or 0xFFFF
