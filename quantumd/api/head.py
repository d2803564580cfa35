"""Plain requests, read in one go.

Twisted reads a head line by line, with half a dozen calls for each line, which was a third of what a small request cost
the reactor. Nearly every request of nearly every client comes in one piece and has nothing unusual about it. Those are
read here; of everything else ``plain_request`` knows nothing, and Twisted's reader decides. So nothing that is in doubt
(a head or body in pieces, several requests in one piece, chunks, a second length, a folded line, a sign that is not
printable) is ever decided here.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen
from twisted.web.http_headers import Headers

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD: Final = re.compile(
    rb"(?P<method>%s) (?P<target>/[\x21-\x7e]*) HTTP/1\.1(?P<lines>(?:\r\n%s:[\t\x20-\x7e]*)*)" % (_TOKEN, _TOKEN)
)
_LONGEST_LENGTH: Final = 10
# What changes how a message or a connection ends, beside a length and a connection that is kept.
_UNUSUAL: Final = (b"Transfer-Encoding", b"Expect", b"Upgrade", b"Cookie")


@frozen
class PlainRequest:
    """A request whose head and body are here. Source: RFC 9112."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes


def plain_request(data: bytes, head_limit: int, body_limit: int, most_headers: int) -> PlainRequest | None:
    """Return the request that ``data`` is, whole and alone; None when it is anything else, or may be.

    The limits are in bytes; at most ``most_headers`` lines are read.
    """
    end = data.find(b"\r\n\r\n", 0, head_limit)
    found = _HEAD.fullmatch(data, 0, end) if end > 0 else None
    if found is None:
        return None
    headers = _headers(found["lines"], most_headers)
    if headers is None or _length(headers) != len(data) - end - 4 or len(data) - end - 4 > body_limit:
        return None
    return PlainRequest(found["method"], found["target"], headers, data[end + 4 :])


def _headers(lines: bytes, most: int) -> Headers | None:
    """Return the headers of a head; None when one of them is unusual."""
    if lines.count(b"\r\n") > most:
        return None
    headers = Headers()
    for line in lines.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        headers.addRawHeader(name, value.strip(b" \t"))
    if any(headers.hasHeader(name) for name in _UNUSUAL):
        return None
    return headers if headers.getRawHeaders(b"Connection") in (None, [b"keep-alive"]) else None


def _length(headers: Headers) -> int | None:
    """Return how long the body is said to be; None when that is not said once and plainly."""
    said = headers.getRawHeaders(b"Content-Length")
    if said is None:
        return 0
    is_plain = len(said) == 1 and said[0].isdigit() and len(said[0]) <= _LONGEST_LENGTH
    return int(said[0]) if is_plain else None
