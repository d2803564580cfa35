"""Clients of ``/v2.0/events`` in one epoll loop, and a writer beside them in a thread.

``python -m bench.bars.event_load`` reads a JSON object from its input: ``port`` on 127.0.0.1; ``streams``, a list of
headers, and ``silent``, such a list of streams that are told nothing; ``network_id`` and ``headers`` of the one who
changes it; ``writes`` and ``per_second``. Each write says in the network's description when it was sent. It prints one
JSON object: delays in milliseconds from a write's sending to its event (p50, p99, max), how many events came of how
many expected, and the seconds that the writes took.
"""

from __future__ import annotations

import http.client
import json
import re
import selectors
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

_SENT = re.compile(rb'"after":\{[^}]*?"description":"at-(\d+)"')
_AFTER_SECONDS = 10.0
_LONGEST_EVENT = 8192


@define(eq=False)
class Stream:
    """One client: what has come and is not looked at yet."""

    connection: socket.socket
    rest: bytes = b""

    def take(self) -> list[float]:
        """Read what has come; return when the writes that it tells of were sent."""
        data = self.connection.recv(262_144)
        if not data:
            raise ConnectionError("the server ended a stream")
        text = self.rest + data
        whole, _, self.rest = text.rpartition(b"\n\n")
        if len(self.rest) > _LONGEST_EVENT:
            raise ConnectionError("this is no stream of events")
        return [int(each) / 1e6 for each in _SENT.findall(whole)]


@define
class Writer:
    """Changes a network so often a second."""

    port: int
    network_id: str
    headers: Mapping[str, str]
    writes: int
    per_second: float
    seconds: float = 0.0
    is_done: threading.Event = field(factory=threading.Event)

    def run(self) -> None:
        """Write."""
        connections = [http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)]
        began = time.monotonic()
        for number in range(self.writes):
            time.sleep(max(0.0, began + number / self.per_second - time.monotonic()))
            body = {"network": {"description": f"at-{int(time.monotonic() * 1e6)}"}}
            said = {**self.headers, "Content-Type": "application/json"}
            connections[0].request("PUT", f"/v2.0/networks/{self.network_id}", json.dumps(body), said)
            connections[0].getresponse().read()
        self.seconds = time.monotonic() - began
        self.is_done.set()


def open_streams(port: int, headers: Sequence[Mapping[str, str]]) -> list[Stream]:
    """Open one stream for each of the headers."""
    streams = []
    for each in headers:
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        lines = ["GET /v2.0/events HTTP/1.1", "Host: x", *(f"{name}: {text}" for name, text in each.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\nid: " not in connection.recv(65_536):
            pass
        streams.append(Stream(connection))
    return streams


def run(
    port: int, streams: Sequence[Mapping[str, str]], silent: Sequence[Mapping[str, str]], **writer: Any
) -> dict[str, Any]:
    """Open the streams, write, and return what is printed."""
    selector = selectors.EpollSelector()
    for each in open_streams(port, silent):
        selector.register(each.connection, selectors.EVENT_READ, each)
    for each in open_streams(port, streams):
        selector.register(each.connection, selectors.EVENT_READ, each)
    works = Writer(port, **writer)
    delays: list[float] = []
    expected = len(streams) * works.writes
    threading.Thread(target=works.run, daemon=True).start()
    ends_at: float | None = None
    while len(delays) < expected and (ends_at is None or time.monotonic() < ends_at):
        for key, _ in selector.select(0.1):
            now = time.monotonic()
            delays += [now - sent for sent in key.data.take()]
        if works.is_done.is_set() and ends_at is None:
            ends_at = time.monotonic() + _AFTER_SECONDS
    delays.sort()
    return {
        "p50_ms": delays[len(delays) // 2] * 1000,
        "p99_ms": delays[int(len(delays) * 0.99)] * 1000,
        "max_ms": delays[-1] * 1000,
        "events": len(delays),
        "expected": expected,
        "seconds": works.seconds,
    }


if __name__ == "__main__":
    print(json.dumps(run(**json.load(sys.stdin))))
