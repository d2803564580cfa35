"""Other DNS servers, which are asked what a network's own does not know. They are reached from the host's own network.

Each question goes from a socket of its own, at a port that the kernel chooses, by a number that nobody guesses, and an
answer counts only from whom was asked, with that number and the same question.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import randbelow
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import ClientFactory, DatagramProtocol, Protocol, connectionDone
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure

from quantumd.services.dns.passing import forwarded, is_answer_to, returned
from quantumd.services.dns.resolvers import Resolver
from quantumd.services.dns.wire import LARGEST_ANSWER_BYTES, Question, is_truncated

_NUMBERS: Final = 1 << 16
_MOST_STRANGE: Final = 32
"""After so many messages that answer nothing a socket is given up: somebody guesses."""


@define(eq=False)
class Upstream:
    """Asks servers, one after the other, beginning with the one that answered last."""

    _reactor: Any
    _resolvers: Callable[[], tuple[Resolver, ...]]
    _timeout_seconds: float
    _most_at_once: int
    _most_per_port: int
    _asking: dict[str, int] = field(factory=dict, init=False)
    """How many questions of each port are on their way."""
    _total: int = field(default=0, init=False)
    _best: Resolver | None = field(default=None, init=False)

    @property
    def outstanding(self) -> int:
        """How many questions are on their way."""
        return self._total

    async def ask(self, port_id: str, question: Question, whole: bool) -> bytes | None:
        """Return the answer of a server; None when none answers, or too much is asked at once.

        :param whole: not one that is truncated, if any server has more.
        """
        if self._total >= self._most_at_once or self._asking.get(port_id, 0) >= self._most_per_port:
            return None
        self._total += 1
        self._asking[port_id] = self._asking.get(port_id, 0) + 1
        try:
            return await self._ask_each(question, whole)
        finally:
            self._total -= 1
            self._asking[port_id] -= 1
            if not self._asking[port_id]:
                del self._asking[port_id]

    async def _ask_each(self, question: Question, whole: bool) -> bytes | None:
        for resolver in sorted(self._resolvers(), key=lambda each: each != self._best):
            said = await self._ask(resolver, question, by_tcp=False)
            if said is not None and whole and is_truncated(said):
                said = await self._ask(resolver, question, by_tcp=True) or said
            if said is not None:
                self._best = resolver
                return said
        return None

    async def _ask(self, resolver: Resolver, question: Question, by_tcp: bool) -> bytes | None:
        number = randbelow(_NUMBERS)
        exchange = _Exchange(resolver, question, number, forwarded(question, number))
        timer = self._reactor.callLater(self._timeout_seconds, exchange.end)
        if by_tcp:
            # Who does not even take the connection is given up by the same timer.
            connecting = self._reactor.connectTCP(resolver.address, resolver.port, _Caller(exchange))
            exchange.close = connecting.disconnect
        else:
            anywhere = "::" if ":" in resolver.address else "0.0.0.0"  # it takes from one peer only
            try:
                socket = self._reactor.listenUDP(0, _Datagrams(exchange), anywhere, LARGEST_ANSWER_BYTES)
            except CannotListenError:
                exchange.end()
            else:
                exchange.close = socket.stopListening
        said: bytes | None = await exchange.done
        if timer.active():
            timer.cancel()
        exchange.close()
        return said


def _nothing() -> None:
    """Nothing is open yet."""


@define(eq=False)
class _Exchange:
    """A question to one server, and what becomes of it."""

    resolver: Resolver
    question: Question
    number: int
    asking: bytes
    done: Deferred[bytes | None] = field(factory=Deferred)
    close: Callable[[], Any] = _nothing
    _strange: int = field(default=0, init=False)

    def heard(self, data: bytes) -> None:
        """Take a message, if it is the answer."""
        if is_answer_to(self.question, self.number, data):
            self._finish(returned(self.question, data))
            return
        self._strange += 1
        if self._strange >= _MOST_STRANGE:
            self.end()

    def end(self) -> None:
        """There will be no answer; harmless when there was one."""
        self._finish(None)

    def _finish(self, said: bytes | None) -> None:
        if not self.done.called:
            self.done.callback(said)


class _Datagrams(DatagramProtocol):
    """One question by UDP, from a socket that is connected: what comes from others does not come to it."""

    noisy = False
    transport: Any

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def startProtocol(self) -> None:
        """Ask."""
        resolver = self._exchange.resolver
        try:
            self.transport.connect(resolver.address, resolver.port)
            self.transport.write(self._exchange.asking)
        except OSError:
            # There is no way there.
            self._exchange.end()

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """See DatagramProtocol."""
        self._exchange.heard(datagram)

    def connectionRefused(self) -> None:
        """Nobody listens there."""
        self._exchange.end()

    def stopProtocol(self) -> None:
        """The same: the reactor takes a socket that has an error and nothing to read for one that is lost."""
        self._exchange.end()


class _Call(Int16StringReceiver):
    """One question by TCP."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def connectionMade(self) -> None:
        """Ask."""
        self.sendString(self._exchange.asking)

    def stringReceived(self, string: bytes) -> None:
        """See Int16StringReceiver."""
        self._exchange.heard(string)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See Protocol."""
        self._exchange.end()


class _Caller(ClientFactory):
    """Makes the one connection."""

    noisy = False

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def buildProtocol(self, addr: Any) -> Protocol:
        """See Factory."""
        return _Call(self._exchange)

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """See ClientFactory."""
        self._exchange.end()
