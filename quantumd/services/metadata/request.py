"""Requests of ports from bytes. Pure (RFC 9110, RFC 9112): what is not clearly a request is none."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from quantumd.errors import QuantumdError

LARGEST_HEAD_BYTES: Final = 16_384
"""How long the head of a request may be."""

HEAD_END: Final = b"\r\n\r\n"

_LINE: Final = re.compile(rb"([A-Z]{1,16}) (?:http://[^/ \x00-\x20\x7f-\xff]{1,255})?(/[\x21-\x7e]*) HTTP/1\.([01])")
_FIELDS: Final = re.compile(rb"(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}:[\t\x20-\x7e\x80-\xff]*)*")
_LENGTH: Final = re.compile(rb"[0-9]{1,12}")


class BadRequest(QuantumdError):
    """It is no request, or none that is taken; ``status`` says which."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@frozen
class Request:
    """The head of a request. ``target`` is a path with its query; names of headers are in lower case."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    length: int
    """How many bytes the body has."""
    is_newest: bool
    keeps: bool
    """Whether the connection may carry another request."""
    expects: bool
    """Whether the body comes only when it is asked for."""

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition(b"?")[0].decode("ascii")


def read_request(text: bytes, most_body_bytes: int) -> Request:
    """Return the request of a head, from its first line to the last, without the empty one behind it. BadRequest."""
    line = _LINE.match(text)
    if line is None or _FIELDS.fullmatch(text, line.end()) is None:
        raise BadRequest(400, "This is no request of HTTP/1.1.")
    headers = tuple(_fields(text[line.end() + 2 :]))
    is_newest = line[3] == b"1"
    wishes = b",".join(value for name, value in headers if name == b"connection").lower()
    keeps = b"close" not in wishes and (is_newest or b"keep-alive" in wishes)
    expects = is_newest and any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)
    return Request(line[1], line[2], headers, _length(headers, most_body_bytes), is_newest, keeps, expects)


def _fields(text: bytes) -> list[tuple[bytes, bytes]]:
    pairs = (line.partition(b":") for line in text.split(b"\r\n") if line)
    return [(name.lower(), value.strip(b"\t ")) for name, _, value in pairs]


def _length(headers: tuple[tuple[bytes, bytes], ...], most_bytes: int) -> int:
    if any(name == b"transfer-encoding" for name, _ in headers):
        raise BadRequest(411, "How long a body is must be said before.")
    said = {value for name, value in headers if name == b"content-length"}
    if not said:
        return 0
    (first, *others) = said
    if others or _LENGTH.fullmatch(first) is None:
        raise BadRequest(400, "The length is none.")
    if int(first) > most_bytes:
        raise BadRequest(413, "The body is too long.")
    return int(first)
