"""DHCPv6 as it travels: what clients and servers both say. Source: RFC 8415, 8 (messages), 21 (options)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final


class MessageType6(IntEnum):
    """The first byte of a message."""

    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    RECONFIGURE = 10
    INFORMATION_REQUEST = 11
    RELAY_FORWARD = 12
    RELAY_REPLY = 13


class Code6(IntEnum):
    """The options that are spoken here."""

    CLIENT_ID = 1
    SERVER_ID = 2
    IA_NA = 3
    IA_TA = 4
    IA_ADDRESS = 5
    WANTED_OPTIONS = 6
    PREFERENCE = 7
    ELAPSED = 8
    STATUS = 13
    RAPID_COMMIT = 14
    DNS = 23
    DOMAIN_SEARCH = 24
    IA_PD = 25
    IA_PREFIX = 26
    REFRESH_SECONDS = 32
    SOL_MAX_RT = 82


class Status6(IntEnum):
    """What option 13 says."""

    SUCCESS = 0
    NO_ADDRS_AVAIL = 2
    NO_BINDING = 3
    NOT_ON_LINK = 4
    USE_MULTICAST = 5
    NO_PREFIX_AVAIL = 6


Option6 = tuple[int, bytes]

LONGEST_DUID = 130
"""Two bytes of type and 128 more (RFC 8415 11.1)."""

HEAD_BYTES: Final = 4
"""Those of a message's type and transaction id, before the options."""
DUID_UUID: Final = b"\0\4"
"""The type of an id of client or server that holds a UUID (RFC 6355)."""


def parse_options6(field: bytes) -> tuple[Option6, ...] | None:
    """Return the options of a field, in order; None when one goes beyond its end. Linear in the field's length."""
    options: list[Option6] = []
    at, end = 0, len(field)
    while at < end:
        if at + 4 > end:
            return None
        code, length = field[at] << 8 | field[at + 1], field[at + 2] << 8 | field[at + 3]
        at += 4 + length
        if at > end:
            return None
        options.append((code, field[at - length : at]))
    return tuple(options)


def build_message6(kind: MessageType6, xid: bytes, options: Iterable[Option6], most_bytes: int) -> bytes:
    """Return the UDP payload of a message: what finds no room in ``most_bytes`` is left out, from the end."""
    return bytes((kind,)) + xid + b"".join(_fitting(options, most_bytes - HEAD_BYTES))


def _fitting(options: Iterable[Option6], room: int) -> Iterator[bytes]:
    for code, value in options:
        encoded = encode_option6(code, value)
        if len(encoded) > room:
            return
        room -= len(encoded)
        yield encoded


def encode_option6(code: int, value: bytes) -> bytes:
    """Return an option as it travels."""
    return code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def encode_status(status: Status6, text: str) -> Option6:
    """Return option 13: what became of something, and the same for people to read."""
    return Code6.STATUS, status.to_bytes(2, "big") + text.encode("ascii")


def encode_address(address: bytes, preferred_seconds: int, valid_seconds: int) -> bytes:
    """Return option 5, which stands in an association."""
    times = preferred_seconds.to_bytes(4, "big") + valid_seconds.to_bytes(4, "big")
    return encode_option6(Code6.IA_ADDRESS, address + times)
