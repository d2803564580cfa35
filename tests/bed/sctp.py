"""The beginning of an association of SCTP (RFC 9260), by raw sockets: kernels often speak none. Needs root."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Final, Self

from attrs import define, field

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


def _raw(guest: Guest) -> socket.socket:
    return inside(guest.vm.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL))


@define(eq=False)
class SctpServer:
    """Answers who begins an association with its port, as far as that needs one packet."""

    guest: Guest
    port: int
    _socket: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Listen from now on."""
        self._socket = _raw(self.guest)
        threading.Thread(target=self._answer, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._socket.recvfrom(_LARGEST)
                if not data:
                    return
                seen = _seen(data, peer[0])
                if seen is not None and (seen.destination, seen.kind) == (self.port, _INIT):
                    self._socket.sendto(_packet(self.port, seen.source, _TAG, _INIT_ACK), peer)


def begins_association(client: Guest, address: str, port: int, own_port: int, seconds: float = 1.0) -> bool:
    """Whether who is there answers the first packet of an association, from where it was sent."""
    with _raw(client) as opened:
        opened.settimeout(seconds)
        opened.sendto(_packet(own_port, port, 0, _INIT), (address, 0))
        with contextlib.suppress(TimeoutError):
            while True:
                data, (peer, _) = opened.recvfrom(_LARGEST)
                if _seen(data, peer) == _Seen(address, port, own_port, _INIT_ACK):
                    return True
    return False
