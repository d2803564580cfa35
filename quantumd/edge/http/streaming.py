"""Answers that are passed on while they come, however long: the head, then the body in pieces. Pure (RFC 9112)."""

from __future__ import annotations

from attrs import define, field

from quantumd.edge.http.answers import (
    CHUNK,
    LENGTH,
    Head,
    keeps,
    line_end,
    take_head,
)
from quantumd.edge.http.errors import BadAnswer


@define(eq=False)
class StreamReader:
    """Reads one answer: ``feed`` it what comes, and say ``end`` when the connection has ended.

    :param most_bytes: how long the body may be.
    :param has_body: False of the answer to a HEAD, which has none whatever it says.
    """

    most_bytes: int
    has_body: bool = True
    head: Head | None = field(default=None, init=False)
    length: int | None = field(default=None, init=False)
    """How long the body is, once the head is there; None when that is not said before."""
    is_done: bool = field(default=False, init=False)
    may_be_kept: bool = field(default=False, init=False)
    """Whether the connection may carry another request, once it is done."""
    has_begun: bool = field(default=False, init=False)
    """Whether anything has come."""
    _received: bytearray = field(factory=bytearray, init=False)
    _left: int = field(default=0, init=False)
    """Of the body, or of the chunk with the end of its line; below 0: until the connection ends."""
    _is_chunked: bool = field(default=False, init=False)
    _is_trailer: bool = field(default=False, init=False)
    _passed: int = field(default=0, init=False)

    def feed(self, data: bytes) -> list[bytes]:
        """Return what of the body has come, in pieces.

        :raises BadAnswer: it is no answer, or too long.
        """
        self.has_begun = True
        self._received += data
        if self.head is None and not self._begin():
            return []
        pieces = list(self._chunks()) if self._is_chunked else list(self._sized())
        self._passed += sum(map(len, pieces))
        if self._passed > self.most_bytes:
            raise BadAnswer("its answer is too long")
        if self.is_done and self.head is not None:
            self.may_be_kept = not self._received and self._left == 0 and keeps(self.head)
        return pieces

    def end(self) -> None:
        """Note that the connection has ended.

        :raises BadAnswer: something is missing.
        """
        if self.head is None or not (self.is_done or self._left < 0):
            raise BadAnswer("its answer breaks off" if self.has_begun else "it closed the connection")
        self.is_done = True

    def _begin(self) -> bool:
        head = take_head(self._received)
        while head is not None and 100 <= head.status < 200 and head.status != 101:
            head = take_head(self._received)
        if head is not None:
            self._frame(head)
        return head is not None

    def _frame(self, head: Head) -> None:
        coding, length = head.headers.get(b"transfer-encoding"), head.headers.get(b"content-length")
        if head.status == 101 or (coding is not None and length is not None):
            raise BadAnswer("its answer's end is not clear")
        if length is not None and LENGTH.fullmatch(length) is None:
            raise BadAnswer("its answer has a length that is none")
        self.head, self.length = head, int(length) if length is not None else None
        if not self.has_body or head.status in (204, 304):
            self.is_done = True
        elif coding is not None:
            if coding.lower() != b"chunked" or not head.is_newest:
                raise BadAnswer("its answer has a coding that nobody asked for")
            self._is_chunked = True
        elif self.length is None:
            self._left = -1
        elif self.length > self.most_bytes:
            raise BadAnswer("its answer is too long")
        else:
            self._left, self.is_done = self.length, self.length == 0

    def _sized(self) -> list[bytes]:
        if self.is_done:
            return []
        count = len(self._received) if self._left < 0 else min(self._left, len(self._received))
        piece = bytes(self._received[:count])
        del self._received[:count]
        if self._left >= 0:
            self._left -= count
            self.is_done = self._left == 0
        return [piece] if piece else []

    def _chunks(self) -> list[bytes]:
        pieces: list[bytes] = []
        while not self.is_done:
            if self._left:
                piece = self._of_chunk()
                if piece is None:
                    break
                pieces += [piece] if piece else []
            elif not self._next_chunk():
                break
        return pieces

    def _of_chunk(self) -> bytes | None:
        """Return more of a chunk; None when more has to come."""
        count = min(self._left - 2, len(self._received))
        if count > 0:
            piece = bytes(self._received[:count])
            del self._received[:count]
            self._left -= count
            return piece
        if self._left > 2 or len(self._received) < 2:
            return None
        if self._received[:2] != b"\r\n":
            raise BadAnswer("its answer has a chunk that is longer than it says")
        del self._received[:2]
        self._left = 0
        return b""

    def _next_chunk(self) -> bool:
        """Read the line before a chunk, or behind the last one; return whether it was there."""
        end = line_end(self._received)
        if end < 0:
            return False
        line = bytes(self._received[:end])
        del self._received[: end + 2]
        if self._is_trailer:
            self.is_done = not line
            return True
        found = CHUNK.fullmatch(line)
        if found is None:
            raise BadAnswer("its answer has a chunk without a length")
        size = int(found[1], 16)
        self._is_trailer, self._left = size == 0, size + 2 if size else 0
        return True
