"""One connection of a port: requests one after the other, each with limits on size and time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, field
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.interfaces import Asker, IServiceDoor
from quantumd.services.metadata.answer import Answer, refusal
from quantumd.services.metadata.interfaces import IResponder
from quantumd.services.metadata.request import (
    HEAD_END,
    LARGEST_HEAD_BYTES,
    BadRequest,
    Request,
    read_request,
)
from quantumd.services.pace import Paces

HEAD_SECONDS: Final = 10.0
"""How long a head may take, and how long a body may stop."""
IDLE_SECONDS: Final = 15.0
"""How long a connection is kept without a request."""
STALL_SECONDS: Final = 10.0
"""How long who asked may take nothing of his answer."""


@define(eq=False)
class Site(Factory):
    """What all connections share."""

    clock: Any
    door: IServiceDoor
    responder: IResponder
    paces: Paces
    most_body_bytes: int
    count: Callable[[int], None]
    """Called with the status of each answer."""
    _open: set[MetadataConnection] = field(factory=set, init=False)
    log = Logger()
    noisy = False

    def buildProtocol(self, addr: Any) -> MetadataConnection:
        """See Factory."""
        return MetadataConnection(self, addr.host)

    def joined(self, connection: MetadataConnection) -> None:
        """Note a connection."""
        self._open.add(connection)

    def left(self, connection: MetadataConnection) -> None:
        """Note that it has ended."""
        self._open.discard(connection)

    def cut_all(self) -> None:
        """End every connection."""
        for connection in tuple(self._open):
            connection.cut()


class MetadataConnection(Protocol):
    """Reads requests, one at a time, and has them answered."""

    def __init__(self, site: Site, peer: str) -> None:
        self._site = site
        self._peer = peer
        self._port_id = ""
        self._received = bytearray()
        self._answer: Answer | None = None
        self._body_left = 0
        self._timer: Any = None
        self._is_ending = False

    @property
    def wire(self) -> Any:
        """The transport."""
        return self.transport

    def connectionMade(self) -> None:
        """Note who it is, unless he has too many connections."""
        self._site.joined(self)
        asker = self._site.door.asker_at(self._peer)
        self._port_id = asker.port_id if asker is not None else ""
        self.wire.setTcpNoDelay(True)
        if not self._site.paces.enter(self._port_id):
            self._port_id = ""
            self._refuse(503, "There are too many connections.")
            return
        self._at(HEAD_SECONDS, self.cut)

    def dataReceived(self, data: bytes) -> None:
        """Read on."""
        if self._is_ending:
            return
        self._received += data
        self._go_on()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nobody is there any more."""
        self._site.left(self)
        if self._port_id:
            self._site.paces.leave(self._port_id)
        self._stop_timer()
        self._is_ending = True
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.lost()

    def cut(self) -> None:
        """End it at once."""
        self._is_ending = True
        self.wire.abortConnection()

    # --- requests

    def _go_on(self) -> None:
        while not self._is_ending:
            if self._answer is None:
                if not self._begin_request():
                    return
            elif not self._body_left or not self._received:
                return
            else:
                self._pass_body(self._answer)

    def _begin_request(self) -> bool:
        """Take the next head; return whether it was there."""
        end = self._received.find(HEAD_END)
        if end > LARGEST_HEAD_BYTES or (end < 0 and len(self._received) > LARGEST_HEAD_BYTES):
            self._refuse(431, "The head is too long.")
            return False
        if end < 0:
            return False
        text = bytes(self._received[:end]).lstrip(b"\r\n")
        del self._received[: end + len(HEAD_END)]
        try:
            request = read_request(text, self._site.most_body_bytes)
        except BadRequest as error:
            self._refuse(error.status, str(error))
            return False
        asker = self._site.door.asker_at(self._peer)
        if asker is None or asker.port_id != self._port_id:
            self._refuse(404, "Nobody is known at this address.")
            return False
        if not self._site.paces.may_ask(self._port_id, self._site.clock.seconds()):
            self._refuse(429, "There are too many requests.")
            return False
        self._ask(request, asker)
        return True

    def _ask(self, request: Request, asker: Asker) -> None:
        self._body_left = request.length
        answer = self._answer = Answer(self, request)
        if request.expects and request.length:
            self.wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        answer.answering = self._site.responder.answer(request, asker, answer)
        if self._answer is not answer:
            return
        if request.length:
            self._at(HEAD_SECONDS, self.cut)
        else:
            self._end_body(answer)

    def _pass_body(self, answer: Answer) -> None:
        piece = bytes(self._received[: self._body_left])
        del self._received[: len(piece)]
        self._body_left -= len(piece)
        self._at(HEAD_SECONDS, self.cut)
        answer.answering.take(piece)
        if not self._body_left and self._answer is answer:
            self._end_body(answer)

    def _end_body(self, answer: Answer) -> None:
        # The time for an answer is a matter of who gives it.
        self._stop_timer()
        answer.answering.end()
        if self._answer is answer:
            # What comes meanwhile waits in the kernel.
            self.wire.pauseProducing()

    # --- answers

    def answered(self, answer: Answer, status: int, keeps: bool) -> None:
        """Go on to the next request once one is answered, if there may be one."""
        if self._answer is not answer:
            return
        self._answer = None
        self._site.count(status)
        if not keeps or self._body_left:
            self._close()
            return
        self._at(IDLE_SECONDS, self.cut)
        self.wire.resumeProducing()
        if self._received:
            self._site.clock.callLater(0, self._go_on)

    def stall(self) -> None:
        """Note that who asked takes nothing at the moment."""
        self._at(STALL_SECONDS, self.cut)

    def flow(self) -> None:
        """Note that he takes something again."""
        self._stop_timer()

    def _refuse(self, status: int, why: str) -> None:
        self._site.count(status)
        self.wire.write(refusal(status, why))
        self._close()

    def _close(self) -> None:
        self._is_ending = True
        self._at(STALL_SECONDS, self.wire.abortConnection)
        self.wire.loseConnection()

    def _at(self, seconds: float, act: Callable[[], Any]) -> None:
        self._stop_timer()
        self._timer = self._site.clock.callLater(seconds, act)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
