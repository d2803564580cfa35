"""DHCPv6 messages between bytes and values. Source: RFC 8415, 8 (messages), 21 (options)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum

from attrs import frozen

from quantumd.dhcp.message import MOST_REQUEST_BYTES
from quantumd.dhcp.reasons import Reason


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
    STATUS = 13
    RAPID_COMMIT = 14
    DNS = 23
    DOMAIN_SEARCH = 24
    IA_PD = 25
    REFRESH_SECONDS = 32


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
MOST_ASSOCIATIONS = 16
"""How many things a client may want in one message; more are refused."""

_RELAYED = frozenset({MessageType6.RELAY_FORWARD, MessageType6.RELAY_REPLY})
_HEAD_BYTES = 4
_ASSOCIATION_BYTES = {Code6.IA_NA: 12, Code6.IA_TA: 4, Code6.IA_PD: 12}
_ADDRESS_BYTES = 24
_ONCE = frozenset({Code6.CLIENT_ID, Code6.SERVER_ID, Code6.WANTED_OPTIONS, Code6.RAPID_COMMIT})


@frozen
class Association:
    """Something that a client wants, or has, by the id that it gave it (4 bytes); addresses of 16 bytes.

    ``code`` is IA_NA for addresses, IA_TA for temporary ones, IA_PD for prefixes, of which none are read.
    """

    code: int
    iaid: bytes
    addresses: tuple[bytes, ...]


@frozen
class Message6:
    """A message of a client. Ids are b'' when there are none; ``xid`` has 3 bytes."""

    type: MessageType6
    xid: bytes
    client_id: bytes = b""
    server_id: bytes = b""
    associations: tuple[Association, ...] = ()
    has_rapid_commit: bool = False


def parse_message6(payload: bytes) -> Message6 | Reason:
    """Return the DHCPv6 message in a UDP payload, or why there is none; linear in the payload's length."""
    if len(payload) < _HEAD_BYTES:
        return Reason.MESSAGE_TRUNCATED
    if len(payload) > MOST_REQUEST_BYTES:
        return Reason.MESSAGE_TOO_LONG
    if not MessageType6.SOLICIT <= payload[0] <= MessageType6.RELAY_REPLY:
        return Reason.NOT_A_REQUEST
    kind = MessageType6(payload[0])
    if kind in _RELAYED:
        return Reason.RELAYED
    options = parse_options6(payload[_HEAD_BYTES:])
    if isinstance(options, Reason):
        return options
    return _message(kind, payload[1:_HEAD_BYTES], options)


def parse_options6(field: bytes) -> tuple[Option6, ...] | Reason:
    """Return the options of a field, in order."""
    options: list[Option6] = []
    at, end = 0, len(field)
    while at < end:
        if at + 4 > end:
            return Reason.OPTION_OVERRUN
        code, length = field[at] << 8 | field[at + 1], field[at + 2] << 8 | field[at + 3]
        at += 4 + length
        if at > end:
            return Reason.OPTION_OVERRUN
        options.append((code, field[at - length : at]))
    return tuple(options)


def _message(kind: MessageType6, xid: bytes, options: tuple[Option6, ...]) -> Message6 | Reason:
    once: dict[int, bytes] = {}
    associations: list[Association] = []
    for code, value in options:
        if code in _ONCE:
            if code in once:
                return Reason.BAD_OPTION
            once[code] = value
        elif code in _ASSOCIATION_BYTES:
            association = _association(code, value)
            if association is None or len(associations) == MOST_ASSOCIATIONS:
                return Reason.BAD_OPTION
            associations.append(association)
    client_id, server_id = once.get(Code6.CLIENT_ID), once.get(Code6.SERVER_ID)
    if any(duid is not None and not 3 <= len(duid) <= LONGEST_DUID for duid in (client_id, server_id)):
        return Reason.BAD_OPTION
    return Message6(kind, xid, client_id or b"", server_id or b"", tuple(associations), Code6.RAPID_COMMIT in once)


def _association(code: int, value: bytes) -> Association | None:
    head = _ASSOCIATION_BYTES[Code6(code)]
    if len(value) < head:
        return None
    options = parse_options6(value[head:])
    if isinstance(options, Reason):
        return None
    addresses = tuple(each[:16] for inner, each in options if inner == Code6.IA_ADDRESS)
    if any(len(each) < _ADDRESS_BYTES for inner, each in options if inner == Code6.IA_ADDRESS):
        return None
    return Association(code, value[:4], () if code == Code6.IA_PD else addresses)


def build_message6(kind: MessageType6, xid: bytes, options: Iterable[Option6], most_bytes: int) -> bytes:
    """Return the UDP payload of a message: what finds no room in ``most_bytes`` is left out, from the end."""
    return bytes((kind,)) + xid + b"".join(_fitting(options, most_bytes - _HEAD_BYTES))


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
