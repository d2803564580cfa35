"""Passes requests of ports on to Nova's metadata API, over connections that are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from quantumd.edge.http.messages import Target
from quantumd.interfaces import Asker
from quantumd.services.metadata.interfaces import IAnswering, IResponder
from quantumd.services.metadata.passage import Passing
from quantumd.services.metadata.passing import may_be_told
from quantumd.services.metadata.request import Request

IDLE_SECONDS: Final = 4.0
"""How long a connection to Nova is kept: its server closes after 5 s or more, and may do so at any time."""

_MOST_IDLE: Final = 16


class NovaConnection(Protocol):
    """A connection to Nova: one request at a time, for which it tells ``passing`` what comes."""

    def __init__(self, nova: NovaResponder) -> None:
        self.passing: Passing | None = None
        self.is_open = True
        self.was_used = False
        self._nova = nova
        self._timer: Any = None

    @property
    def wire(self) -> Any:
        """The transport."""
        return self.transport

    def connectionMade(self) -> None:
        """What is small is sent at once."""
        self.wire.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        """Pass it on; what nobody asked for ends the connection."""
        if self.passing is None:
            self.cut()
        else:
            self.passing.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nothing more will come."""
        self.is_open = False
        self._stop_timer()
        self._nova.forget(self)
        passing, self.passing = self.passing, None
        if passing is not None:
            passing.lost(type(reason.value).__name__)

    def use(self, passing: Passing) -> None:
        """Take a request."""
        self._stop_timer()
        self.passing = passing

    def rest(self, clock: Any) -> None:
        """Wait for another one, for a while."""
        self.passing, self.was_used = None, True
        self._timer = clock.callLater(IDLE_SECONDS, self.cut)

    def cut(self) -> None:
        """End it at once."""
        self.is_open = False
        self.wire.abortConnection()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


@implementer(IResponder)
@define(eq=False)
class NovaResponder:
    """See IResponder. ``read_secret`` raises SettingsError where there is none; it is called for each request."""

    clock: Any
    target: Target
    _endpoint: IStreamClientEndpoint
    read_secret: Callable[[], str]
    timeout_seconds: float
    most_answer_bytes: int
    _most_connections: int
    _idle: list[NovaConnection] = field(factory=list, init=False)
    _all: set[NovaConnection] = field(factory=set, init=False)
    _under_way: int = field(default=0, init=False)
    log = Logger()

    def answer(self, request: Request, asker: Asker, answer: Any) -> Any:
        """See IResponder."""
        if not (asker.device_id and may_be_told(asker.device_id) and may_be_told(asker.project_id)):
            answer.refuse(404, "No instance uses this port.")
            return _Nothing()
        if self._under_way >= self._most_connections:
            answer.refuse(503, "The metadata service is busy.")
            return _Nothing()
        passing = Passing(self, request, asker, answer)
        passing.start()
        return passing

    def close(self) -> Any:
        """See IResponder."""
        for connection in tuple(self._all):
            connection.cut()
        return None

    async def connection(self, is_new: bool) -> NovaConnection:
        """Return a connection, one that was kept unless a new one is wanted. Fails as Twisted's endpoints do."""
        while self._idle and not is_new:
            kept = self._idle.pop()
            if kept.is_open:
                return kept
        factory = Factory.forProtocol(lambda: NovaConnection(self))
        factory.noisy = False
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        made: NovaConnection = await connecting.addTimeout(self.timeout_seconds, self.clock)
        self._all.add(made)
        return made

    def give_back(self, connection: NovaConnection) -> None:
        """Keep a connection whose answer is there."""
        connection.rest(self.clock)
        self._idle.append(connection)
        if len(self._idle) > _MOST_IDLE:
            self._idle.pop(0).cut()

    def forget(self, connection: NovaConnection) -> None:
        """Note that a connection has ended."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def began(self) -> None:
        """Note that a request is under way."""
        self._under_way += 1

    def ended(self) -> None:
        """Note that it is no more."""
        self._under_way -= 1


@implementer(IAnswering)
@define(eq=False)
class _Nothing:
    """A request that was refused."""

    def take(self, data: bytes) -> None:
        """See IAnswering."""

    def end(self) -> None:
        """See IAnswering."""

    def abandon(self) -> None:
        """See IAnswering."""
