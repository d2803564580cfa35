"""One connection to a web server: one request at a time, each with a limit of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from quantumd.edge.http.answers import AnswerReader
from quantumd.edge.http.errors import BadAnswer, NoAnswer, Unanswered
from quantumd.edge.http.messages import Reply

CLOSE_SECONDS: Final = 1.0
"""How long the other side may take to agree that a connection ends; TLS asks it."""


class HttpConnection(Protocol):
    """Asks, and takes the answer. What comes without being asked for ends it, and so does an answer that is none."""

    def __init__(self, clock: Any) -> None:
        self.is_open = True
        """Whether another request may be sent, while none is under way."""
        self.was_used = False
        """Whether it has carried an answer."""
        self._clock = clock
        self._asking: Deferred[Reply] | None = None
        self._reader = AnswerReader()
        self._timer: Any = None
        self._ended: Deferred[None] = Deferred()

    def ask(self, request: bytes, seconds: float) -> Deferred[Reply]:
        """Send a request; fire with its answer, within a time. Cancelling ends the connection.

        Fails with NoAnswer; Unanswered, where the connection ended before anything came.
        """
        asking: Deferred[Reply] = Deferred(self._give_up)
        self._asking = asking
        self._reader = AnswerReader()
        self._at(seconds, lambda: self._fail(NoAnswer("it takes too long")))
        self._wire.write(request)
        return asking

    def rest(self, seconds: float) -> None:
        """Close it when nobody asks for so long."""
        self._at(seconds, self.close)

    def close(self) -> Deferred[None]:
        """End it, while nothing is under way; fires when it has ended."""
        if self.is_open:
            self.is_open = False
            self._at(CLOSE_SECONDS, self._wire.abortConnection)
            self._wire.loseConnection()
        return self._ended

    def connectionMade(self) -> None:
        """A request longer than a packet is not to wait for an acknowledgement."""
        self._wire.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        """Read on in the answer that is waited for."""
        if self._asking is None:
            self._cut()
            return
        try:
            reply = self._reader.feed(data)
        except BadAnswer as error:
            self._fail(error)
            return
        if reply is not None:
            self._answer(reply)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nothing more will come."""
        self.is_open = False
        if self._asking is not None:
            self._end_answer(reason)
        self._stop_timer()
        self._ended.callback(None)

    @property
    def _wire(self) -> Any:
        return self.transport

    def _end_answer(self, reason: Failure) -> None:
        if not self._reader.has_begun:
            self._fail(Unanswered(f"the connection ended: {type(reason.value).__name__}"))
            return
        try:
            reply = self._reader.end()
        except BadAnswer as error:
            self._fail(error)
        else:
            self._answer(reply)

    def _answer(self, reply: Reply) -> None:
        asking, self._asking = self._asking, None
        self._stop_timer()
        self.was_used = True
        if not self._reader.may_be_kept:
            self.close()
        if asking is not None:
            asking.callback(reply)

    def _fail(self, error: NoAnswer) -> None:
        asking, self._asking = self._asking, None
        self._stop_timer()
        self._cut()
        if asking is not None:
            asking.errback(error)

    def _give_up(self, _asking: Deferred[Reply]) -> None:
        # The Deferred fails by itself: it is cancelled.
        self._asking = None
        self._stop_timer()
        self._cut()

    def _cut(self) -> None:
        self.is_open = False
        self._wire.abortConnection()

    def _at(self, seconds: float, act: Callable[[], Any]) -> None:
        self._stop_timer()
        self._timer = self._clock.callLater(seconds, act)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
