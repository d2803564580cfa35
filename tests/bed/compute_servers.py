"""A stand-in for Nova's API, as Horizon asks it beside the network's: which servers a project has. On the loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field

_VERSION = {"id": "v2.1", "status": "CURRENT", "version": "2.1", "min_version": "2.1", "links": []}


@define(eq=False)
class ComputeServers:
    """Answers lists of servers, and that it is version 2.1 without microversions; all else is not found."""

    servers: dict[str, str] = field(factory=dict)
    """The names of all servers there are, by id."""
    unknown: list[str] = field(factory=list, init=False)
    """The paths that were asked for and not found."""
    _server: ThreadingHTTPServer | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The root of the API."""
        return f"http://127.0.0.1:{self._server.server_address[1] if self._server else 0}/v2.1"

    def start(self) -> None:
        """Serve."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Serve no longer; harmless when it never did."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str) -> Any:
        """Return what a path without its query answers, or None."""
        if path.rstrip("/") == "/v2.1":
            return {"version": _VERSION}
        if path == "/v2.1/servers":
            return {"servers": [{"id": one, "name": name, "links": []} for one, name in self.servers.items()]}
        self.unknown.append(path)
        return None


def _handler(api: ComputeServers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            said = api.answer(urlsplit(self.path).path)
            content = json.dumps(said or {}).encode()
            self.send_response(200 if said else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
