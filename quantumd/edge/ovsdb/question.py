"""Transactions over a connection of their own, for what the replica does not follow."""

from __future__ import annotations

import os
from typing import Any

import orjson
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from quantumd.edge.ovsdb.errors import OvsdbGarbled
from quantumd.edge.ovsdb.framing import MessageStream
from quantumd.edge.ovsdb.statements import Statement
from quantumd.errors import EdgeTimeout, EdgeUnavailable

_DATABASE = "Open_vSwitch"


class Question(Protocol):
    """Asks, one transaction after the other. ``clock`` is set by ``open_question``."""

    clock: Any
    transport: Any

    def __init__(self) -> None:
        self._answer: Deferred[bytes] | None = None
        self._stream = MessageStream()

    def ask(self, seconds: float, *statements: Statement) -> Deferred[bytes]:
        """Return the answer, as it comes. EdgeTimeout, EdgeUnavailable, OvsdbGarbled."""
        answer: Deferred[bytes] = Deferred()
        self._answer = answer
        self.transport.write(orjson.dumps({"method": "transact", "params": [_DATABASE, *statements], "id": 1}))

        def late(_result: object, _seconds: float) -> bytes:
            raise EdgeTimeout(f"The switch's database did not answer within {seconds:g} s.")

        return answer.addTimeout(seconds, self.clock, onTimeoutCancel=late)

    def close(self) -> None:
        """Let go of the connection."""
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Take the answer; the database may ask meanwhile whether we are there, and need not know."""
        try:
            for message in self._stream.feed(data):
                if b'"result"' in message:
                    self._end(message)
        except OvsdbGarbled:
            self._end(Failure())

    def connectionLost(self, reason: Failure | None = None) -> None:
        """There will be no answer."""
        self._end(Failure(EdgeUnavailable("The switch's database closed the connection.")))

    def _end(self, result: bytes | Failure) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.called:
            answer.callback(result)


async def open_question(reactor: Any, path: str, seconds: float) -> Question:
    """Connect to the database's unix socket. EdgeUnavailable."""
    factory: Any = Factory.forProtocol(Question)
    factory.noisy = False
    folder, name = os.path.split(path)
    try:
        # A socket's path has at most 107 bytes (unix(7)); that of a descriptor is short whatever the folder's is.
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            short = f"/proc/self/fd/{descriptor}/{name}"
            question: Any = await UNIXClientEndpoint(reactor, short, timeout=seconds).connect(factory)
        finally:
            os.close(descriptor)
    except (OSError, ConnectError) as error:
        raise EdgeUnavailable(f"The switch's database cannot be asked: {error}") from None
    question.clock = reactor
    found: Question = question
    return found
