"""A Keystone in memory on the loopback, whose answers take a given time, so that what is measured is quantumd.

``python -m bench.bars.keystone MILLISECONDS TOKENS`` prints one JSON object: ``url``, the ``password`` of the user
neutron, and that many ``tokens`` of admins. It ends when its input closes.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from attrs import frozen
from twisted.internet import reactor as twisted_reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.stdio import StandardIO
from twisted.internet.task import Clock

from tests.bed.keystone_memory import MemoryKeystone


class SlowKeystone(Protocol):
    """Answers later, and costs little: a web server of Twisted's would take more of the machine than what is measured.

    Requests are those of quantumd, so nothing is looked at twice; they are not pipelined.
    """

    def __init__(self, keystone: MemoryKeystone, seconds: float, reactor: Any) -> None:
        self._keystone = keystone
        self._seconds = seconds
        self._reactor = reactor
        self._received = b""

    def dataReceived(self, data: bytes) -> None:
        """Take a request when it is complete."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        line, *fields = head.decode().split("\r\n")
        headers = Fields(dict(field.split(": ", 1) for field in fields if ": " in field))
        if separator and len(body) >= int(headers.of.get("Content-Length", "0")):
            self._received = b""
            self._reactor.callLater(self._seconds, self._answer, line.split(" "), headers, body)

    def _answer(self, line: list[str], headers: Fields, body: bytes) -> None:
        status, more, content = self._keystone.answer(line[0], line[1], headers, body)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), **more}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        wire: Any = self.transport
        wire.write(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + content)


@frozen
class Fields:
    """The headers of a request, as MemoryKeystone asks for them."""

    of: dict[str, str]

    def getRawHeaders(self, name: str) -> list[str]:
        """Return the values of a name."""
        return [self.of[name]]


def serve(seconds: float, tokens: int, reactor: Any) -> None:
    """Serve, print where, and end with the input."""
    clock = Clock()
    clock.advance(time.time())
    keystone = MemoryKeystone(clock)
    service = keystone.make_user("service", name="neutron")
    admin = keystone.make_user("admin")
    made = [keystone.token(admin) for _ in range(tokens)]
    factory = Factory.forProtocol(lambda: SlowKeystone(keystone, seconds, reactor))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1", backlog=1024).getHost().port
    print(json.dumps({"url": f"http://127.0.0.1:{port}/v3", "password": service.password, "tokens": made}), flush=True)
    StandardIO(_Ending(reactor))


class _Ending:
    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def makeConnection(self, transport: Any) -> None:
        """The input is open."""

    def dataReceived(self, data: bytes) -> None:
        """Nothing is expected."""

    def connectionLost(self, reason: Any) -> None:
        """The input is closed."""
        if self._reactor.running:
            self._reactor.stop()


if __name__ == "__main__":
    running: Any = twisted_reactor
    running.callWhenRunning(serve, float(sys.argv[1]) / 1000, int(sys.argv[2]), running)
    running.run()
