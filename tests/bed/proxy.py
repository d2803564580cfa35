"""A wire between a process and a server, in this reactor, that can be held, cut, slow and narrow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet import reactor as twisted_reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

reactor: Any = twisted_reactor


@define(eq=False)
class Proxy:
    """Passes on what comes to ``own_port``, once it listens, to a server on ``port`` of the loopback, and back.

    While ``is_held`` nothing passes either way and connections stay open, new ones too: what a firewall does that
    drops, or a cable that is pulled. What was held passes afterwards, as TCP has it. ``delay_seconds`` is how long each
    byte is under way in either direction, ``bytes_per_second`` how many pass, of each connection and direction.
    """

    port: int
    delay_seconds: float = 0.0
    bytes_per_second: float = 0.0
    passed_bytes: int = field(default=0, init=False)
    connections: int = field(default=0, init=False)
    """How many were made so far."""
    is_held: bool = field(default=False, init=False)
    _ends: list[_End] = field(factory=list, init=False)
    _listening: Any = field(default=None, init=False)
    _under_way: set[IDelayedCall] = field(factory=set, init=False)

    def listen(self) -> None:
        """Begin."""
        self._listening = reactor.listenTCP(0, Factory.forProtocol(lambda: _End(self)), interface="127.0.0.1")

    @property
    def own_port(self) -> int:
        """Where it listens."""
        return int(self._listening.getHost().port)

    def hold(self) -> None:
        """Let nothing pass."""
        self.is_held = True

    def release(self) -> None:
        """Let pass what was held, and what comes."""
        self.is_held = False
        for end in tuple(self._ends):
            end.flush()

    def cut(self) -> None:
        """End every connection, at both ends."""
        for end in tuple(self._ends):
            end.transport.abortConnection()

    def cut_near(self) -> None:
        """End every connection for the process only: the server hears nothing of it."""
        for end in tuple(self._ends):
            if end.is_near and end.other is not None:
                end.other.other = None
                end.transport.abortConnection()

    def refuse(self) -> Any:
        """Take no new connections, and end those there are; fires when that is so."""
        self.cut()
        return self._listening.stopListening()

    async def close(self) -> None:
        """Stop; what is under way does not arrive."""
        for call in tuple(self._under_way):
            call.cancel()
        await self.refuse()

    def later(self, seconds: float, arrived: Callable[[], None]) -> None:
        """Call when what is sent now has arrived."""

        def fire() -> None:
            self._under_way.discard(call)
            arrived()

        call = reactor.callLater(seconds, fire)
        self._under_way.add(call)

    def accepted(self, near: _End) -> None:
        """A process has connected: connect to the server."""
        self.connections += 1
        self._ends.append(near)
        far = _End(self, is_near=False)
        near.other, far.other = far, near
        connecting = connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", self.port), far)
        connecting.addCallback(lambda _: self._ends.append(far))
        connecting.addErrback(lambda _: near.transport.abortConnection())

    def lost(self, end: _End) -> None:
        """A connection is gone."""
        if end in self._ends:
            self._ends.remove(end)
        if end.other is not None and end.other.transport is not None:
            end.other.transport.loseConnection()


class _End(Protocol):
    """One end of a wire: what comes here goes out at the other."""

    transport: Any

    def __init__(self, proxy: Proxy, is_near: bool = True) -> None:
        self.is_near = is_near
        self.other: _End | None = None
        self._proxy = proxy
        self._waiting: deque[bytes] = deque()
        self._free_at = 0.0

    def connectionMade(self) -> None:
        """Tell the proxy, or take what has come before the server was there."""
        self.transport.setTcpNoDelay(True)
        if self.is_near:
            self._proxy.accepted(self)
        elif self.other is not None:
            self.other.flush()

    def dataReceived(self, data: bytes) -> None:
        """Pass it on in its time."""
        now = reactor.seconds()
        rate = self._proxy.bytes_per_second
        self._free_at = max(now, self._free_at) + (len(data) / rate if rate else 0.0)
        wait = self._free_at - now + self._proxy.delay_seconds
        if wait > 0:
            self._proxy.later(wait, lambda: self._arrived(data))
        else:
            self._arrived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the other end."""
        self._proxy.lost(self)

    def flush(self) -> None:
        """Write what waits, if it may pass and there is somewhere."""
        if self._proxy.is_held or self.other is None or self.other.transport is None:
            return
        while self._waiting:
            data = self._waiting.popleft()
            self._proxy.passed_bytes += len(data)
            self.other.transport.write(data)

    def _arrived(self, data: bytes) -> None:
        self._waiting.append(data)
        self.flush()
