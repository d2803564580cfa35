"""A light HTTP load: many keep-alive connections driven by one epoll loop, so that the server is what is measured.

``python -m bench.bars.load PORT CLIENTS REQUESTS PATH BODY`` makes requests to 127.0.0.1 and prints one JSON object:
seconds, statuses, latencies in milliseconds (p50, p99), and what the answers' first fixed IPs were.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
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
        at = head.lower().index(b"content-length:") + 15
        length = int(head[at : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None])
        return bytes(self.received) if len(body) >= length else None


def run(port: int, clients: int, requests: int, request: bytes) -> dict[str, Any]:
    """Make the requests; return what is printed."""
    selector = selectors.EpollSelector()
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    addresses: list[str] = []
    everyone = [Client(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(clients)]
    left = requests
    began = time.monotonic()
    for client in everyone[:requests]:
        selector.register(client.connection, selectors.EVENT_READ, client)
        client.ask(request)
        left -= 1
    while len(latencies) < requests:
        if time.monotonic() - began > _LIMIT_SECONDS:
            raise TimeoutError(f"only {len(latencies)} of {requests} answers within {_LIMIT_SECONDS} s")
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
                key.data.ask(request)
    seconds = time.monotonic() - began
    latencies.sort()
    return {
        "seconds": seconds,
        "statuses": statuses,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p99_ms": latencies[int(len(latencies) * 0.99)] * 1000,
        "distinct_addresses": len(set(addresses)),
    }


def request_bytes(method: str, path: str, body: str) -> bytes:
    """Return a request as it travels."""
    content = body.encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


if __name__ == "__main__":
    port, clients, requests, path, body = sys.argv[1:]
    print(json.dumps(run(int(port), int(clients), int(requests), request_bytes("POST", path, body))))
