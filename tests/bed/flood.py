"""A VM that sends as fast as it can: ``python -m tests.bed.flood KIND OWN_MAC OWN_IP TARGET_MAC TARGET_IP``.

It sends from ``eth0`` until it is interrupted.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import sys
from collections.abc import Callable
from ipaddress import IPv4Address

from attrs import frozen

EVERYBODY = "ff:ff:ff:ff:ff:ff"
_FRAMES = 10_000
_ADDRESSES = 1 << 32


@frozen
class Ends:
    """Who sends, and a port that hears it."""

    mac: str
    ip: str
    target_mac: str
    target_ip: str


def broadcast(ends: Ends, draw: random.Random) -> bytes:
    """One datagram to everybody, again and again."""
    return _datagram(EVERYBODY, ends.mac, ends.ip, "255.255.255.255", 2000)


def arp(ends: Ends, draw: random.Random) -> bytes:
    """Who has this address, and that, and that?"""
    asked = IPv4Address("10.0.0.0") + draw.randrange(1 << 16)
    body: bytes = b"\0\x01\x08\0\x06\x04\0\x01" + _mac(ends.mac) + _ip(ends.ip) + bytes(6) + asked.packed
    return (_mac(EVERYBODY) + _mac(ends.mac) + b"\x08\x06" + body).ljust(60, b"\0")


def multicast(ends: Ends, draw: random.Random) -> bytes:
    """To many groups."""
    group = IPv4Address("224.0.0.0") + draw.randrange(1 << 23)
    return _datagram(f"01:00:5e:{group.packed[1:].hex(':')}", ends.mac, ends.ip, str(group), 2000)


def unknown(ends: Ends, draw: random.Random) -> bytes:
    """To MAC addresses that nobody has."""
    return _datagram(f"fa:16:3e:{draw.randbytes(3).hex(':')}", ends.mac, ends.ip, ends.target_ip, 2000)


def spoofed(ends: Ends, draw: random.Random) -> bytes:
    """From addresses that are not the sender's."""
    source = str(IPv4Address(draw.randrange(_ADDRESSES)))
    return _datagram(ends.target_mac, f"02:{draw.randbytes(5).hex(':')}", source, ends.target_ip, 2000)


def connections(ends: Ends, draw: random.Random) -> bytes:
    """A new connection with every frame."""
    return _datagram(ends.target_mac, ends.mac, ends.ip, ends.target_ip, draw.randrange(1 << 16))


KINDS: dict[str, Callable[[Ends, random.Random], bytes]] = {
    made.__name__: made for made in (broadcast, arp, multicast, unknown, spoofed, connections)
}


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _ip(text: str) -> bytes:
    return bytes(IPv4Address(text).packed)


def _datagram(target_mac: str, mac: str, source: str, target: str, port: int) -> bytes:
    body = struct.pack("!HHHH", 1000, port, 26, 0) + bytes(18)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 17, 0, _ip(source), _ip(target))
    total: int = sum(struct.unpack("!10H", head))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return _mac(target_mac) + _mac(mac) + b"\x08\0" + head[:10] + checksum.to_bytes(2, "big") + head[12:] + body


def main(kind: str, ends: Ends) -> None:
    """Send until interrupted."""
    draw = random.Random(1)
    frames = [KINDS[kind](ends, draw) for _ in range(_FRAMES)]
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind(("eth0", 0))
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            for frame in frames:
                # A full queue loses the frame, as a NIC would.
                with contextlib.suppress(OSError):
                    sender.send(frame)


if __name__ == "__main__":
    main(sys.argv[1], Ends(*sys.argv[2:6]))
