"""Run in a VM: asks for metadata over several connections at once, and prints how long each answer took, as JSON.

Arguments: how many connections, how many requests in all, and ``kept`` or ``new`` for a connection for each request.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

_REQUEST = b"GET /openstack/latest/meta_data.json HTTP/1.1\r\nHost: 169.254.169.254\r\n%s\r\n"
_LIMIT_SECONDS = 20.0


async def _client(count: int, is_kept: bool, taken: list[float], wrong: list[str]) -> None:
    request = _REQUEST % (b"" if is_kept else b"Connection: close\r\n")
    reader = writer = None
    for _ in range(count):
        began = time.monotonic()
        if reader is None or writer is None:
            reader, writer = await asyncio.open_connection("169.254.169.254", 80)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
        await reader.readexactly(length)
        taken.append(time.monotonic() - began)
        if not head.startswith(b"HTTP/1.1 200 "):
            wrong.append(head.partition(b"\r\n")[0].decode())
        if not is_kept:
            writer.close()
            reader = writer = None


async def _load(clients: int, count: int, is_kept: bool) -> dict[str, object]:
    taken: list[float] = []
    wrong: list[str] = []
    began = time.monotonic()
    each = [_client(count // clients, is_kept, taken, wrong) for _ in range(clients)]
    await asyncio.wait_for(asyncio.gather(*each), _LIMIT_SECONDS)
    return {"seconds": time.monotonic() - began, "taken": taken, "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_load(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "kept"))))
