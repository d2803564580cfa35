"""Something in Keystone's place that repeats what it was sent, in all the ways in which an answer can be wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAYS = ("error", "refusal", "forbidden", "nonsense", "document", "headers", "redirection", "cut", "long")
"""What it does with a question; ``cut`` breaks off in the middle."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    way = "error"
    own_token = ""

    def do_POST(self) -> None:
        """Log quantumd's own user in."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        end = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        document = {"token": {"user": {"id": "u"}, "expires_at": end}}
        self._answer(201, json.dumps(document), {"X-Subject-Token": type(self).own_token})

    def do_GET(self) -> None:
        """Repeat what was sent."""
        sent = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        error = json.dumps({"error": {"title": "Broken", "message": sent}})
        match type(self).way:
            case "error":
                self._answer(500, error)
            case "refusal":
                self._answer(401, error)
            case "forbidden":
                self._answer(403, error)
            case "nonsense":
                self._answer(200, sent)
            case "document":
                self._answer(200, json.dumps({"token": {"user": {"id": [sent]}, "expires_at": sent}}))
            case "headers":
                self._answer(599, error, {"X-Subject-Token": self.headers.get("X-Subject-Token", "")})
            case "redirection":
                self._answer(302, error, {"Location": f"http://elsewhere.example/{sent.splitlines()[-1]}"})
            case "long":
                self._answer(200, sent * 20_000)
            case _:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + sent.encode())
                self.close_connection = True

    def _answer(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class EchoingKeystone:
    """Serves on the loopback; ``way`` is one of WAYS."""

    def __init__(self, own_token: str) -> None:
        self._handler = type("Handler", (_Handler,), {"own_token": own_token})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler)

    @property
    def url(self) -> str:
        """The root of its API."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v3"

    def go(self, way: str) -> None:
        """Answer in this way from now on."""
        setattr(self._handler, "way", way)  # noqa: B010 - the type is made at run time

    @contextmanager
    def running(self) -> Iterator[EchoingKeystone]:
        """Serve for a while."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
