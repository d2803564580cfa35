"""A stand-in for Nova's API: it only records the events that it is told. In memory, or on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from attrs import define, field

Answer: TypeAlias = tuple[int, dict[str, str], bytes]

WELL = "well"
BROKEN = "broken"
"""Every request is answered 500."""
HANGS = "hangs"
"""Requests are read and never answered."""
CLOSES = "closes"
"""Requests are read, and the connection closed without an answer."""

PATH = "/v2.1/os-server-external-events"


@define(eq=False)
class ComputeApi:
    """Nova's os-server-external-events as far as clients see it; ``answer`` answers a request."""

    mood: str = WELL
    known: set[str] | None = None
    """The servers there are; None is any."""
    homeless: set[str] = field(factory=set)
    """Servers that have no host."""
    senseless: set[str] = field(factory=set)
    """Servers that make a request one that Nova does not understand."""
    is_good: Callable[[str], bool] = lambda token: True
    """Whether a token is good."""
    said: list[dict[str, str]] = field(factory=list)
    """Every event of every request, answered or not, in order."""
    acknowledged: list[dict[str, str]] = field(factory=list)
    """The events of the requests that were answered well, in order."""
    batches: list[list[dict[str, str]]] = field(factory=list)
    """The same by request."""
    requests: list[dict[str, str]] = field(factory=list)
    """The headers of each request."""

    delay_seconds: float = 0.0
    """How long answers take, on the loopback."""
    is_asked: bool = False
    """Whether an answer is being thought of, on the loopback."""

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer | None:
        """Answer a request; None is no answer."""
        if (method, path) != ("POST", PATH):
            return 404, {}, b"<html>not found</html>"
        self.requests.append(headers)
        if not self.is_good(headers.get("X-Auth-Token", "")):
            return 401, {}, b'{"error": {"code": 401}}'
        events = json.loads(body)["events"]
        self.said += events
        if self.mood == BROKEN:
            return 500, {}, b'{"computeFault": {"code": 500}}'
        if self.mood != WELL:
            return None
        if self.senseless.intersection(event["server_uuid"] for event in events):
            return 400, {}, b'{"badRequest": {"code": 400}}'
        self.acknowledged += events
        self.batches.append(events)
        told = [{**event, "code": self._code(event["server_uuid"])} for event in events]
        status = 207 if any(each["code"] != 200 for each in told) else 200
        return status, {"Content-Type": "application/json"}, json.dumps({"events": told}).encode()

    def _code(self, server_id: str) -> int:
        if self.known is not None and server_id not in self.known:
            return 404
        return 422 if server_id in self.homeless else 200

    def names(self) -> list[str]:
        """Return the names of the events acknowledged, in order."""
        return [event["name"] for event in self.acknowledged]


@define(eq=False)
class ComputeServer:
    """A ComputeApi on the loopback, on a port that it keeps while it is away."""

    api: ComputeApi = field(factory=ComputeApi)
    port: int = field(default=0, init=False)
    _server: ThreadingHTTPServer | None = field(default=None, init=False)
    _over: threading.Event = field(factory=threading.Event, init=False)

    @property
    def url(self) -> str:
        """The root of the API."""
        return f"http://127.0.0.1:{self.port}/v2.1"

    def start(self) -> None:
        """Serve."""
        self._over.clear()
        self._server = _Server(("127.0.0.1", self.port), _handler(self.api, self._over))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Be away: connections are refused. Harmless when it is already."""
        self._over.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(api: ComputeApi, over: threading.Event) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                api.is_asked = True
                over.wait(api.delay_seconds)
                mood = api.mood
                answer = api.answer("POST", self.path, dict(self.headers.items()), body)
                api.is_asked = False
            if answer is None:
                if mood == HANGS:
                    over.wait(60)
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            if over.is_set():
                self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
