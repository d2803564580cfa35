"""The HTTP side of a connection: limits on what is read, and connections that end gently.

Twisted closes a connection, or answers 400 without a body, when a request breaks its limits. Here every refusal is a
JSON answer with the right status, sent before the rest of the request is read, and the connection lingers for a moment:
closing it while bytes are still coming would reset it and destroy the answer on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from prometheus_client import Counter, Histogram
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource
from twisted.web.server import Site

from quantumd.api.answers import Answer, answer_to
from quantumd.api.cors import Cors
from quantumd.api.errors import HeadersTooLarge, HTTPBadRequest, PayloadTooLarge, URITooLong
from quantumd.api.head import PlainRequest, plain_request
from quantumd.api.identity import is_loopback
from quantumd.api.idle import PatientChannel
from quantumd.api.request import ApiRequest
from quantumd.errors import ApiError
from quantumd.model.context import Context

if TYPE_CHECKING:
    from quantumd.metrics import ApiMetrics

HEADER_LIMIT_BYTES: Final = 16_384
"""How long the request line and the headers together may be."""

LINGER_SECONDS: Final = 2.0
"""How long a refused client may go on sending what nobody reads any more."""

_REASONS: Final = {400: b"Bad Request", 413: b"Payload Too Large", 414: b"URI Too Long"}
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_LONGEST_LENGTH: Final = 19

Identify = Callable[[str, Headers, bool, str], Context | Deferred[Context]]


class ApiChannel(PatientChannel):
    """One connection."""

    MAX_LENGTH = HEADER_LIMIT_BYTES
    totalHeadersSize = HEADER_LIMIT_BYTES
    site: ApiSite
    transport: Any
    is_loopback = False
    """Whether the caller is on this machine."""
    peer = ""
    """The caller's address, '' where it has none."""

    def connectionMade(self) -> None:
        """Note who calls."""
        super().connectionMade()
        self._own_address, self._peer_address = self.transport.getHost(), self.transport.getPeer()
        self.peer = getattr(self._peer_address, "host", "")
        self.is_loopback = is_loopback(self.peer)
        self.site.channels.add(self)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """The connection is gone."""
        self.site.channels.discard(self)
        super().connectionLost(reason)

    def getHost(self) -> Any:
        """Return our end of the connection. The transport needs a system call, and Twisted asks for each request."""
        return self._own_address

    def getPeer(self) -> Any:
        """Return the caller's end of the connection."""
        return self._peer_address

    @property
    def is_idle(self) -> bool:
        """Whether no request is being read or answered."""
        return not self.requests

    def dataReceived(self, data: bytes) -> None:
        """Take what has come: at once if it is one plain request, else line by line."""
        plain = self._plain_request(data) if self._is_at_beginning else None
        if plain is None:
            super().dataReceived(data)
        else:
            self._take(plain)

    @property
    def _is_at_beginning(self) -> bool:
        """Whether the next byte is the first of a request that may be read."""
        is_reading = self.requests or self._buffer or self._busyReceiving or "_command" in self.__dict__
        return bool(
            self.persistent and self.line_mode and not (is_reading or self.paused or self.transport.disconnecting)
        )

    def _plain_request(self, data: bytes) -> PlainRequest | None:
        return plain_request(data, HEADER_LIMIT_BYTES, self.site.body_limit_bytes, self.maxHeaders)

    def _take(self, plain: PlainRequest) -> None:
        """Do for a plain request what HTTPChannel does from its first line to its last byte."""
        request = self.requestFactory(self)
        self.requests.append(request)
        request.requestHeaders = plain.headers
        request.content = BytesIO(plain.body)
        # No time limit while it is answered; what comes meanwhile is kept, not read.
        self._savedTimeOut = self.setTimeout(None)
        self._handlingRequest = True
        self.setRawMode()
        request.requestReceived(plain.method, plain.target, b"HTTP/1.1")

    def lineReceived(self, line: bytes) -> None:
        """Take one line of a request's head."""
        if self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            self.lineLengthExceeded(line)
        else:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a head that is too long."""
        is_first_line = "_command" not in self.__dict__
        limit = HEADER_LIMIT_BYTES
        self.refuse(URITooLong(limit) if is_first_line else HeadersTooLarge(limit))

    def headerReceived(self, line: bytes) -> bool:
        """Take one header; a body that is announced too large is refused before any of it is read."""
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and self._is_too_large(value.strip()):
            self.refuse(PayloadTooLarge(self.site.body_limit_bytes))
            return False
        return bool(super().headerReceived(line))

    def _is_too_large(self, length: bytes) -> bool:
        # Python refuses to convert very long digit strings, so the length of the text is looked at first.
        digits = length.lstrip(b"0") or b"0"
        return digits.isdigit() and (len(digits) > _LONGEST_LENGTH or int(digits) > self.site.body_limit_bytes)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """Send the head of an answer; while the server drains it says that the connection ends with it."""
        self._announce_end(headers)
        super().writeHeaders(version, code, reason, headers)

    def write_whole(self, version: bytes, code: int, reason: bytes, headers: Headers, body: bytes) -> None:
        """Send the head of an answer and all of its body, in one piece."""
        self._announce_end(headers)
        lines = [b"%s: %s\r\n" % (name, value) for name, values in headers.getAllRawHeaders() for value in values]
        self.transport.write(b"%s %d %s\r\n%s\r\n%s" % (version, code, reason, b"".join(lines), body))

    def _announce_end(self, headers: Headers) -> None:
        if self.site.is_draining and self.persistent:
            self.persistent = False
            headers.setRawHeaders(b"Connection", [b"close"])

    def refuse(self, error: ApiError) -> None:
        """Answer with an error without reading on, and end the connection gently."""
        answer = answer_to(error)
        request_id = self.site.new_request_id()
        self.transport.write(_raw(answer, request_id))
        self.site.refused(answer.status, request_id, str(error))
        self.setTimeout(None)
        # What still comes is dropped unread. The instance's own method goes first, as in Twisted's WebSocket upgrade.
        self.dataReceived = self._drop  # type: ignore[method-assign]
        self.lineReceived = self._drop  # type: ignore[method-assign,assignment]
        self.clearLineBuffer()
        self._close_gently()

    def _drop(self, data: bytes) -> None:
        """Take what nobody reads any more."""

    def _close_gently(self) -> None:
        transport = self.transport
        if hasattr(transport, "loseWriteConnection"):
            self._networkProducer.resumeProducing()
            transport.loseWriteConnection()
            self._abortingCall = self.callLater(LINGER_SECONDS, self.forceAbortClient)
        else:
            self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        # Twisted calls this for every request that is not HTTP.
        self.refuse(HTTPBadRequest("The request is not HTTP"))

    def abort(self) -> None:
        """Cut the connection at once."""
        self.transport.abortConnection()


def _raw(answer: Answer, request_id: str) -> bytes:
    reason = _REASONS.get(answer.status, b"Request Header Fields Too Large")
    return (
        b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"X-Openstack-Request-Id: %s\r\nConnection: close\r\n\r\n%s"
    ) % (answer.status, reason, len(answer.body), request_id.encode(), answer.body)


_access_log = Logger(namespace="quantumd.api.access")


class ApiSite(Site):
    """Every connection of the API, and what all of them share.

    ``identify(request_id, headers, is_loopback, peer)`` tells who asks, at once or later; ``new_request_id`` returns
    ``req-`` and a new UUID.
    """

    protocol: Any = ApiChannel
    requestFactory = ApiRequest

    def __init__(
        self,
        resource: IResource,
        *,
        reactor: Any,
        identify: Identify,
        new_request_id: Callable[[], str],
        metrics: ApiMetrics,
        body_limit_bytes: int,
        idle_seconds: float = 75.0,
        cors: Cors | None = None,
    ) -> None:
        super().__init__(resource, reactor=reactor, timeout=idle_seconds, parsePOSTFormSubmission=False)
        self.reactor: Any = reactor
        self.identify = identify
        self.new_request_id = new_request_id
        self.body_limit_bytes = body_limit_bytes
        self.channels: set[ApiChannel] = set()
        self.is_draining = False
        self.cors = cors
        self._metrics = metrics
        self._measured: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def startFactory(self) -> None:
        """Open no log file: requests are logged as events."""

    def stopFactory(self) -> None:
        """Nothing was opened."""

    def getContentFile(self, length: int | None) -> BinaryIO:
        """Return where a body is kept: in memory, which the limit makes safe."""
        return BytesIO()

    def started(self, request: ApiRequest) -> None:
        """Count a request that has come in whole."""
        self._metrics.requests_in_progress.inc()

    def log(self, request: Any) -> None:
        """Count and log a request that is answered. Twisted calls it."""
        if request.has_arrived:
            self._ended(request, request.code)

    def left(self, request: ApiRequest) -> None:
        """Count and log a request whose client has left before its answer (status 499 in logs and counters)."""
        self._ended(request, 499)

    def refused(self, status: int, request_id: str, why: str) -> None:
        """Count and log a request that was refused before it was read."""
        self._metrics.requests.labels("other", "other", str(status)).inc()
        _access_log.info("refused", status=status, why=why, request_id=request_id)

    def _measures(self, method: str, resource: str, status: int) -> tuple[Counter, Histogram]:
        key = (method, resource, status)
        if key not in self._measured:
            count = self._metrics.requests.labels(method, resource, str(status))
            self._measured[key] = (count, self._metrics.request_seconds.labels(method))
        return self._measured[key]

    def _ended(self, request: ApiRequest, status: int) -> None:
        seconds = self.reactor.seconds() - request.arrived_seconds
        method = request.method.decode("ascii", "replace")
        label = method if method in _METHODS else "other"
        self._metrics.requests_in_progress.dec()
        count, duration = self._measures(label, request.resource_label, status)
        count.inc()
        duration.observe(seconds)
        # Without the query string, which may hold what is nobody's business.
        _access_log.info(
            "answered",
            method=method,
            path=request.path.decode("ascii", "replace"),
            status=status,
            ms=round(seconds * 1000, 2),
            **_who(request.context),
        )


def _who(context: Context) -> dict[str, str]:
    # Every field costs time on each request, so what is not known is not logged.
    fields = {"request_id": context.request_id}
    if context.global_request_id is not None:
        fields["global_request_id"] = context.global_request_id
    if context.project_id is not None:
        fields["project"] = context.project_id
    return fields
