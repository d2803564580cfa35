"""Answers from bytes, as they come. Pure (RFC 9112): what is not clearly an answer is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from attrs import define, field, frozen

from quantumd.edge.http.errors import BadAnswer
from quantumd.edge.http.messages import Reply

LARGEST_ANSWER_BYTES: Final = 262_144
"""How long one answer may be, head and body together, as it travels."""

LARGEST_HEAD_BYTES: Final = 65_536
"""How long its head may be; Keystone's holds a token."""

LONGEST_LINE: Final = 256
"""How long the line before a chunk may be."""

HEAD_END: Final = b"\r\n\r\n"
_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?")
_FIELDS: Final = re.compile(rb"(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}:[\t\x20-\x7e\x80-\xff]*)*")
LENGTH: Final = re.compile(rb"[0-9]{1,12}")
CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?")


@frozen
class Head:
    """What comes before a body."""

    status: int
    headers: Mapping[bytes, bytes]
    is_newest: bool
    """Whether the server speaks HTTP/1.1, which keeps connections unless it says otherwise."""


class _Framing(Protocol):
    """Finds a body's end. Takes what is the body's off ``received``; a body ends with its connection, or does not."""

    ends_with_connection: bool

    def take(self, received: bytearray) -> bytes | None:
        """Return the body when all of it is there."""


@define(eq=False)
class AnswerReader:
    """Reads one answer: ``feed`` it what comes, and say ``end`` when the connection has ended."""

    may_be_kept: bool = field(default=False, init=False)
    """Whether the connection may carry another request, once the answer is there."""
    has_begun: bool = field(default=False, init=False)
    """Whether anything has come."""
    _received: bytearray = field(factory=bytearray, init=False)
    _read_bytes: int = field(default=0, init=False)
    _head: Head | None = field(default=None, init=False)
    _framing: _Framing | None = field(default=None, init=False)

    def feed(self, data: bytes) -> Reply | None:
        """Return the answer when all of it is there; what comes behind it makes the connection of no use.

        :raises BadAnswer: it is none, or too long.
        """
        self.has_begun = True
        self._received += data
        self._read_bytes += len(data)
        if self._read_bytes > LARGEST_ANSWER_BYTES:
            raise BadAnswer("its answer is too long")
        if self._framing is None:
            self._begin()
        if self._head is None or self._framing is None:
            return None
        body = self._framing.take(self._received)
        if body is None:
            return None
        self.may_be_kept = not self._received and not self._framing.ends_with_connection and keeps(self._head)
        return Reply(self._head.status, self._head.headers, body)

    def end(self) -> Reply:
        """Return the answer whose body ends with its connection; it may be cut short, what reads it will see.

        :raises BadAnswer: something is missing.
        """
        if self._head is None or self._framing is None or not self._framing.ends_with_connection:
            raise BadAnswer("its answer breaks off" if self.has_begun else "it closed the connection")
        return Reply(self._head.status, self._head.headers, bytes(self._received))

    def _begin(self) -> None:
        head = take_head(self._received)
        # Answers that say that there will be one: 100, 103.
        while head is not None and 100 <= head.status < 200 and head.status != 101:
            head = take_head(self._received)
        if head is not None:
            self._head, self._framing = head, _framing(head)


def take_head(received: bytearray) -> Head | None:
    """Take a head from what was received and return it; None while it is not whole. BadAnswer."""
    end = received.find(HEAD_END)
    if end > LARGEST_HEAD_BYTES or (end < 0 and len(received) > LARGEST_HEAD_BYTES):
        raise BadAnswer("its answer's head is too long")
    if end < 0:
        return None
    text = bytes(received[:end])
    del received[: end + len(HEAD_END)]
    return read_head(text)


def read_head(text: bytes) -> Head:
    """Return a head, from its first line to the last, without the empty one behind it. BadAnswer."""
    status = _STATUS.match(text)
    if status is None:
        raise BadAnswer("its answer is not HTTP/1.1")
    # All lines at once, which is several times cheaper.
    if _FIELDS.fullmatch(text, status.end()) is None:
        raise BadAnswer("its answer has a header that is none")
    headers: dict[bytes, bytes] = {}
    for line in text.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        name, value = name.lower(), value.strip(b"\t ")
        headers[name] = headers[name] + b", " + value if name in headers else value
    return Head(int(status[2]), headers, status[1] == b"1")


def keeps(head: Head) -> bool:
    """Whether the connection may carry another request."""
    wishes = head.headers.get(b"connection")
    # "close" within a longer word closes too: that costs a connection and nothing else.
    return head.is_newest and (wishes is None or b"close" not in wishes.lower())


def _framing(head: Head) -> _Framing:
    coding, length = head.headers.get(b"transfer-encoding"), head.headers.get(b"content-length")
    if head.status == 101 or (coding is not None and length is not None):
        raise BadAnswer("its answer's end is not clear")
    if head.status in (204, 304):
        return _Sized(0)
    if coding is not None:
        if coding.lower() != b"chunked" or not head.is_newest:
            raise BadAnswer("its answer has a coding that nobody asked for")
        return _Chunked()
    return _Endless() if length is None else _Sized(read_length(length))


def read_length(text: bytes) -> int:
    if LENGTH.fullmatch(text) is None:
        raise BadAnswer("its answer has a length that is none")
    length = int(text)
    if length > LARGEST_ANSWER_BYTES:
        raise BadAnswer("its answer is too long")
    return length


@define(eq=False)
class _Sized:
    _length: int
    ends_with_connection: bool = field(default=False, init=False)

    def take(self, received: bytearray) -> bytes | None:
        if len(received) < self._length:
            return None
        body = bytes(received[: self._length])
        del received[: self._length]
        return body


@define(eq=False)
class _Endless:
    ends_with_connection: bool = field(default=True, init=False)

    def take(self, received: bytearray) -> bytes | None:
        return None


@define(eq=False)
class _Chunked:
    ends_with_connection: bool = field(default=False, init=False)
    _parts: list[bytes] = field(factory=list, init=False)
    _is_trailer: bool = field(default=False, init=False)

    def take(self, received: bytearray) -> bytes | None:
        while (end := line_end(received)) >= 0:
            line = bytes(received[:end])
            if self._is_trailer:
                del received[: end + 2]
                # What a trailer says is of no use here.
                if not line:
                    return b"".join(self._parts)
            elif not self._take_chunk(line, received):
                return None
        return None

    def _take_chunk(self, line: bytes, received: bytearray) -> bool:
        found = CHUNK.fullmatch(line)
        if found is None:
            raise BadAnswer("its answer has a chunk without a length")
        begin, size = len(line) + 2, int(found[1], 16)
        if size == 0:
            self._is_trailer = True
            del received[:begin]
            return True
        if size > LARGEST_ANSWER_BYTES:
            raise BadAnswer("its answer is too long")
        if len(received) < begin + size + 2:
            return False
        if received[begin + size : begin + size + 2] != b"\r\n":
            raise BadAnswer("its answer has a chunk that is longer than it says")
        self._parts.append(bytes(received[begin : begin + size]))
        del received[: begin + size + 2]
        return True


def line_end(received: bytearray) -> int:
    """Return where the first line ends; below 0 when it is not all there. BadAnswer where it is too long."""
    end = received.find(b"\r\n", 0, LONGEST_LINE + 2)
    if end < 0 and len(received) > LONGEST_LINE + 1:
        raise BadAnswer("its answer has a chunk without a length")
    return end
