"""OpenFlow messages out of a stream of bytes that may be cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from attrs import define, field, frozen

from quantumd.edge.openflow.oxm import WireError

VERSION = 5
"""OpenFlow 1.4."""

HEADER = Struct("!BBHI")
_LENGTH = Struct("!H")
_HELLO = 0
_ERROR = 1
_COMPACT_BYTES = 65536


@frozen
class Message:
    """One message: its type, transaction id, and what follows the header."""

    kind: int
    xid: int
    body: bytes


@define
class Framer:
    """Cuts a stream into messages; every byte is looked at once, however the stream is cut."""

    _buffer: bytearray = field(factory=bytearray)
    _at: int = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes and yield the messages that are complete with them.

        :raises WireError: the stream is not OpenFlow 1.4; it cannot be read on after that.
        """
        self._buffer += data
        while True:
            message = self._next()
            if message is None:
                return
            yield message

    def _next(self) -> Message | None:
        buffer, at = self._buffer, self._at
        have = len(buffer) - at
        if have < HEADER.size:
            self._compact()
            return None
        version, kind, length, xid = HEADER.unpack_from(buffer, at)
        if version != VERSION and kind not in (_HELLO, _ERROR):
            raise WireError(f"message of OpenFlow version {version}, expected {VERSION}")
        if length < HEADER.size:
            raise WireError(f"message of length {length}, shorter than its header")
        if have < length:
            self._compact()
            return None
        self._at = at + length
        return Message(kind, xid, bytes(memoryview(buffer)[at + HEADER.size : at + length]))

    def _compact(self) -> None:
        """Forget what was read: at once when that is everything, else only when it pays."""
        if self._at == len(self._buffer) or self._at >= _COMPACT_BYTES:
            del self._buffer[: self._at]
            self._at = 0
