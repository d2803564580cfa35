"""One request on its way to Nova, and the answer on its way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from attrs import define
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.edge.http.errors import BadAnswer
from quantumd.edge.http.streaming import StreamReader
from quantumd.errors import SettingsError
from quantumd.interfaces import Asker
from quantumd.services.metadata.answer import Answer
from quantumd.services.metadata.interfaces import IAnswering
from quantumd.services.metadata.passing import answer_fields, request_head
from quantumd.services.metadata.request import Request

if TYPE_CHECKING:
    from quantumd.services.metadata.nova import NovaConnection, NovaResponder

_UNCONNECTED: Final = (CancelledError, TooLate, ConnectError, ConnectionClosed, DNSLookupError, OSError)
_AWAY: Final = "The metadata service is not reached."
_SLOW: Final = "The metadata service takes too long."


@implementer(IPushProducer)
@define(eq=False)
class _Valve:
    """Holds what comes from one side while the other takes nothing, and says so."""

    _wire: Any
    _stall: Callable[[], None] = lambda: None
    _flow: Callable[[], None] = lambda: None

    def pauseProducing(self) -> None:
        """See IPushProducer."""
        self._stall()
        self._wire.pauseProducing()

    def resumeProducing(self) -> None:
        """See IPushProducer."""
        self._flow()
        self._wire.resumeProducing()

    def stopProducing(self) -> None:
        """See IPushProducer: who is written to has gone, which is told otherwise."""


@implementer(IAnswering)
class Passing:
    """See IAnswering: one request on its way to Nova, and the answer on its way back."""

    def __init__(self, nova: NovaResponder, request: Request, asker: Asker, answer: Answer) -> None:
        self._nova = nova
        self._request = request
        self._asker = asker
        self._answer = answer
        self._reader = self._new_reader()
        self._connection: NovaConnection | None = None
        self._connecting: Deferred[None] | None = None
        self._timer: Any = None
        self._waiting: list[bytes] = []
        """Of the body, what came before there was a connection."""
        self._is_sent = False
        self._is_over = False
        self._holds_nova = self._holds_asker = False
        """Which side is held while the other takes nothing."""

    def start(self) -> None:
        """Connect, and send what is there."""
        self._nova.began()
        self._wait()
        if self._request.length:
            self._answer.wire.pauseProducing()
        self._begin_connecting(is_new=bool(self._request.length))

    def _begin_connecting(self, is_new: bool) -> None:
        self._connecting = ensureDeferred(self._connect(is_new)).addErrback(self._broke)

    def _broke(self, failure: Failure) -> None:
        self._nova.log.failure("metadata of port {port} broke", failure, port=self._asker.port_id)
        self._fail(502, _AWAY, type(failure.value).__name__)

    # --- the request

    def take(self, data: bytes) -> None:
        """See IAnswering."""
        self._wait()
        if self._connection is None:
            self._waiting.append(data)
        else:
            self._connection.wire.write(data)

    def end(self) -> None:
        """See IAnswering."""
        self._is_sent = True
        if self._connection is not None:
            self._let_asker_go(self._connection)

    def abandon(self) -> None:
        """See IAnswering."""
        self._over(may_keep=False)

    async def _connect(self, is_new: bool) -> None:
        try:
            secret = self._nova.read_secret()
            connection = await self._nova.connection(is_new)
        except _UNCONNECTED as error:
            self._fail(502, _AWAY, type(error).__name__)
            return
        except SettingsError as error:
            self._fail(502, _AWAY, str(error))
            return
        if self._is_over:
            connection.cut()
            return
        self._send(connection, secret)

    def _send(self, connection: NovaConnection, secret: str) -> None:
        self._connection = connection
        connection.use(self)
        head = request_head(self._request, self._asker, self._nova.target, secret)
        connection.wire.write(b"".join((head, *self._waiting)))
        self._waiting.clear()
        if self._request.length and not self._is_sent:
            self._holds_asker = True
            connection.wire.registerProducer(_Valve(self._answer.wire), True)
            self._answer.wire.resumeProducing()

    # --- the answer

    def received(self, data: bytes) -> None:
        """Pass on what came of the answer."""
        had_head = self._reader.head is not None
        try:
            pieces = self._reader.feed(data)
        except BadAnswer as error:
            self._fail(502, _AWAY, str(error))
            return
        self._wait()
        if not had_head and self._reader.head is not None:
            self._begin()
        for piece in pieces:
            self._answer.write(piece)
        if self._reader.is_done:
            self._finish()

    def lost(self, reason: str) -> None:
        """Note that the connection has ended."""
        was_used = self._connection is not None and self._connection.was_used
        self._connection = None
        if was_used and not self._reader.has_begun and not self._request.length and self._request.method == b"GET":
            # Nova closed it while the request was on its way; it may do so at any time (RFC 9112 9.3.1).
            self._reader = self._new_reader()
            self._begin_connecting(is_new=True)
            return
        try:
            self._reader.end()
        except BadAnswer as error:
            self._fail(502, _AWAY, f"{error}: {reason}")
        else:
            self._finish()

    def _new_reader(self) -> StreamReader:
        return StreamReader(self._nova.most_answer_bytes, has_body=self._request.method != b"HEAD")

    def _begin(self) -> None:
        head = self._reader.head
        if head is None:
            return
        self._answer.begin(head.status, answer_fields(head.headers), self._reader.length)
        if not self._reader.is_done and self._answer.is_open and self._connection is not None:
            valve = _Valve(self._connection.wire, self._stall, self._flow)
            self._holds_nova = True
            self._answer.wire.registerProducer(valve, True)

    def _let_asker_go(self, connection: NovaConnection) -> None:
        if self._holds_asker:
            self._holds_asker = False
            connection.wire.unregisterProducer()

    def _stall(self) -> None:
        # That nothing comes from Nova is not Nova's fault then.
        self._stop_timer()
        self._answer.stall()

    def _flow(self) -> None:
        self._answer.flow()
        self._wait()

    def _finish(self) -> None:
        answer = self._answer
        self._over(may_keep=self._reader.may_be_kept and self._is_sent)
        answer.finish()

    def _fail(self, status: int, why: str, detail: str) -> None:
        if not self._is_over:
            self._nova.log.warn(
                "metadata of port {port}: {status}, {why}", port=self._asker.port_id, status=status, why=detail
            )
            answer = self._answer
            self._over(may_keep=False)
            answer.refuse(status, why)

    def _over(self, may_keep: bool) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._nova.ended()
        self._stop_timer()
        if self._holds_nova and self._answer.wire is not None:
            self._answer.wire.unregisterProducer()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.passing = None
            self._let_asker_go(connection)
            # It may be held for him who asked.
            connection.wire.resumeProducing()
            if may_keep:
                self._nova.give_back(connection)
            else:
                connection.cut()
        elif self._connecting is not None:
            self._connecting.cancel()

    def _wait(self) -> None:
        """Give the other side its time, anew."""
        self._stop_timer()
        self._timer = self._nova.clock.callLater(self._nova.timeout_seconds, self._too_late)

    def _too_late(self) -> None:
        self._fail(504, _SLOW, "it takes too long")

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
