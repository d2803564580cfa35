"""JSON-RPC messages in a stream of bytes: OVSDB sends objects back to back, with nothing between them (RFC 7047 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import define, field

from quantumd.edge.ovsdb.errors import OvsdbGarbled

# Up to the next brace that is in no string, a string that has no end here, or the end. It always matches, and goes
# back only over a string without an end, once a piece: the time is linear whatever the input. (Possessive quantifiers
# would say so themselves, but until Python 3.11.5 they match wrongly here: CPython's issue 106052.)
_TOKEN = re.compile(rb'[^{}"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^{}"]*)*([{}"]|\Z)', re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*("?)', re.DOTALL)

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
            if rest and rest[:1] != b"{":
                raise OvsdbGarbled("a message that is not an object")
        if not rest:
            return
        self._pieces.append(rest)
        self._size += len(rest)
        if self._size > LONGEST_MESSAGE_BYTES:
            raise OvsdbGarbled(f"a message over {LONGEST_MESSAGE_BYTES} bytes")

    def _ends(self, piece: bytes) -> Iterator[int]:
        """Yield the position after each object that ends in this piece."""
        for token in _TOKEN.finditer(piece, self._finish_string(piece, 0)):
            found = token.group(1)
            if found == b"{":
                self._depth += 1
                if self._depth > DEEPEST_MESSAGE:
                    raise OvsdbGarbled(f"a message that nests over {DEEPEST_MESSAGE} objects")
            elif found == b"}":
                self._depth -= 1
                if self._depth < 0:
                    raise OvsdbGarbled("a message that ends without a beginning")
                if self._depth == 0:
                    yield token.end()
            elif found:
                self._in_string = True
                self._finish_string(piece, token.end())
                return

    def _finish_string(self, piece: bytes, start: int) -> int:
        """Return where in the piece the string that is open at ``start`` ends, if one is."""
        if not self._in_string or start == len(piece):
            return start
        rest = _REST_OF_STRING.match(piece, start + self._after_backslash)
        if rest is None or not rest.group(1):
            # All that may follow is a backslash whose other half comes with the next piece.
            self._after_backslash = rest is not None and rest.end() < len(piece)
            return len(piece)
        self._in_string = self._after_backslash = False
        return rest.end()
