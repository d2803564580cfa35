"""JSON-RPC messages in a stream of bytes: OVSDB sends objects back to back, with nothing between them (RFC 7047 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import define, field

from quantumd.edge.ovsdb.errors import OvsdbGarbled

# A brace, or a string with whether it ended: braces inside strings do not count.
_TOKEN = re.compile(rb'[{}]|"[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)
_OPEN, _CLOSE = b"{}"

# A message of 5,000 interfaces is about 4 MB, and nests 4 objects.
LONGEST_MESSAGE_BYTES = 256 * 1024 * 1024
DEEPEST_MESSAGE = 64


@define
class MessageStream:
    """Cuts a stream into whole messages, looking at each byte once; does not check that a message is good JSON."""

    _pieces: list[bytes] = field(factory=list)
    _size: int = 0
    _depth: int = 0
    _in_string: bool = False
    _after_backslash: bool = False

    @property
    def half_read_bytes(self) -> int:
        """How much of an unfinished message is here."""
        return self._size

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the messages that this piece completes.

        :raises OvsdbGarbled: it is no object, or one that is too long or too deep; nothing more can be read.
        """
        whole = []
        start = 0
        for end in self._ends(piece):
            whole.append(b"".join((*self._pieces, piece[start:end])))
            self._pieces.clear()
            self._size = 0
            start = end
        self._keep(piece[start:])
        return whole

    def _keep(self, rest: bytes) -> None:
        if not self._pieces:
            rest = rest.lstrip()
            if rest and rest[0] != _OPEN:
                raise OvsdbGarbled("a message that is not an object")
        if not rest:
            return
        self._pieces.append(rest)
        self._size += len(rest)
        if self._size > LONGEST_MESSAGE_BYTES:
            raise OvsdbGarbled(f"a message over {LONGEST_MESSAGE_BYTES} bytes")

    def _ends(self, piece: bytes) -> Iterator[int]:
        """Yield the position after each object that ends in this piece."""
        for token in _TOKEN.finditer(piece, self._finish_string(piece)):
            first = piece[token.start()]
            if first == _OPEN:
                self._depth += 1
                if self._depth > DEEPEST_MESSAGE:
                    raise OvsdbGarbled(f"a message that nests over {DEEPEST_MESSAGE} objects")
            elif first == _CLOSE:
                self._depth -= 1
                if self._depth < 0:
                    raise OvsdbGarbled("a message that ends without a beginning")
                if self._depth == 0:
                    yield token.end()
            elif not token.group(1):
                self._leave_string_open(piece, token.end())

    def _finish_string(self, piece: bytes) -> int:
        """Return where a string that began in an earlier piece ends in this one."""
        if not self._in_string or not piece:
            return 0
        rest = _REST_OF_STRING.match(piece, 1 if self._after_backslash else 0)
        if rest is None:  # It matches even nothing; said for the type checker.
            return 0
        self._in_string = self._after_backslash = False
        if not rest.group(1):
            self._leave_string_open(piece, rest.end())
            return len(piece)
        return rest.end()

    def _leave_string_open(self, piece: bytes, end: int) -> None:
        self._in_string = True
        # The only thing that may follow is one backslash whose other half comes with the next piece.
        self._after_backslash = end < len(piece)
