"""A client's end of a stream of events, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from attrs import define, field, frozen
from twisted.internet.testing import StringTransportWithDisconnection

from quantumd.api.channel import ApiChannel
from tests.api.everything import Everything


@frozen
class Told:
    """One event as the client got it."""

    id: int
    name: str
    data: Any


def dechunk(body: bytes) -> tuple[bytes, bool]:
    """Return what of a chunked body has come, and whether that is all of it."""
    content = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return content, True
        content, body = content + body[:length], body[length + 2 :]
    return content, False


def parse_events(content: bytes) -> tuple[list[Told], int | None]:
    """Return the events of a stream, and the last id as a browser keeps it (HTML, 9.2.6)."""
    events, last_id = [], None
    for block in content.split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if line and not line.startswith(b":"))
        if b"id" in fields:
            last_id = int(fields[b"id"])
        if b"data" in fields and last_id is not None:
            events.append(Told(last_id, fields[b"event"].decode(), orjson.loads(fields[b"data"])))
    return events, last_id


@define
class Listener:
    """One stream."""

    channel: ApiChannel
    transport: StringTransportWithDisconnection
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def status(self) -> int:
        """The status code of the answer."""
        return int(self.transport.value().split(b" ", 2)[1])

    @property
    def head(self) -> dict[str, str]:
        """The headers of the answer."""
        lines = self.transport.value().partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def content(self) -> bytes:
        """What has come."""
        return dechunk(self.transport.value().partition(b"\r\n\r\n")[2])[0]

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended, or was cut."""
        return dechunk(self.transport.value().partition(b"\r\n\r\n")[2])[1] or not self.transport.connected

    @property
    def events(self) -> list[Told]:
        """The events."""
        return parse_events(self.content)[0]

    @property
    def last_id(self) -> int | None:
        """Where to resume."""
        return parse_events(self.content)[1]

    @property
    def names(self) -> list[str]:
        """The names of the events."""
        return [each.name for each in self.events]

    def leave(self) -> None:
        """Close the connection."""
        self.transport.loseConnection()


def listen(api: Everything, headers: Mapping[str, str], query: str = "", method: str = "GET", **more: str) -> Listener:
    """Ask for events; ``more`` are headers, with ``_`` for ``-``."""
    channel, transport = api.wire.connect()
    said = {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}
    lines = [f"{method} /v2.0/events{query} HTTP/1.1", "Host: x", *(f"{key}: {text}" for key, text in said.items())]
    channel.dataReceived("\r\n".join([*lines, "", ""]).encode())
    return Listener(channel, transport)
