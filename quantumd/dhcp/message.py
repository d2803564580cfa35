"""DHCP messages between bytes and values. Sources: RFC 2131, RFC 2132, RFC 3396 (long options)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum

from attrs import frozen

from quantumd.dhcp.reasons import Reason


class MessageType(IntEnum):
    """The value of option 53."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Code(IntEnum):
    """The options that are spoken here."""

    PAD = 0
    SUBNET_MASK = 1
    ROUTER = 3
    DNS = 6
    HOST_NAME = 12
    DOMAIN_NAME = 15
    MTU = 26
    BROADCAST = 28
    REQUESTED_ADDRESS = 50
    LEASE_SECONDS = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_ID = 54
    WANTED_OPTIONS = 55
    REASON_TEXT = 56
    MAX_MESSAGE_BYTES = 57
    RENEW_SECONDS = 58
    REBIND_SECONDS = 59
    CLIENT_ID = 61
    CLASSLESS_ROUTES = 121
    MICROSOFT_ROUTES = 249
    END = 255


REQUEST_OP = 1
REPLY_OP = 2
BROADCAST_FLAG = 0x8000
LEAST_MESSAGE_BYTES = 300
"""The size of a BOOTP message; some clients drop what is shorter (RFC 1542 2.1)."""
MOST_REQUEST_BYTES = 2048
"""Longer requests are refused: none fits a usual MTU, and reading options costs time for each byte."""

_COOKIE = b"\x63\x82\x53\x63"
_ETHERNET = 1
_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_IN_FILE = 1
_IN_SNAME = 2
_SNAME_BYTES = 64
_FILE_BYTES = 128
_LENGTHS = {
    Code.REQUESTED_ADDRESS: 4,
    Code.MESSAGE_TYPE: 1,
    Code.SERVER_ID: 4,
    Code.MAX_MESSAGE_BYTES: 2,
    Code.OVERLOAD: 1,
}


@frozen
class Message:
    """One DHCP message over Ethernet: addresses of 4 bytes, ``chaddr`` of 6, options by code, joined and unsplit."""

    op: int
    xid: int
    flags: int
    ciaddr: bytes
    yiaddr: bytes
    giaddr: bytes
    chaddr: bytes
    options: Mapping[int, bytes]

    @property
    def type(self) -> MessageType:
        """The message type; every parsed message has one."""
        return MessageType(self.options[Code.MESSAGE_TYPE][0])


def parse_message(payload: bytes) -> Message | Reason:
    """Return the DHCP message in a UDP payload, or why there is none; linear in the payload's length."""
    if len(payload) < _FIXED.size:
        return Reason.MESSAGE_TRUNCATED
    if len(payload) > MOST_REQUEST_BYTES:
        return Reason.MESSAGE_TOO_LONG
    fields = _FIXED.unpack_from(payload)
    op, htype, hlen, _, xid, _, flags, ciaddr, yiaddr, _, giaddr, chaddr, sname, file, cookie = fields
    if (htype, hlen) != (_ETHERNET, 6):
        return Reason.NOT_ETHERNET
    if cookie != _COOKIE:
        return Reason.NO_COOKIE
    options = _parse_options(payload[_FIXED.size :], file, sname)
    if isinstance(options, Reason):
        return options
    return Message(op, xid, flags, ciaddr, yiaddr, giaddr, chaddr[:6], options)


def _parse_options(main: bytes, file: bytes, sname: bytes) -> dict[int, bytes] | Reason:
    parts: dict[int, list[bytes]] = {}
    if not _collect(main, parts):
        return Reason.OPTION_OVERRUN
    overload = parts.get(Code.OVERLOAD, [b"\0"])[0][:1] or b"\0"
    # The file field is read before the sname field (RFC 2131 4.1).
    if overload[0] & _IN_FILE and not _collect(file, parts):
        return Reason.OPTION_OVERRUN
    if overload[0] & _IN_SNAME and not _collect(sname, parts):
        return Reason.OPTION_OVERRUN
    options = {code: pieces[0] if len(pieces) == 1 else b"".join(pieces) for code, pieces in parts.items()}
    return _check(options)


