"""Fields of AMQP as bytes. txAMQP's codec with its tables and texts put right.

Stock, it counts characters where bytes are sent, guesses whether bytes are text, knows four kinds of value in a table,
and fails on others after half of them is written.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any

import txamqp.codec

from quantumd.edge.amqp.errors import BadFrame, Unencodable

DEEPEST = 16
"""How many tables and lists may be inside each other."""

_LONGEST_SHORT = 255
_NUMBERS = {b"b": "!b", b"B": "!B", b"s": "!h", b"u": "!H", b"I": "!i", b"i": "!I", b"l": "!q", b"L": "!q", b"f": "!f",
            b"d": "!d", b"T": "!Q"}  # fmt: skip
"""Kinds of numbers in tables as RabbitMQ has them (rabbitmq.com/amqp-0-9-1-errata, section 3)."""


class Codec(txamqp.codec.Codec):  # type: ignore[misc] # txAMQP carries no annotations
    """Writes to a stream, or reads from it."""

    def __init__(self, stream: BytesIO, depth: int = 0) -> None:
        super().__init__(stream)
        self._depth = depth
        if depth > DEEPEST:
            raise Unencodable(f"more than {DEEPEST} tables and lists inside each other")

    def read(self, n: int) -> bytes:
        """Return exactly ``n`` bytes. BadFrame."""
        data: bytes = self.stream.read(n)
        if len(data) != n:
            raise BadFrame("a field ends early")
        self.nread += n
        return data

    def pack(self, fmt: str, *args: Any) -> None:
        """Write numbers. Unencodable."""
        try:
            self.write(struct.pack(fmt, *args))
        except struct.error as error:
            raise Unencodable(f"{args!r} is no number of this kind: {error}") from None

    def enc_str(self, fmt: str, s: str | bytes) -> None:
        """Write a text with the number of its bytes before it."""
        if not isinstance(s, str | bytes):
            raise Unencodable(f"a {type(s).__name__} is no text")
        data = s if isinstance(s, bytes) else s.encode("utf-8", "surrogatepass")
        if fmt == "!B" and len(data) > _LONGEST_SHORT:
            raise Unencodable(f"a short text has {len(data)} bytes, more than {_LONGEST_SHORT}")
        self.pack(fmt, len(data))
        self.write(data)

    def decode_shortstr(self) -> str:
        """Read a short text."""
        return self.read(self.unpack("!B")).decode("utf-8", "replace")

    def dec_str(self, fmt: str) -> str | bytes:
        """Read a long text; bytes when it is none."""
        data = self.read(self.unpack(fmt))
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data

    def encode_table(self, tbl: Mapping[str, Any]) -> None:
        """Write a table."""
        inner = self._inner()
        for key, value in tbl.items():
            inner.encode_shortstr(key)
            inner.encode_value(value)
        self._write_inner(inner)

    def encode_value(self, value: Any) -> None:
        """Write a value with its kind before it. Unencodable."""
        if value is None:
            self.write(b"V")
            return
        for kind, letter, write in _WRITERS:
            if isinstance(value, kind):
                self.write(letter)
                write(self, value)
                return
        raise Unencodable(f"AMQP has no form for a {type(value).__name__}")

    def encode_list(self, values: Iterable[Any]) -> None:
        """Write a list."""
        inner = self._inner()
        for value in values:
            inner.encode_value(value)
        self._write_inner(inner)

    def decode_table(self) -> dict[str, Any]:
        """Read a table."""
        inner, size = self._inner_read()
        found = {}
        while inner.nread < size:
            key = inner.decode_shortstr()
            found[key] = inner.decode_value()
        return found

    def decode_list(self) -> list[Any]:
        """Read a list."""
        inner, size = self._inner_read()
        found = []
        while inner.nread < size:
            found.append(inner.decode_value())
        return found

    def decode_value(self) -> Any:
        """Read a value of any kind. BadFrame."""
        kind = self.read(1)
        if kind in _NUMBERS:
            return self.unpack(_NUMBERS[kind])
        if kind not in _READERS:
            raise BadFrame(f"a table has a value of kind {kind!r}")
        return _READERS[kind](self)

    def decode_decimal(self) -> float:
        """Read a decimal number."""
        scale, number = self.unpack("!Bi")
        return float(number / 10**scale)

    def _inner(self) -> Codec:
        return Codec(BytesIO(), self._depth + 1)

    def _write_inner(self, inner: Codec) -> None:
        data = inner.stream.getvalue()
        self.encode_long(len(data))
        self.write(data)

    def _inner_read(self) -> tuple[Codec, int]:
        data = self.read(self.decode_long())
        try:
            return Codec(BytesIO(data), self._depth + 1), len(data)
        except Unencodable as error:
            raise BadFrame(str(error)) from None


_WRITERS: tuple[tuple[Any, bytes, Callable[[Codec, Any], None]], ...] = (
    (bool, b"t", lambda codec, value: codec.encode_octet(int(value))),
    (int, b"l", lambda codec, value: codec.pack("!q", value)),
    (float, b"d", lambda codec, value: codec.pack("!d", value)),
    (str, b"S", lambda codec, value: codec.encode_longstr(value)),
    (bytes, b"x", lambda codec, value: codec.encode_longbytes(value)),
    (Mapping, b"F", lambda codec, value: codec.encode_table(value)),
    ((list, tuple), b"A", lambda codec, value: codec.encode_list(value)),
)

_READERS: Mapping[bytes, Callable[[Codec], Any]] = {
    b"S": lambda codec: codec.decode_longstr(),
    b"x": lambda codec: codec.decode_longbytes(),
    b"F": lambda codec: codec.decode_table(),
    b"A": lambda codec: codec.decode_list(),
    b"t": lambda codec: codec.decode_octet() != 0,
    b"V": lambda codec: None,
    b"D": lambda codec: codec.decode_decimal(),
}
