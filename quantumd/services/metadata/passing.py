"""What Nova is told of a request, and what of its answer is passed on. Pure.

Source: OpenStack Nova, Metadata service ([neutron] service_metadata_proxy); RFC 9110 7.6.1.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from quantumd.edge.http.messages import Target
from quantumd.interfaces import Asker
from quantumd.services.metadata.request import Request

_OF_ONE_HOP: Final = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade", b"content-length", b"host", b"expect",
})  # fmt: skip
_OURS: Final = (b"x-instance-id", b"x-tenant-id", b"x-forwarded", b"x-metadata-provider", b"x-real-ip", b"forwarded")
"""Begin the names of headers that only we say: whoever asks could name another by them."""


def signature(secret: str, device_id: str) -> str:
    """Return by which Nova sees that it is we who say who asks: HMAC-SHA256, in hexadecimal."""
    return hmac.new(secret.encode(), device_id.encode(), sha256).hexdigest()


def request_head(request: Request, asker: Asker, target: Target, secret: str) -> bytes:
    """Return the head of the request that Nova gets. ``target`` is the root of its metadata API."""
    lines = [b"%s %s%s HTTP/1.1" % (request.method, target.path.rstrip(b"/"), request.target)]
    lines.append(b"Host: " + target.authority)
    lines += [b"%s: %s" % field for field in _passed_on(request)]
    said = {
        "X-Instance-ID": asker.device_id,
        "X-Tenant-ID": asker.project_id,
        "X-Forwarded-For": asker.address,
        "X-Instance-ID-Signature": signature(secret, asker.device_id),
    }
    lines += [f"{name}: {value}".encode() for name, value in said.items()]
    if request.length or request.method in (b"POST", b"PUT"):
        lines.append(b"Content-Length: %d" % request.length)
    return b"\r\n".join((*lines, b"", b""))


def answer_fields(headers: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield what of the headers of an answer is passed on."""
    for name, value in headers.items():
        if name not in _OF_ONE_HOP:
            yield name, value


def may_be_told(text: str) -> bool:
    """Whether a text stays in its line of a head: what names a server or a project does."""
    return text.isascii() and text.isprintable()


def _passed_on(request: Request) -> Iterator[tuple[bytes, bytes]]:
    listed = b",".join(value for name, value in request.headers if name == b"connection").lower()
    of_this_hop = {name.strip() for name in listed.split(b",")}
    for name, value in request.headers:
        # Web servers hand "_" and "-" to their applications as the same.
        is_plain = b"_" not in name and name not in _OF_ONE_HOP and name not in of_this_hop
        if is_plain and not name.startswith(_OURS):
            yield name, value
