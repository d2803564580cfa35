"""One HTTP request: who asks, when it came, and how its answer leaves."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES, datetimeToString
from twisted.web.server import Request, version

from quantumd.api.answers import Answer, answer_to
from quantumd.api.errors import HTTPBadRequest, PayloadTooLarge
from quantumd.api.identity import anybody, is_open
from quantumd.api.links import base_url
from quantumd.errors import ApiError
from quantumd.model.context import Context

if TYPE_CHECKING:
    from quantumd.api.channel import ApiChannel


class ApiRequest(Request):
    """A request with its context. The body is in memory and never larger than the limit of the site."""

    log = Logger()
    defaultContentType = None
    channel: ApiChannel
    context: Context
    arrived_seconds = 0.0
    """When the request was complete, on the reactor's clock."""
    has_arrived = False
    """Whether the request is complete."""
    resource_label = "other"
    """What was asked for, as the request counter calls it: a collection's name or that of a document."""
    path_text = "/"
    """The path decoded, without a ``.json`` suffix or a slash at its end."""
    running: Deferred[Any] | None = None
    """What answers, while it does; cancelled when the client leaves."""
    is_gone = False
    """Whether the client has left before its answer was complete."""
    _is_refused = False
    _body_bytes = 0

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body; the request is refused as soon as the body is larger than it may be."""
        if self._is_refused:
            return
        self._body_bytes += len(data)
        limit = self.channel.site.body_limit_bytes
        if self._body_bytes > limit:
            self._is_refused = True
            self.channel.refuse(PayloadTooLarge(limit))
            return
        super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """The request is complete. Forms and arguments are left unread: nothing here takes them from Twisted."""
        if self._is_refused:
            return
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        if self.content is not None:
            self.content.seek(0)
        self.process()

    def process(self) -> None:
        """Make the context, at once where that is possible, tidy the path and let the application answer."""
        site = self.channel.site
        self.has_arrived = True
        self.arrived_seconds = site.reactor.seconds()
        request_id = site.new_request_id()
        self.responseHeaders.setRawHeaders(b"X-Openstack-Request-Id", [request_id.encode()])
        if site.cors is not None:
            site.cors.mark(self)
        tidy = tidy_path(self.path)
        self.path_text = tidy or "/"
        if tidy is None or is_open(self.method, tidy):
            self.context = anybody(request_id, self.requestHeaders)
            site.started(self)
            if tidy is None:
                self._refuse(HTTPBadRequest("The path is not UTF-8 text"))
            else:
                self._render()
        else:
            self._identify(request_id)

    def _identify(self, request_id: str) -> None:
        site = self.channel.site
        try:
            found = site.identify(request_id, self.requestHeaders, self.channel.is_loopback, self.channel.peer)
        except Exception as error:  # noqa: BLE001 - the root of a request: a bug is answered and logged below
            found = fail(error)
        if isinstance(found, Context):
            self.context = found
            site.started(self)
            self._render()
            return
        self.context = anybody(request_id, self.requestHeaders)
        site.started(self)
        self.running = found
        found.addCallback(self._identified)
        found.addErrback(self._unidentified)

    def _identified(self, context: Context) -> None:
        self.running = None
        self.context = context
        self._render()

    def _render(self) -> None:
        """Let the application answer. It is the only resource, so it need not be looked for as Twisted does."""
        if self.path == b"*":
            super().process()
            return
        site = self.channel.site
        self.responseHeaders.setRawHeaders(b"Server", [version])
        self.responseHeaders.setRawHeaders(b"Date", [_http_date(int(time.time()))])
        site.resource.render(self)

    def _unidentified(self, failure: Failure) -> None:
        self.running = None
        if self.is_gone:
            return
        error: Any = failure.value
        answer = answer_to(error)
        if answer.is_bug:
            self.log.failure("request {request_id} failed", failure, request_id=self.context.request_id)
        self.answer(answer)
        self.finish()

    def _refuse(self, error: ApiError) -> None:
        self.answer(answer_to(error))
        self.finish()

    @property
    def query_string(self) -> bytes:
        """The part of the URL after the question mark, as it came."""
        return self.uri.partition(b"?")[2]

    def write(self, data: bytes) -> None:
        """Write a piece of the answer; one that is as long as the head says goes out in one piece with the head."""
        if self.startedWriting or self._disconnected or self.finished or self._has_no_body:
            super().write(data)
            return
        length = self.responseHeaders.getRawHeaders(b"Content-Length")
        if length is None or length[0] != b"%d" % len(data):
            super().write(data)
            return
        self.startedWriting = 1
        self.sentLength = len(data)
        self.channel.write_whole(self.clientproto, self.code, self.code_message, self.responseHeaders, data)

    @property
    def _has_no_body(self) -> bool:
        return self.method == b"HEAD" or self.code in NO_BODY_CODES

    def base_url(self, prefix: str = "") -> str:
        """Return what links to this API begin with, as the caller finds it; ``prefix`` is that of the settings."""
        texts = (self.requestHeaders.getRawHeaders(name) for name in (b"Host", b"X-Forwarded-Proto"))
        host, forwarded = (lines[-1].decode("ascii", "replace") if lines else None for lines in texts)
        return base_url(host, "https" if self.isSecure() else "http", forwarded, prefix)

    def body(self) -> bytes:
        """Return the body."""
        content: Any = self.content
        return bytes(content.read())

    def show(self, status: int, body: bytes) -> bytes:
        """Set status and headers for a JSON body, and return it for the application to write."""
        self.setResponseCode(status)
        headers = self.responseHeaders
        headers.setRawHeaders(b"Content-Type", [b"application/json"])
        headers.setRawHeaders(b"Content-Length", [b"%d" % len(body)])
        return body

    def answer(self, answer: Answer) -> None:
        """Write an answer whose body is complete."""
        for name, value in answer.headers:
            self.setHeader(name, value)
        self.write(self.show(answer.status, answer.body))

    def break_off(self, failure: Failure) -> None:
        """Cut the connection in the middle of an answer, so that nobody takes half of it for the whole."""
        self.log.failure("answer broken off", failure, request_id=self.context.request_id)
        self.channel.abort()

    def connectionLost(self, reason: Failure) -> None:
        """The client has left."""
        self.is_gone = True
        if self.has_arrived and not self.finished:
            self.channel.site.left(self)
        super().connectionLost(reason)
        if self.running is not None:
            self.running.cancel()


@lru_cache(maxsize=1)
def _http_date(second: int) -> bytes:
    text: bytes = datetimeToString(second)
    return text


def tidy_path(path: bytes) -> str | None:
    """Return the path decoded, without a ``.json`` suffix or a slash at its end; None when it is not UTF-8."""
    try:
        text = (unquote_to_bytes(path) if b"%" in path else path).decode()
    except UnicodeDecodeError:
        return None
    return text.removesuffix(".json").rstrip("/") or "/"
