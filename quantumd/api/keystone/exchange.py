"""Requests to Keystone over HTTP: connections that are kept, limits on time and on size.

Whatever goes wrong on the way is an EdgeError without the address of what was asked or anything that was sent.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web._newclient import RequestNotSent
from twisted.web.client import (
    URI,
    Agent,
    BrowserLikePolicyForHTTPS,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
)
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer
from zope.interface import implementer

from quantumd.errors import EdgeUnavailable

LARGEST_ANSWER_BYTES: Final = 262_144
"""How long one answer may be, head and body together."""

IDLE_SECONDS: Final = 30
"""How long a connection is kept without a request; servers close theirs after a minute or later."""

_BROKEN: Final = (
    CancelledError,
    TooLate,
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseFailed,
)


@frozen
class Reply:
    """One answer, complete."""

    status: int
    headers: Headers
    body: bytes


@define(eq=False)
class Exchange:
    """Sends requests to the API whose root is ``root_url`` (…/v3).

    The head of an answer has to come within ``timeout_seconds``, and its body within the same time again.
    """

    _agent: Any
    _pool: HTTPConnectionPool
    _root_url: bytes
    _reactor: Any
    _timeout_seconds: float
    _name: str = "Keystone"

    async def send(
        self, method: bytes, path: bytes, headers: dict[bytes, bytes], content: bytes | None = None
    ) -> Reply:
        """Return the answer to a request.

        :raises EdgeUnavailable: there is no answer in time, or more of it than is read.
        """
        producer = None if content is None else _Body(content)
        fields = {b"Accept": b"application/json", b"User-Agent": b"quantumd", **headers}
        said = Headers({name: [value] for name, value in fields.items()})
        try:
            asking = self._agent.request(method, self._root_url + path, said, producer)
            response = await asking.addTimeout(self._timeout_seconds, self._reactor)
            reading = _Reading()
            response.deliverBody(reading)
            body = await reading.done.addTimeout(self._timeout_seconds, self._reactor)
            return Reply(response.code, response.headers, body)
        except _BROKEN as error:
            raise EdgeUnavailable(f"{self._name} does not answer: {type(error).__name__}") from None

    def close(self) -> Deferred[None]:
        """Close the connections that are kept."""
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed


def make_exchange(
    reactor: Any,
    root_url: str,
    timeout_seconds: float,
    connections: int,
    endpoints: Any = None,
    trust: Any = None,
    name: str = "Keystone",
) -> Exchange:
    """Return an exchange with connections of its own.

    :param root_url: what paths are put behind; '' where they are whole URLs.
    :param connections: how many are kept; how many there are at once is up to who sends.
    :param endpoints: an IAgentEndpointFactory, where the network is not to be used.
    :param trust: by what an https server is checked (an IOpenSSLTrustRoot), None meaning what the system trusts.
    :param name: what errors call the other side.
    """
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = connections
    pool.cachedConnectionTimeout = IDLE_SECONDS
    network = endpoints or NetworkEndpoints(reactor, timeout_seconds, trust)
    agent = Agent.usingEndpointFactory(reactor, BoundedEndpoints(network), pool)
    return Exchange(agent, pool, root_url.rstrip("/").encode("ascii"), reactor, timeout_seconds, name)


@implementer(IAgentEndpointFactory)
@define(eq=False)
class NetworkEndpoints:
    """Connects over TCP, and with TLS where the URL says https."""

    _reactor: Any
    _timeout_seconds: float
    _trust: Any = None

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return where a URL is served."""
        host = uri.host.decode("ascii")
        plain: Any = HostnameEndpoint(self._reactor, host.strip("[]"), uri.port, self._timeout_seconds)
        if uri.scheme != b"https":
            endpoint: IStreamClientEndpoint = plain
        else:
            policy = BrowserLikePolicyForHTTPS(self._trust)
            endpoint = wrapClientTLS(policy.creatorForNetloc(uri.host, uri.port), plain)
        return endpoint


@implementer(IAgentEndpointFactory)
@define(eq=False)
class BoundedEndpoints:
    """Endpoints whose connections end when one answer is too long. Each is made once: a name costs time to encode."""

    _within: Any
    _made: dict[tuple[bytes, bytes, int], IStreamClientEndpoint] = field(factory=dict, init=False)

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return where a URL is served."""
        place = uri.scheme, uri.host, uri.port
        if place not in self._made:
            self._made[place] = _BoundedEndpoint(self._within.endpointForURI(uri))
        return self._made[place]


@implementer(IStreamClientEndpoint)
@define(eq=False)
class _BoundedEndpoint:
    _within: Any

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        factory = WrappingFactory(protocolFactory)
        factory.protocol = _Bounded
        # Each connection would be told of in the log, twice.
        factory.noisy = protocolFactory.noisy = False
        connecting: Deferred[Any] = self._within.connect(factory)
        return connecting.addCallback(lambda bounded: bounded.wrappedProtocol)


class _Bounded(ProtocolWrapper):
    """A connection that is cut when more comes between two writes than one answer may hold.

    Requests are not pipelined, so what comes after a write is the answer to it.
    """

    _left_bytes = LARGEST_ANSWER_BYTES

    def write(self, data: bytes) -> None:
        self._left_bytes = LARGEST_ANSWER_BYTES
        super().write(data)

    def writeSequence(self, data: Any) -> None:
        self._left_bytes = LARGEST_ANSWER_BYTES
        super().writeSequence(data)

    def dataReceived(self, data: bytes) -> None:
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            transport: Any = self.transport
            transport.abortConnection()
        else:
            super().dataReceived(data)


class _Reading(Protocol):
    """Collects a body, whose size the connection limits; cancelling ``done`` ends the connection."""

    def __init__(self) -> None:
        self.done: Deferred[bytes] = Deferred(self._break_off)
        self._parts: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self._parts.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # A body that ends with its connection may be cut short: what reads it will see.
        if reason.check(ResponseDone, PotentialDataLoss) is not None:
            self.done.callback(b"".join(self._parts))
        else:
            self.done.errback(reason)

    def _break_off(self, done: Deferred[bytes]) -> None:
        transport: Any = self.transport
        transport.stopProducing()


@implementer(IBodyProducer)
class _Body:
    """A body that is there at once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Nothing is left to pause."""

    def resumeProducing(self) -> None:
        """Nothing was paused."""

    def stopProducing(self) -> None:
        """Nothing is under way."""
