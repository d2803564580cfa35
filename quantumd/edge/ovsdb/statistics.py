"""Reading the counters of interfaces, once, over a connection of its own.

The replica does not follow them: the switch writes those of every interface every few seconds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import orjson
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from quantumd.edge.ovsdb.errors import OvsdbGarbled
from quantumd.edge.ovsdb.framing import MessageStream
from quantumd.errors import EdgeTimeout, EdgeUnavailable

Statistics = Mapping[str, Mapping[str, int]]
"""Counters by the name of the interface, named as in ovs-vswitchd.conf.db(5), column statistics."""

_SELECT = orjson.dumps(
    {
        "method": "transact",
        "params": [
            "Open_vSwitch",
            {"op": "select", "table": "Interface", "where": [], "columns": ["name", "statistics"]},
        ],
        "id": 1,
    }
)


class _Question(Protocol):
    """Asks once."""

    def __init__(self) -> None:
        self.answer: Deferred[bytes] = Deferred()
        self._stream = MessageStream()

    def connectionMade(self) -> None:
        """Ask."""
        if self.transport is not None:
            self.transport.write(_SELECT)

    def dataReceived(self, data: bytes) -> None:
        """Take the answer; the database may ask meanwhile whether we are there, and need not know."""
        try:
            for message in self._stream.feed(data):
                if not self.answer.called and b'"result"' in message:
                    self.answer.callback(message)
        except OvsdbGarbled:
            if not self.answer.called:
                self.answer.errback()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """There will be no answer."""
        if not self.answer.called:
            self.answer.errback(EdgeUnavailable("The switch's database closed the connection."))


async def read_statistics(reactor: Any, path: str, seconds: float) -> Statistics:
    """Return the counters of every interface. EdgeError."""
    question = await _connect(reactor, path, seconds)

    def late(_result: object, _seconds: float) -> bytes:
        raise EdgeTimeout(f"The switch's database did not tell its counters within {seconds:g} s.")

    try:
        return parse_statistics(await question.answer.addTimeout(seconds, reactor, onTimeoutCancel=late))
    finally:
        question.transport.abortConnection()


async def _connect(reactor: Any, path: str, seconds: float) -> Any:
    factory: Any = Factory.forProtocol(_Question)
    factory.noisy = False
    folder, name = os.path.split(path)
    try:
        # A socket's path has at most 107 bytes (unix(7)); that of a descriptor is short whatever the folder's is.
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            short = f"/proc/self/fd/{descriptor}/{name}"
            return await UNIXClientEndpoint(reactor, short, timeout=seconds).connect(factory)
        finally:
            os.close(descriptor)
    except (OSError, ConnectError) as error:
        raise EdgeUnavailable(f"The switch's database cannot be asked for counters: {error}") from None


def parse_statistics(message: bytes) -> Statistics:
    """Return what an answer holds. OvsdbGarbled."""
    try:
        rows = orjson.loads(message)["result"][0]["rows"]
        return {row["name"]: {name: int(value) for name, value in row["statistics"][1]} for row in rows}
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise OvsdbGarbled(f"counters that are none: {error}") from None
