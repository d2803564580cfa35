"""Run in a VM: asks a DNS server over UDP, several questions at once, and prints how long each answer took, as JSON.

Arguments: the server, the name, how many questions at once, and how many in all.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time

_HEAD = struct.Struct("!6H")
_RECURSE = 0x0100
_CODE = 0x000F
_TYPE_AND_CLASS = struct.pack("!2H", 1, 1)
_LIMIT_SECONDS = 30.0
_ANSWER_SECONDS = 5.0


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.put_nowait(data)


async def _client(server: str, name: str, count: int, taken: list[float], wrong: list[str]) -> None:
    transport, answers = await asyncio.get_running_loop().create_datagram_endpoint(_Answers, remote_addr=(server, 53))
    asked = b"".join(bytes((len(each),)) + each.encode() for each in name.split(".")) + b"\0" + _TYPE_AND_CLASS
    for number in range(count):
        began = time.monotonic()
        transport.sendto(_HEAD.pack(number, _RECURSE, 1, 0, 0, 0) + asked)
        said = await asyncio.wait_for(answers.came.get(), _ANSWER_SECONDS)
        taken.append(time.monotonic() - began)
        found, flags, _, records, _, _ = _HEAD.unpack_from(said)
        if (found, flags & _CODE) != (number, 0) or not records:
            wrong.append(f"question {number} was answered {said[:12].hex()}")
    transport.close()


async def _load(server: str, name: str, clients: int, count: int) -> dict[str, object]:
    taken: list[float] = []
    wrong: list[str] = []
    began = time.monotonic()
    each = [_client(server, name, count // clients, taken, wrong) for _ in range(clients)]
    await asyncio.wait_for(asyncio.gather(*each), _LIMIT_SECONDS)
    return {"seconds": time.monotonic() - began, "taken": taken, "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_load(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
