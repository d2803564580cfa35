"""The beginning of an association of SCTP (RFC 9260), by raw sockets: kernels often speak none. Needs root."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Final

from attrs import define

from tests.bed.datagrams import DatagramServer
from tests.bed.host import Guest
from tests.bed.wire import inside

PROTOCOL: Final = 132
_HEADER: Final = struct.Struct("!2HI")
_SUM: Final = struct.Struct("<I")
_HEADER_BYTES: Final = 12
_INIT, _INIT_ACK = 1, 2
_CHUNK: Final = struct.Struct("!2BHII2HI")
_TAG: Final = 0x51C7
_COOKIE: Final = struct.pack("!2HI", 7, 8, 1)
_POLYNOMIAL: Final = 0x82F63B78
_LARGEST: Final = 2048


def crc32c(data: bytes) -> int:
    """Return the checksum of RFC 9260, appendix A."""
    rest = 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (_POLYNOMIAL if rest & 1 else 0)
    return rest ^ 0xFFFFFFFF


def _packet(source: int, destination: int, tag: int, kind: int) -> bytes:
    more = _COOKIE if kind == _INIT_ACK else b""
    chunk = _CHUNK.pack(kind, 0, _CHUNK.size + len(more), _TAG, 65536, 1, 1, 1) + more
    header = _HEADER.pack(source, destination, tag)
    return header + _SUM.pack(crc32c(header + bytes(4) + chunk)) + chunk


@define
class _Seen:
    """A packet that came whole: its checksum is right."""

    peer: str
    source: int
    destination: int
    kind: int


def _seen(data: bytes, peer: str) -> _Seen | None:
    packet = data[(data[0] & 0xF) * 4 :]
    source, destination, _ = _HEADER.unpack_from(packet)
    (checksum,) = _SUM.unpack_from(packet, _HEADER.size)
    zeroed = packet[: _HEADER.size] + bytes(4) + packet[_HEADER_BYTES:]
    return _Seen(peer, source, destination, packet[_HEADER_BYTES]) if crc32c(zeroed) == checksum else None


def _opened() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL)


@define(eq=False)
class SctpServer(DatagramServer):
    """Answers who begins an association with its port, as far as that needs one packet."""

    def opened(self) -> socket.socket:
        """See DatagramServer."""
        return _opened()

    def answer(self, data: bytes, peer: str) -> bytes:
        """See DatagramServer."""
        seen = _seen(data, peer)
        if seen is None or (seen.destination, seen.kind) != (self.port, _INIT):
            return b""
        return _packet(self.port, seen.source, _TAG, _INIT_ACK)


def begins_association(client: Guest, address: str, port: int, own_port: int, seconds: float = 1.0) -> bool:
    """Whether who is there answers the first packet of an association, from where it was sent."""
    with inside(client.vm.namespace, _opened) as opened:
        opened.settimeout(seconds)
        opened.sendto(_packet(own_port, port, 0, _INIT), (address, 0))
        with contextlib.suppress(TimeoutError):
            while True:
                data, (peer, _) = opened.recvfrom(_LARGEST)
                if _seen(data, peer) == _Seen(address, port, own_port, _INIT_ACK):
                    return True
    return False
