"""One OpenFlow connection to a bridge's management socket."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Protocol as Shape
from typing import cast

from attrs import define
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.edge.openflow import messages, replies
from quantumd.edge.openflow.framing import Framer, Message
from quantumd.edge.openflow.oxm import WireError
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable

ANSWER_SECONDS = 10.0
"""How long the switch may take to answer a request."""
CONNECT_SECONDS = 2.0
"""How long an attempt to connect, and then the greeting, may take each."""
ECHO_SECONDS = 5.0
"""How often a sign of life is asked for; a switch silent for three of these is dropped."""
_SILENT_ROUNDS = 3


class Transport(Shape):
    """What the connection needs of its transport."""

    def write(self, data: bytes) -> None: ...

    def abortConnection(self) -> None: ...


@define
class _Waiting:
    """A request whose answer has not come (whole) yet; ``take`` sees each part of a list at once."""

    fired: Deferred[None]
    timer: IDelayedCall
    take: Callable[[bytes], None] | None

    def succeed(self) -> None:
        """The answer is here."""
        if self.timer.active():
            self.timer.cancel()
        self.fired.callback(None)

    def fail(self, error: EdgeError) -> None:
        """There will be no answer."""
        if self.timer.active():
            self.timer.cancel()
        self.fired.errback(error)


class OpenFlowConnection(Protocol):
    """Speaks OpenFlow 1.4: greets, answers echo, pairs answers to requests by transaction id.

    Errors of the switch go to whoever watches their transaction id, else to ``on_message`` like everything else
    that nobody asked for.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._framer = Framer()
        self._xids = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._greeting: _Waiting | None = None
        self._is_greeted = False
        self._heard = False
        self._silent_rounds = 0
        self._is_lost = False
        self._closed: list[Deferred[None]] = []
        self._echo = LoopingCall(self._ask_for_life)
        self._echo.clock = clock
        self.on_message: Callable[[Message], None] = lambda message: None
        self.on_error: Callable[[int, replies.SwitchError], None] = lambda xid, error: None

    def xid(self) -> int:
        """Return a transaction id that was not used lately."""
        return next(self._xids) & 0xFFFFFFFF

    def connectionMade(self) -> None:
        """Greet the switch."""
        self.write(messages.hello(self.xid()))
        self._echo.start(ECHO_SECONDS, now=False)

    def greeted(self) -> Deferred[None]:
        """Fire when the switch has greeted back; to be asked once. EdgeTimeout, EdgeUnavailable."""
        if self._is_greeted:
            return succeed(None)
        if self._is_lost:
            return fail(EdgeUnavailable("the connection to the switch is lost"))
        late = EdgeTimeout(f"the switch did not greet within {CONNECT_SECONDS} s")
        timer = self._clock.callLater(CONNECT_SECONDS, self._fail_greeting, late)
        self._greeting = _Waiting(Deferred(), timer, None)
        return self._greeting.fired

    def _fail_greeting(self, error: EdgeError) -> None:
        greeting, self._greeting = self._greeting, None
        self.drop()
        if greeting is not None:
            greeting.fail(error)

    def write(self, data: bytes) -> None:
        """Send packed messages; lost without a word when the connection is."""
        if self.transport is not None and not self._is_lost:
            self.transport.write(data)

    def ask(self, packed: bytes, xid: int, take: Callable[[bytes], None] | None = None) -> Deferred[None]:
        """Send a request and fire when its answer is complete.

        ``take`` is called with each part of a list as it comes. EdgeTimeout, EdgeUnavailable.
        """
        if self._is_lost:
            return fail(EdgeUnavailable("the connection to the switch is lost"))
        fired: Deferred[None] = Deferred()
        timer = self._clock.callLater(ANSWER_SECONDS, self._answer_is_late, xid)
        self._waiting[xid] = _Waiting(fired, timer, take)
        self.write(packed)
        return fired

    def barrier(self) -> Deferred[None]:
        """Fire when the switch has done everything sent before. EdgeTimeout, EdgeUnavailable."""
        xid = self.xid()
        return self.ask(messages.barrier(xid), xid)

    def _answer_is_late(self, xid: int) -> None:
        # A switch that is late once would answer the wrong thing later: start over with a new connection.
        self._waiting.pop(xid).fail(EdgeTimeout(f"the switch did not answer within {ANSWER_SECONDS} s"))
        self.drop()

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the switch."""
        self._heard = True
        try:
            for message in self._framer.feed(data):
                if self._is_lost:
                    return
                self._take(message)
        except WireError as error:
            self._log.error("the switch sent what is not OpenFlow 1.4, reconnecting: {error}", error=error)
            self.drop()

    def _take(self, message: Message) -> None:
        kind = message.kind
        if kind == messages.MULTIPART_REPLY:
            self._take_part(message)
        elif kind == messages.BARRIER_REPLY:
            self._answered(message.xid)
        elif kind == messages.ECHO_REQUEST:
            self.write(messages.echo_reply(message.body, message.xid))
        elif kind == messages.ERROR:
            self._take_error(message)
        elif kind == messages.HELLO:
            self._take_hello()
        elif kind != messages.ECHO_REPLY:
            self.on_message(message)

    def _take_hello(self) -> None:
        # With version bitmaps the lower of the two sides' highest common version counts; any other version than
        # ours is refused by the framer with the next message.
        self._is_greeted = True
        greeting, self._greeting = self._greeting, None
        if greeting is not None:
            greeting.succeed()

    def _take_part(self, message: Message) -> None:
        _, more, part = replies.multipart(message.body)
        waiting = self._waiting.get(message.xid)
        if waiting is None:
            self.on_message(message)
            return
        if waiting.take is not None:
            waiting.take(part)
        if not more:
            self._answered(message.xid)

    def _take_error(self, message: Message) -> None:
        error = replies.switch_error(message.body)
        waiting = self._waiting.pop(message.xid, None)
        if waiting is not None:
            waiting.fail(EdgeUnavailable(f"the switch refused a question: {error}"))
        elif self._is_greeted:
            self.on_error(message.xid, error)
        else:
            # Refused while greeting: the bridge's `protocols` lack OpenFlow14.
            self._fail_greeting(EdgeUnavailable(f"the switch does not speak OpenFlow 1.4 with us: {error}"))

    def _answered(self, xid: int) -> None:
        waiting = self._waiting.pop(xid, None)
        if waiting is not None:
            waiting.succeed()

    def _ask_for_life(self) -> None:
        if self._heard:
            self._silent_rounds = 0
        self._heard = False
        self._silent_rounds += 1
        if self._silent_rounds > _SILENT_ROUNDS:
            self._log.warn("the switch is silent, reconnecting")
            self.drop()
        else:
            self.write(messages.echo_request(self.xid()))

    def drop(self) -> None:
        """Close the connection at once."""
        if self.transport is not None and not self._is_lost:
            cast(Transport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Let everyone who waits know."""
        self._is_lost = True
        if self._echo.running:
            self._echo.stop()
        lost = EdgeUnavailable("the connection to the switch was lost")
        self._fail_greeting(lost)
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.fail(lost)
        closed, self._closed = self._closed, []
        for fired in closed:
            fired.callback(None)

    def closed(self) -> Deferred[None]:
        """Fire when the connection is closed, by whomever."""
        fired: Deferred[None] = Deferred()
        if self._is_lost:
            fired.callback(None)
        else:
            self._closed.append(fired)
        return fired
