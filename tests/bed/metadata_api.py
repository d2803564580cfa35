"""A stand-in for Nova's metadata API, in a network namespace: it says what it was told, and whether it believes it."""

from __future__ import annotations

import hmac
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field

from quantumd.edge.netns import inside

PORT = 8775
SECRET = "told to nobody else"

WELL = "well"
HANGS = "hangs"
"""Requests are read and never answered."""
CLOSES = "closes"
"""Requests are read, and the connection closed without an answer."""
BREAKS = "breaks"
"""Answers break off in their body."""
BABBLES = "babbles"
"""Answers are none."""


@define(eq=False)
class MetadataApi:
    """Listens on the loopback of a namespace. ``/large/N`` is an answer of N bytes, ``/chunked/N`` one in chunks."""

    namespace: str
    tls: ssl.SSLContext | None = None
    mood: str = WELL
    requests: list[dict[str, str]] = field(factory=list, init=False)
    """The headers of each request, names in lower case."""
    _server: ThreadingHTTPServer | None = field(default=None, init=False)
    connections: list[socket.socket] = field(factory=list, init=False)

    def start(self) -> None:
        """Begin."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self), bind_and_activate=False)
        server.socket.close()
        server.daemon_threads = True
        server.socket = _listening(self.namespace)
        if self.tls is not None:
            server.socket = self.tls.wrap_socket(server.socket, server_side=True)
        self._server = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """End; harmless when it has not begun."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in self.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.connections.clear()


def _listening(namespace: str) -> socket.socket:
    made: list[socket.socket] = []

    def listen() -> None:
        descriptor = inside.open_named(namespace)
        assert descriptor is not None
        inside.enter(descriptor)
        made.append(socket.create_server(("127.0.0.1", PORT), backlog=128))

    # A thread that was in another namespace does nothing else afterwards.
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    return made[0]


def _handler(api: MetadataApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            api.connections.append(self.connection)

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PUT = do_GET

        def _answer(self) -> None:
            api.requests.append({name.lower(): value for name, value in self.headers.items()})
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if api.mood == HANGS:
                time.sleep(60)
            if api.mood == BABBLES:
                self.wfile.write(b"what?\r\n\r\n")
            if api.mood in (HANGS, CLOSES, BABBLES):
                self.close_connection = True
                return
            verb, _, size = self.path.strip("/").partition("/")
            if verb == "chunked":
                self._chunks(int(size))
            else:
                self._send(b"x" * int(size) if verb == "large" else self._told(body))

        def _told(self, body: bytes) -> bytes:
            said = self.headers
            instance = said.get("X-Instance-ID", "")
            right = hmac.new(SECRET.encode(), instance.encode(), sha256).hexdigest()
            return json.dumps({
                "instance": instance,
                "project": said.get("X-Tenant-ID"),
                "address": said.get("X-Forwarded-For"),
                "is_signed": said.get("X-Instance-ID-Signature") == right,
                "path": self.path,
                "body": len(body),
                "digest": sha256(body).hexdigest(),
            }).encode()  # fmt: skip

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if api.mood == BREAKS:
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            self.wfile.write(body)

        def _chunks(self, size: int) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, size, 10_000):
                piece = b"y" * min(10_000, size - at)
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

    return Handler
