"""What the REST layer costs: CPU of the reactor thread per small request, without a database.

``python -m bench.api [REQUESTS [CONNECTIONS]]`` starts a server of widgets (an attribute map like a port's, in memory,
with its log lines and counters) on a loopback socket, sends requests on kept connections, and prints what the server's
process used. The bar: a create under 350 µs beyond the store.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import orjson
from attrs import frozen

NETWORK = "71a4ee93-4cbb-470f-9a3d-dd87ad57c539"
FIRST = "/v2.0/widgets/00000000-0000-0000-0000-000000000001"
_TICKS = os.sysconf("SC_CLK_TCK")


@frozen
class Result:
    """What one kind of request cost."""

    name: str
    requests: int
    seconds: float
    cpu_seconds: float

    def line(self) -> str:
        """Return the table's line."""
        rate = self.requests / self.seconds
        return f"{self.name:<28} {self.requests:>8} {rate:>10.0f} {self.cpu_seconds / self.requests * 1e6:>14.0f}"


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:9696\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _receive(connection: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status >= 400:
        raise RuntimeError(data.decode(errors="replace"))
    length = next((int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    missing = length - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))


def _send(address: tuple[str, int], request: bytes, count: int) -> None:
    with socket.create_connection(address) as connection:
        for _ in range(count):
            connection.sendall(request)
            _receive(connection)


def _cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def measure(name: str, pid: int, address: tuple[str, int], request: bytes, count: int, connections: int) -> Result:
    """Send ``count`` requests over ``connections`` kept connections and return what the server's process used."""
    each = count // connections
    threads = [threading.Thread(target=_send, args=(address, request, each)) for _ in range(connections)]
    cpu, started = _cpu_seconds(pid), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Result(name, each * connections, time.monotonic() - started, _cpu_seconds(pid) - cpu)


def _serve(listening: socket.socket) -> subprocess.Popen[str]:
    launcher = (
        "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_FDS'] = '1';"
        "os.execv(sys.executable, [sys.executable, '-m', 'tests.api.serve_widgets', '--log'])"
    )
    command = [sys.executable, "-c", launcher, str(listening.fileno())]
    server = subprocess.Popen(command, pass_fds=(listening.fileno(),), stdout=subprocess.PIPE, text=True)
    if server.stdout is None or server.stdout.readline() != "ready\n":
        raise RuntimeError("the server did not start")
    return server


def pace() -> float:
    """Return the CPU seconds of a fixed piece of work, so that figures of a busy or slow machine can be compared."""
    started = time.process_time()
    sum(range(10_000_000))
    return time.process_time() - started


def main(arguments: Sequence[str]) -> None:
    """Measure and print the table."""
    count = int(arguments[0]) if arguments else 4000
    connections = int(arguments[1]) if len(arguments) > 1 else 8
    body = orjson.dumps(
        {"widget": {"network_id": NETWORK, "name": "a", "mac_address": "fa:16:3e:00:00:01", "admin_state_up": True}}
    )
    kinds = {
        "create": _request("POST", "/v2.0/widgets", body),
        "show": _request("GET", FIRST),
        "update": _request("PUT", FIRST, b'{"widget": {"name": "b"}}'),
        "healthz": _request("GET", "/healthz"),
    }
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    server = _serve(listening)
    try:
        print(f"pace of this machine now: {pace():.3f} s (0.215 s is the machine of record when it is idle)")
        print(f"{'request':<28} {'requests':>8} {'per second':>10} {'CPU µs/request':>14}")
        for name, request in kinds.items():
            measure(name, server.pid, listening.getsockname(), request, count // 10, connections)
            print(measure(name, server.pid, listening.getsockname(), request, count, connections).line())
    finally:
        server.kill()
        server.communicate()


if __name__ == "__main__":
    main(sys.argv[1:])
