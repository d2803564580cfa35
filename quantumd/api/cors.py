"""Web pages of other origins that use the API from a browser: none, unless the settings name them.

The Fetch standard, 3.2 (CORS protocol). Callers bring their token in a header, never in a cookie, so no credentials are
allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from quantumd.api.request import ApiRequest

_METHODS: Final = b"GET, HEAD, POST, PUT, DELETE"
_REQUEST_HEADERS: Final = (
    b"Content-Type, If-Match, If-None-Match, Last-Event-ID, X-Auth-Token, X-Openstack-Request-Id, X-Project-Id"
)
_ANSWER_HEADERS: Final = b"Allow, ETag, Retry-After, X-Openstack-Request-Id"
_ANY: Final = b"*"


@frozen
class Cors:
    """What browsers are told. ``origins`` are those of pages (``https://horizon.example``), or ``*`` for any."""

    origins: frozenset[bytes]
    max_age_seconds: int

    def mark(self, request: ApiRequest) -> None:
        """Tell a browser that the page it shows may have the answer, if it may."""
        headers = request.responseHeaders
        headers.addRawHeader(b"Vary", b"Origin")
        origin = (request.requestHeaders.getRawHeaders(b"Origin") or [b""])[-1]
        if not origin or not (origin in self.origins or _ANY in self.origins):
            return
        headers.setRawHeaders(b"Access-Control-Allow-Origin", [origin])
        headers.setRawHeaders(b"Access-Control-Expose-Headers", [_ANSWER_HEADERS])
        if request.method == b"OPTIONS" and request.requestHeaders.hasHeader(b"Access-Control-Request-Method"):
            headers.setRawHeaders(b"Access-Control-Allow-Methods", [_METHODS])
            headers.setRawHeaders(b"Access-Control-Allow-Headers", [_REQUEST_HEADERS])
            headers.setRawHeaders(b"Access-Control-Max-Age", [b"%d" % self.max_age_seconds])


def cors_of(origins: Iterable[str], max_age_seconds: int) -> Cors | None:
    """Return what the settings allow; None when they allow nothing, which costs nothing."""
    named = origins_of(origins)
    return Cors(named, max_age_seconds) if named else None


def origins_of(origins: Iterable[str]) -> frozenset[bytes]:
    """Return origins of the settings as browsers send them."""
    return frozenset(origin.rstrip("/").encode() for origin in origins)
