"""The connections that are kept, for requests to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import optionsForClientTLS

from quantumd.edge.http.connection import HttpConnection
from quantumd.edge.http.messages import Origin

IDLE_SECONDS: Final = 30.0
"""How long a connection is kept without a request."""

EndpointOf: TypeAlias = Callable[[Origin], IStreamClientEndpoint]
"""Where an origin is connected to."""


def network_endpoints(reactor: Any, timeout_seconds: float, trust: Any = None) -> EndpointOf:
    """Return endpoints on the network: TCP, and TLS with the server's certificate checked where an origin has it.

    :param trust: by what it is checked (an IOpenSSLTrustRoot), None meaning what the system trusts.
    """

    def endpoint_of(origin: Origin) -> IStreamClientEndpoint:
        plain: IStreamClientEndpoint = HostnameEndpoint(reactor, origin.host, origin.port, timeout_seconds)
        if not origin.is_tls:
            return plain
        secured: IStreamClientEndpoint = wrapClientTLS(optionsForClientTLS(origin.host, trustRoot=trust), plain)
        return secured

    return endpoint_of


@define(eq=False)
class Connections:
    """Connections to any origin. At most ``most_idle`` are kept without a request, those used last."""

    _clock: Any
    _endpoint_of: EndpointOf
    _most_idle: int
    _idle: list[tuple[Origin, HttpConnection]] = field(factory=list, init=False)
    _endpoint: tuple[Origin, IStreamClientEndpoint] | None = field(default=None, init=False)

    def take(self, origin: Origin) -> HttpConnection | None:
        """Return one that was kept, the one used last; it is the caller's until it is given back."""
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place][0] == origin:
                _, connection = self._idle.pop(place)
                if connection.is_open:
                    return connection
        return None

    def connect(self, origin: Origin) -> Deferred[HttpConnection]:
        """Make another one. Fails with what Twisted's endpoints fail with."""
        factory = Factory.forProtocol(lambda: HttpConnection(self._clock))
        # Each connection would be told of in the log, twice.
        factory.noisy = False
        connecting: Deferred[Any] = self._endpoint_for(origin).connect(factory)
        return connecting

    def give_back(self, origin: Origin, connection: HttpConnection) -> None:
        """Keep a connection whose answer is there, if it may be kept."""
        if not connection.is_open:
            return
        connection.rest(IDLE_SECONDS)
        self._idle.append((origin, connection))
        if len(self._idle) > self._most_idle:
            self._idle.pop(0)[1].close()

    def close(self) -> Deferred[None]:
        """Close those that are kept; fires when they have ended."""
        idle, self._idle = self._idle, []
        ended: Deferred[Any] = gatherResults([connection.close() for _, connection in idle])
        return ended.addCallback(lambda _: None)

    def _endpoint_for(self, origin: Origin) -> IStreamClientEndpoint:
        # Kept, for a name costs time to encode.
        if self._endpoint is None or self._endpoint[0] != origin:
            self._endpoint = (origin, self._endpoint_of(origin))
        return self._endpoint[1]
