"""Attributes of netlink messages, between bytes and numbers of attributes (netlink(7), struct nlattr)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

_HEADER = struct.Struct("=HH")
_NESTED = 0x8000
_KIND_BITS = 0x3FFF


def pack(kind: int, value: bytes) -> bytes:
    """Return an attribute."""
    return _HEADER.pack(_HEADER.size + len(value), kind) + value + bytes(-len(value) & 3)


def nest(kind: int, *attributes: bytes) -> bytes:
    """Return an attribute of attributes."""
    return pack(kind | _NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """Return an attribute that is a text, which the kernel ends with a zero."""
    return pack(kind, value.encode() + b"\0")


def number(kind: int, value: int, size: int = 4, order: str = "little") -> bytes:
    """Return an attribute that is a number of ``size`` bytes."""
    return pack(kind, value.to_bytes(size, "big" if order == "big" else "little"))


def address(kind: int, value: str) -> bytes:
    """Return an attribute that is an IP address."""
    return pack(kind, ip_address(value).packed)


def mac(kind: int, value: str) -> bytes:
    """Return an attribute that is a MAC address."""
    return pack(kind, bytes.fromhex(value.replace(":", "")))


def each(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the attributes in bytes: what each is, and its value. A broken one ends it."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= len(data) - at:
            return
        yield kind & _KIND_BITS, data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def unpack(data: bytes) -> Mapping[int, bytes]:
    """Return the attributes in bytes; of equal ones the last."""
    return dict(each(data))


def read_text(value: bytes | None) -> str:
    """Return a text; '' when it is not there."""
    return (value or b"").rstrip(b"\0").decode(errors="replace")


def read_number(value: bytes | None, missing: int = 0, order: str = "little") -> int:
    """Return a number; ``missing`` when it is not there."""
    return missing if not value else int.from_bytes(value, "big" if order == "big" else "little")


def read_mac(value: bytes) -> str:
    """Return a MAC address."""
    return value.hex(":")


def read_address(value: bytes | None) -> str:
    """Return an IP address in canonical form; '' when it is not there or is none."""
    return str(ip_address(value)) if value is not None and len(value) in (4, 16) else ""