def _collect(field: bytes, parts: dict[int, list[bytes]]) -> bool:
    """Add the options of a field to ``parts``; False when one overruns the field. No end option is no error."""
    at, end = 0, len(field)
    while at < end:
        code = field[at]
        if code == Code.END:
            return True
        at += 1
        if code == Code.PAD:
            continue
        if at == end or at + 1 + field[at] > end:
            return False
        length = field[at]
        parts.setdefault(code, []).append(field[at + 1 : at + 1 + length])
        at += 1 + length
    return True


def _check(options: dict[int, bytes]) -> dict[int, bytes] | Reason:
    if Code.MESSAGE_TYPE not in options:
        return Reason.NO_MESSAGE_TYPE
    for code, length in _LENGTHS.items():
        if code in options and len(options[code]) != length:
            return Reason.BAD_OPTION
    if not MessageType.DISCOVER <= options[Code.MESSAGE_TYPE][0] <= MessageType.INFORM:
        return Reason.BAD_OPTION
    return options


@frozen
class Reply:
    """What is sent back: ``options`` in order of importance, for what finds no room is left out from the end.

    ``siaddr``, ``sname`` and ``file`` say from where a machine boots.
    """

    xid: int
    flags: int
    ciaddr: bytes
    yiaddr: bytes
    giaddr: bytes
    chaddr: bytes
    options: Sequence[tuple[int, bytes]]
    siaddr: bytes = bytes(4)
    sname: bytes = b""
    file: bytes = b""


def build_reply(reply: Reply, most_bytes: int) -> bytes:
    """Return the UDP payload of a reply, at least 300 bytes and at most ``most_bytes`` long.

    Options that overflow the options field go to the file and sname fields (option 52), where those are free.
    """
    main, file, sname = _lay_out(reply, most_bytes - _FIXED.size)
    payload = b"".join(
        (
            _FIXED.pack(
                REPLY_OP, _ETHERNET, 6, 0, reply.xid, 0, reply.flags, reply.ciaddr, reply.yiaddr, reply.siaddr,
                reply.giaddr, reply.chaddr, sname, file, _COOKIE,
            ),
            main,
        )
    )  # fmt: skip
    return payload.ljust(LEAST_MESSAGE_BYTES, b"\0")


def _lay_out(reply: Reply, room: int) -> tuple[bytes, bytes, bytes]:
    """Return the options, file and sname fields; an option is never spread over two of them."""
    encoded = [encode_option(code, value) for code, value in reply.options]
    whole = b"".join(encoded)
    if len(whole) < room:
        return whole + b"\xff", reply.file, reply.sname
    # Each field keeps a byte for its end option, and the first also three for option 52.
    rooms = (room - 4, 0 if reply.file else _FILE_BYTES - 1, 0 if reply.sname else _SNAME_BYTES - 1)
    fields = (bytearray(), bytearray(), bytearray())
    for option in encoded:
        for field, most in zip(fields, rooms, strict=True):
            if len(field) + len(option) <= most:
                field += option
                break
    main, file, sname = fields
    overload = (_IN_FILE if file else 0) | (_IN_SNAME if sname else 0)
    if overload:
        main += bytes((Code.OVERLOAD, 1, overload))
    ends = (bytes(file) + b"\xff" if file else reply.file, bytes(sname) + b"\xff" if sname else reply.sname)
    return bytes(main) + b"\xff", *ends


def encode_option(code: int, value: bytes) -> bytes:
    """Return an option as it travels, in pieces of 255 bytes when it is longer (RFC 3396)."""
    if len(value) <= 255:
        return bytes((code, len(value))) + value
    pieces = [value[at : at + 255] for at in range(0, len(value), 255)]
    return b"".join(bytes((code, len(piece))) + piece for piece in pieces)
