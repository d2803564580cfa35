"""Who asks, and what is said to them: what listens for questions of ports."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import Int16StringReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from quantumd.interfaces import Asker, IServiceDoor
from quantumd.services.dns.own import own_answer
from quantumd.services.dns.upstream import Upstream
from quantumd.services.dns.wire import (
    LARGEST_ANSWER_BYTES,
    LARGEST_QUESTION_BYTES,
    PLAIN_BYTES,
    Code,
    Question,
    answer,
    fitted,
    read_question,
)
from quantumd.services.pace import Paces

_HEADERS_BYTES: Final = 48
"""Of IPv6 and UDP, which are the longer ones."""
_MOST_WAITING: Final = 16
"""How many questions of a connection are answered at once; the next ones are read when these are."""


@define(eq=False)
class Responder:
    """Answers a question of a port of this host, by itself or by others."""

    _reactor: Any
    _door: IServiceDoor
    _upstream: Upstream
    _domain: str
    _count: Callable[[str], None]
    """Called with what became of each question."""
    paces: Paces
    _log = Logger()

    def asker_at(self, address: str) -> Asker | None:
        """Return who is known by an address."""
        return self._door.asker_at(address)

    async def answer(self, address: str, data: bytes, is_tcp: bool) -> bytes | None:
        """Return what is said to who is known by an address; None when nothing is."""
        asker = self._door.asker_at(address)
        if asker is None:
            self._count("unknown")
            return None
        if not self.paces.may_ask(asker.port_id, self._reactor.seconds()):
            self._count("limited")
            return None
        question = read_question(data)
        if question is None:
            self._count("malformed")
            return None
        most = LARGEST_ANSWER_BYTES if is_tcp else _fitting(question, asker.mtu_bytes)
        said = own_answer(question, self._door.zone_of(asker.network_id, self._domain))
        if said is not None:
            self._count("own")
            return fitted(question, said, most)
        said = await self._upstream.ask(asker.port_id, question, is_tcp)
        self._count("failed" if said is None else "forwarded")
        return answer(question, Code.FAILED) if said is None else fitted(question, said, most)


def _fitting(question: Question, mtu_bytes: int) -> int:
    return max(PLAIN_BYTES, min(question.most_bytes, mtu_bytes - _HEADERS_BYTES))


class Datagrams(DatagramProtocol):
    """Questions by UDP at one address."""

    noisy = False

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """See DatagramProtocol."""
        Deferred.fromCoroutine(self._answer(datagram, addr)).addErrback(_unexpected)

    async def _answer(self, datagram: bytes, addr: Any) -> None:
        said = await self._responder.answer(addr[0], datagram, is_tcp=False)
        # The process may stop meanwhile, or the device go.
        if said is not None and self.transport is not None:
            with suppress(OSError):
                self.transport.write(said, addr)


class Stream(Int16StringReceiver, TimeoutMixin):
    """Questions by TCP, answered in whatever order the answers come (RFC 7766 7)."""

    MAX_LENGTH = LARGEST_QUESTION_BYTES
    transport: Any

    def __init__(self, responder: Responder, idle_seconds: float, on_lost: Callable[[Stream], None]) -> None:
        self._responder, self._idle_seconds, self._on_lost = responder, idle_seconds, on_lost
        self._port_id: str | None = None
        self._waiting: deque[bytes] = deque()
        self._under_way = 0
        self._is_writable = True

    def connectionMade(self) -> None:
        """See Protocol."""
        self._address = self.transport.getPeer().host
        asker = self._responder.asker_at(self._address)
        if asker is None or not self._responder.paces.enter(asker.port_id):
            self.transport.abortConnection()
            return
        self._port_id = asker.port_id
        self.transport.registerProducer(self, True)
        self.setTimeout(self._idle_seconds)

    def stringReceived(self, string: bytes) -> None:
        """See Int16StringReceiver."""
        if self._port_id is None:
            return
        self.resetTimeout()
        self._waiting.append(string)
        self._go_on()

    def lengthLimitExceeded(self, length: int) -> None:
        """No question is that long."""
        self.transport.abortConnection()

    def _go_on(self) -> None:
        while self._waiting and self._under_way < _MOST_WAITING and self._is_writable:
            self._under_way += 1
            Deferred.fromCoroutine(self._answer(self._waiting.popleft())).addErrback(_unexpected)
        if self._waiting:
            self.transport.pauseProducing()

    async def _answer(self, data: bytes) -> None:
        try:
            said = await self._responder.answer(self._address, data, is_tcp=True)
        finally:
            self._under_way -= 1
        if self._port_id is None:
            return
        if said is None:
            self.transport.abortConnection()
            return
        self.sendString(said)
        self._resume()

    def pauseProducing(self) -> None:
        """The client takes no more for now: nothing more is answered, and at last the connection ends."""
        self._is_writable = False

    def resumeProducing(self) -> None:
        """It does again."""
        self._is_writable = True
        self._resume()

    def stopProducing(self) -> None:
        """See IProducer."""

    def _resume(self) -> None:
        self._go_on()
        if not self._waiting and self.transport is not None and self._port_id is not None:
            self.transport.resumeProducing()

    def timeoutConnection(self) -> None:
        """Nothing was asked for too long."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See Protocol."""
        self.setTimeout(None)
        self._on_lost(self)
        self._waiting.clear()
        port_id, self._port_id = self._port_id, None
        if port_id is not None:
            self._responder.paces.leave(port_id)


class Streams(Factory):
    """Makes what answers connections, and ends them all."""

    noisy = False

    def __init__(self, responder: Responder, idle_seconds: float) -> None:
        self._responder, self._idle_seconds = responder, idle_seconds
        self._open: set[Stream] = set()

    def buildProtocol(self, addr: Any) -> Protocol:
        """See Factory."""
        made = Stream(self._responder, self._idle_seconds, self._open.discard)
        self._open.add(made)
        return made

    def cut_all(self) -> None:
        """End every connection."""
        for each in tuple(self._open):
            if each.transport is not None:
                each.transport.abortConnection()


def _unexpected(failure: Failure) -> None:
    Responder._log.failure("a question could not be answered", failure)
