"""Requests as bytes, and what an answer is. Pure (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

_PORTS: Final = {"http": 80, "https": 443}
_TARGET: Final = re.compile(rb"[\x21-\x7e]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e]*")


@frozen
class Origin:
    """Whom a request is sent to."""

    is_tls: bool
    host: str
    port: int


@frozen
class Target:
    """An URL, as requests need it: ``authority`` is for the Host field, ``path`` includes the query."""

    origin: Origin
    authority: bytes
    path: bytes


@frozen
class Reply:
    """One answer, complete. Headers are by name in lower case; several of one name are one, with commas between."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


@lru_cache(maxsize=64)
def target_of(url: bytes) -> Target:
    """Return where an http or https URL leads.

    :raises ValueError: it is no such URL, or holds what no request line can.
    """
    if _TARGET.fullmatch(url) is None:
        raise ValueError("an URL holds what no URL may")
    parts = urlsplit(url.decode("ascii"))
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("no URL of http or https with a host")
    origin = Origin(parts.scheme == "https", parts.hostname, parts.port or _PORTS[parts.scheme])
    query = f"?{parts.query}" if parts.query else ""
    return Target(origin, parts.netloc.encode("ascii"), f"{parts.path or '/'}{query}".encode("ascii"))


def build_request(method: bytes, target: Target, headers: Mapping[bytes, bytes], content: bytes | None) -> bytes:
    """Return a request as it travels.

    :raises ValueError: a header's value would not stay in its line.
    """
    for value in headers.values():
        if _VALUE.fullmatch(value) is None:
            raise ValueError("a header's value holds what none may")
    fields = {b"Host": target.authority, **headers}
    if content is not None:
        fields[b"Content-Length"] = b"%d" % len(content)
    lines = [b"%s %s HTTP/1.1" % (method, target.path), *(b"%s: %s" % field for field in fields.items()), b"", b""]
    return b"\r\n".join(lines) + (content or b"")
