"""A light HTTP load: many keep-alive connections driven by one epoll loop, so that the server is what is measured.

``python -m bench.bars.load`` reads a JSON object from its input: ``port`` on 127.0.0.1, ``clients``, ``count``, and
``requests``, a list of [method, path, body, headers] that are made in turn until there were ``count``. It prints one
JSON object: seconds, statuses, latencies in milliseconds (p50, p99, max), and how many first fixed IPs the answers
named.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from attrs import define, field

_LIMIT_SECONDS = 120.0


@define(eq=False)
class Client:
    """One connection: one request at a time."""

    connection: socket.socket
    began: float = 0.0
    received: bytearray = field(factory=bytearray)

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self.began = time.monotonic()
        self.received.clear()
        self.connection.sendall(request)

    def take(self) -> bytes | None:
        """Read what has come; return the whole answer when it is there."""
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("the server closed a connection")
        self.received += data
        head, separator, body = bytes(self.received).partition(b"\r\n\r\n")
        if not separator:
            return None
        length = _content_length(head.lower())
        return bytes(self.received) if len(body) >= length else None


def _content_length(head: bytes) -> int:
    at = head.find(b"content-length:")
    # An answer without a body (204, 304) need not say how long it is.
    return 0 if at < 0 else int(head[at + 15 :].partition(b"\r\n")[0])


def run(port: int, clients: int, count: int, requests: Sequence[bytes]) -> dict[str, Any]:
    """Make ``count`` requests, those given in turn; return what is printed."""
    supply = cycle(requests)
    selector = selectors.EpollSelector()
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    addresses: list[str] = []
    everyone = [Client(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(clients)]
    left = count
    began = time.monotonic()
    for client in everyone[:count]:
        selector.register(client.connection, selectors.EVENT_READ, client)
        client.ask(next(supply))
        left -= 1
    while len(latencies) < count:
        if time.monotonic() - began > _LIMIT_SECONDS:
            raise TimeoutError(f"only {len(latencies)} of {count} answers within {_LIMIT_SECONDS} s")
        for key, _ in selector.select(1.0):
            answer = key.data.take()
            if answer is None:
                continue
            latencies.append(time.monotonic() - key.data.began)
            statuses[answer[9:12].decode()] += 1
            at = answer.find(b'"ip_address":"')
            addresses.append(answer[at + 14 : answer.find(b'"', at + 14)].decode() if at >= 0 else "")
            if left:
                left -= 1
                key.data.ask(next(supply))
    seconds = time.monotonic() - began
    latencies.sort()
    return {
        "seconds": seconds,
        "statuses": statuses,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "max_ms": latencies[-1] * 1000,
        "distinct_addresses": len(set(addresses)),
    }


def request_bytes(method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> bytes:
    """Return a request as it travels."""
    content = body.encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {text}" for name, text in (headers or {}).items()),
    ]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    given = [request_bytes(*each) for each in wanted["requests"]]
    print(json.dumps(run(wanted["port"], wanted["clients"], wanted["count"], given)))
