"""A Keystone in memory behind a web server, whose answers take a given time, so that what is measured is quantumd.

``python -m bench.bars.keystone MILLISECONDS TOKENS`` prints one JSON object: ``url``, the ``password`` of the user
neutron, and that many ``tokens`` of admins. It ends when its input closes.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from twisted.internet import reactor as twisted_reactor
from twisted.internet.stdio import StandardIO
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.bed.keystone_memory import KeystoneResource, MemoryKeystone


class SlowResource(Resource):
    """Answers as another does, later."""

    isLeaf = True

    def __init__(self, within: KeystoneResource, seconds: float, reactor: Any) -> None:
        super().__init__()
        self._within = within
        self._seconds = seconds
        self._reactor = reactor

    def render(self, request: Any) -> int:
        """Answer, when it is time."""
        self._reactor.callLater(self._seconds, self._answer, request)
        return NOT_DONE_YET

    def _answer(self, request: Any) -> None:
        request.write(self._within.render(request))
        request.finish()


def serve(seconds: float, tokens: int, reactor: Any) -> None:
    """Serve, print where, and end with the input."""
    clock = Clock()
    clock.advance(time.time())
    keystone = MemoryKeystone(clock)
    service = keystone.make_user("service", name="neutron")
    admin = keystone.make_user("admin")
    made = [keystone.token(admin) for _ in range(tokens)]
    site = Site(SlowResource(KeystoneResource(keystone.answer), seconds, reactor), reactor=reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1", backlog=1024).getHost().port
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
