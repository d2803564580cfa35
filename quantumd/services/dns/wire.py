"""Questions and answers of the DNS as bytes. Sources: RFC 1035 4.1, RFC 6891 (EDNS).

What VMs ask is read no further than needed, and what others answer is not taken apart: it is passed on as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from ipaddress import ip_address
from typing import Final

from attrs import evolve, frozen

HEADER_BYTES: Final = 12
LARGEST_QUESTION_BYTES: Final = 4096
PLAIN_BYTES: Final = 512
"""The most that somebody takes over UDP who says nothing of it."""
EDNS_BYTES: Final = 1232
"""The most that is sent over UDP: it is never in fragments where the MTU is 1,280. Source: DNS Flag Day 2020."""
LARGEST_ANSWER_BYTES: Final = 65_535

ANSWER: Final = 0x8000
_AUTHORITATIVE, _TRUNCATED, _RECURSION_WANTED, _RECURSION_HERE = 0x0400, 0x0200, 0x0100, 0x0080
_CHECKING_DISABLED: Final = 0x0010
_OPCODE: Final = 0x7800
_LONGEST_NAME_BYTES: Final = 255
_LONGEST_LABEL_BYTES: Final = 63
_POINTER: Final = 0xC0
_NAME_OF_QUESTION: Final = b"\xc0\x0c"
_MOST_ADDITIONAL: Final = 8
_INTERNET: Final = 1
_OPT: Final = 41
_OPT_VERSION: Final = 0x00FF0000
_DNSSEC_WANTED: Final = 0x8000
TTL_SECONDS: Final = 0
"""Names may change at any time."""


class Kind(IntEnum):
    """Types of records."""

    A = 1
    PTR = 12
    AAAA = 28
    AXFR = 252
    ANY = 255


class Code(IntEnum):
    """What became of a question; BAD_VERSION takes an OPT record to say."""

    DONE = 0
    MALFORMED = 1
    FAILED = 2
    NO_SUCH_NAME = 3
    NOT_KNOWN_HERE = 4
    REFUSED = 5
    BAD_VERSION = 16


@frozen
class Question:
    """A question, as far as it could be read: ``fault`` is what it is answered with at once if that is not DONE.

    ``name`` is in lower case without its final dot, '' for the root or one that no port can have. ``asked`` is the
    section with the question as it came. ``edns_bytes``: what the client says it takes, None where it says nothing, at
    the place ``edns_at`` of ``data``.
    """

    data: bytes
    fault: Code = Code.DONE
    name: str = ""
    kind: int = 0
    is_internet: bool = True
    asked: bytes = b""
    edns_bytes: int | None = None
    edns_at: int = 0
    wants_dnssec: bool = False

    @property
    def id(self) -> int:
        """The number by which the client knows it."""
        return int.from_bytes(self.data[:2], "big")

    @property
    def most_bytes(self) -> int:
        """How long an answer over UDP may be."""
        return PLAIN_BYTES if self.edns_bytes is None else max(PLAIN_BYTES, min(self.edns_bytes, EDNS_BYTES))


class _Unreadable(Exception):
    """Bytes are missing, or make no sense."""


def read_question(data: bytes) -> Question | None:
    """Return the question in a message; None when that is none and must not be answered."""
    if not HEADER_BYTES <= len(data) <= LARGEST_QUESTION_BYTES:
        return None
    flags, questions, answers, authorities, additional = struct.unpack_from("!5H", data, 2)
    if flags & ANSWER:
        return None
    if flags & _OPCODE:
        return Question(data, Code.NOT_KNOWN_HERE)
    if questions != 1 or answers or authorities or additional > _MOST_ADDITIONAL:
        return Question(data, Code.MALFORMED)
    try:
        return _read(data, additional)
    except _Unreadable:
        return Question(data, Code.MALFORMED)


def _read(data: bytes, additional: int) -> Question:
    labels, at = _labels(data, HEADER_BYTES)
    kind, of_class = _unpack("!2H", data, at)
    at += 4
    question = Question(
        data,
        name=_text(labels),
        kind=kind,
        is_internet=of_class == _INTERNET,
        asked=data[HEADER_BYTES:at],
    )
    options = _options(data, at, additional)
    if not options:
        return question
    ((size, flags, place),) = options
    fault = Code.BAD_VERSION if flags & _OPT_VERSION else Code.DONE
    dnssec = bool(flags & _DNSSEC_WANTED)
    return evolve(question, fault=fault, edns_bytes=size, edns_at=place, wants_dnssec=dnssec)


def _options(data: bytes, at: int, additional: int) -> list[tuple[int, int, int]]:
    """Return the OPT record behind the question, if there is one: the size and flags in it, and where its size is."""
    options: list[tuple[int, int, int]] = []
    for _ in range(additional):
        at = _skip_name(data, at)
        kind, size, flags, length = _unpack("!2HIH", data, at)
        if kind == _OPT:
            options.append((size, flags, at + 2))
        at += 10 + length
    if at > len(data) or len(options) > 1:
        raise _Unreadable
    return options


def _labels(data: bytes, at: int) -> tuple[list[bytes], int]:
    """Return a name that is written out, and where it ends: a question has nothing before it that it could point to."""
    began = at
    labels: list[bytes] = []
    while True:
        if at >= len(data):
            raise _Unreadable
        length = data[at]
        at += 1
        if not length:
            return labels, at
        if length > _LONGEST_LABEL_BYTES or at + length - began >= _LONGEST_NAME_BYTES:
            raise _Unreadable
        labels.append(data[at : at + length])
        at += length


def _skip_name(data: bytes, at: int) -> int:
    """Return where a name ends. Pointers are not followed."""
    while at < len(data):
        length = data[at]
        if not length:
            return at + 1
        if length >= _POINTER:
            return at + 2
        if length > _LONGEST_LABEL_BYTES:
            break
        at += 1 + length
    raise _Unreadable


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > len(data):
        raise _Unreadable
    return struct.unpack_from(layout, data, at)


def _text(labels: list[bytes]) -> str:
    # A dot in a label is none between labels.
    if any(b"." in label or not label.isascii() for label in labels):
        return ""
    return b".".join(labels).decode("ascii").lower()


def address_data(text: str) -> tuple[Kind, bytes]:
    """Return an address as the content of a record, and the type of that."""
    address = ip_address(text)
    return (Kind.A if address.version == 4 else Kind.AAAA), address.packed


def name_data(name: str) -> bytes:
    """Return a name (ASCII) as the content of a record."""
    labels = [label.encode("ascii") for label in name.split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def answer(question: Question, code: Code, records: Iterable[tuple[Kind, bytes]] = (), is_ours: bool = False) -> bytes:
    """Return an answer that says ``code``, with records (type and content) about the name that was asked.

    :param is_ours: nobody knows better.
    """
    contents = tuple(records)
    flags = int.from_bytes(question.data[2:4], "big") & (_OPCODE | _RECURSION_WANTED | _CHECKING_DISABLED)
    flags |= ANSWER | _RECURSION_HERE | (_AUTHORITATIVE if is_ours else 0) | code & 0xF
    has_edns = question.edns_bytes is not None
    parts = [struct.pack("!6H", question.id, flags, 1 if question.asked else 0, len(contents), 0, int(has_edns))]
    parts.append(question.asked)
    parts += (
        _NAME_OF_QUESTION + struct.pack("!2HIH", kind, _INTERNET, TTL_SECONDS, len(content)) + content
        for kind, content in contents
    )
    if has_edns:
        parts.append(_opt(question, code))
    return b"".join(parts)


def _opt(question: Question, code: int) -> bytes:
    flags = (code >> 4) << 24 | (_DNSSEC_WANTED if question.wants_dnssec else 0)
    return b"\0" + struct.pack("!2HIH", _OPT, EDNS_BYTES, flags, 0)


def fitted(question: Question, said: bytes, most_bytes: int) -> bytes:
    """Return an answer that is no longer than that: one that is says only that it is, for the client to ask by TCP."""
    if len(said) <= most_bytes:
        return said
    short = bytearray(answer(question, Code.DONE))
    short[2:4] = (int.from_bytes(said[2:4], "big") | _TRUNCATED).to_bytes(2, "big")
    return bytes(short)


def is_truncated(data: bytes) -> bool:
    """Whether an answer says that it is not whole."""
    return bool(int.from_bytes(data[2:4], "big") & _TRUNCATED)
