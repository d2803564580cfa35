"""HTTP in memory: bytes in, bytes out, through the very channel, site and application that serve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from attrs import define, field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from quantumd.api.app import Api, make_app
from quantumd.api.channel import ApiChannel, ApiSite
from quantumd.api.cors import cors_of
from quantumd.api.extensions.aliases import CORE_EXTENSIONS
from quantumd.api.extensions.features import Served
from quantumd.api.identity import identify
from quantumd.config import ApiSettings
from quantumd.metrics import Metrics
from quantumd.store.memory import MemoryStore
from tests.api.widgets import Widgets, widget_policy, widget_resource

REQUEST_ID = "req-00000000-0000-4000-8000-000000000001"


@frozen
class Reply:
    """One answer as the client got it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, type and message of an error."""
        error = self.json["NeutronError"]
        return self.status, error["type"], error["message"]


def parse_replies(data: bytes) -> list[Reply]:
    """Return the answers in what a server sent; chunked bodies are put together."""
    replies = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        if headers.get("transfer-encoding") == "chunked":
            body, data = _unchunk(data)
        else:
            length = int(headers.get("content-length", "0"))
            body, data = data[:length], data[length:]
        replies.append(Reply(int(lines[0].split()[1]), headers, body))
    return replies


def _unchunk(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        chunk, data = data[:length], data[length + 2 :]
        if not length:
            return body, data
        body += chunk


async def _ready() -> Sequence[str]:
    return ()


@define
class Wire:
    """An API over widgets, and a client's end of connections to it."""

    widgets: Widgets = field(factory=Widgets)
    clock: Clock = field(factory=Clock)
    metrics: Metrics = field(factory=Metrics)
    store: Any = field(factory=MemoryStore)
    readiness: Callable[[], Awaitable[Sequence[str]]] = _ready
    body_limit_bytes: int = 10_000
    peer: str = "127.0.0.1"
    identify: Any = identify
    settings: ApiSettings = field(factory=ApiSettings)
    site: ApiSite = field(init=False)

    @site.default
    def _site(self) -> ApiSite:
        api = Api(
            served=Served((widget_resource(self.widgets),), (), CORE_EXTENSIONS, lambda *_: None),
            store=self.store,
            readiness=self.readiness,
            metrics=self.metrics,
            reactor=self.clock,
            bulk_limit=3,
            version="1.0",
            settings=self.settings,
            policy=widget_policy(),
        )
        return ApiSite(
            make_app(api),
            reactor=self.clock,
            identify=self.identify,
            new_request_id=lambda: REQUEST_ID,
            metrics=self.metrics.api,
            body_limit_bytes=self.body_limit_bytes,
            cors=cors_of(self.settings.cors_allowed_origins, self.settings.cors_max_age_seconds),
        )

    def connect(self) -> tuple[ApiChannel, StringTransportWithDisconnection]:
        """Return the server's channel of a new connection, and the transport on which it writes."""
        channel: Any = self.site.buildProtocol(None)
        transport = StringTransportWithDisconnection(peerAddress=IPv4Address("TCP", self.peer, 4000))
        transport.protocol = channel
        channel.makeConnection(transport)
        return channel, transport

    def send(self, data: bytes) -> list[Reply]:
        """Send bytes on a new connection and return what came back."""
        channel, transport = self.connect()
        channel.dataReceived(data)
        replies = parse_replies(transport.value())
        if replies and transport.connected:
            # Else its time limits would stay with the clock.
            transport.loseConnection()
        return replies

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Send one request; ``body`` is sent as it is when it is bytes, else as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        lines = [f"{method} {path} HTTP/1.1", "Host: api.example:9696", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        replies = self.send("\r\n".join([*lines, "", ""]).encode() + content)
        return replies[0]

    def create(self, headers: Mapping[str, str] | None = None, **attributes: Any) -> Reply:
        """Create a widget on the usual network."""
        return self.request("POST", "/v2.0/widgets", {"widget": {"network_id": NETWORK, **attributes}}, headers)


NETWORK = "71a4ee93-4cbb-470f-9a3d-dd87ad57c539"
MEMBER = {"X-Project-Id": "p1", "X-Roles": "member"}
