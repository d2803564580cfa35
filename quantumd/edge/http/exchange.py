"""Requests to one web API: connections that are kept, limits on time and on size.

Whatever goes wrong on the way is an EdgeUnavailable without the address of what was asked or anything that was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import define
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError

from quantumd.edge.http.connection import HttpConnection
from quantumd.edge.http.connections import Connections, EndpointOf, network_endpoints
from quantumd.edge.http.errors import NoAnswer, Unanswered
from quantumd.edge.http.messages import Origin, Reply, build_request, target_of
from quantumd.errors import EdgeUnavailable

_UNCONNECTED: Final = (CancelledError, TooLate, ConnectError, ConnectionClosed, DNSLookupError)
_ALWAYS: Final = {b"Accept": b"application/json", b"User-Agent": b"quantumd"}


@define(eq=False)
class Exchange:
    """Sends requests to the API whose root is ``root_url`` (…/v3); where it is empty, to whole URLs.

    An answer has to be there within ``timeout_seconds``, the time for a connection included.
    """

    _connections: Connections
    _root_url: bytes
    _clock: Any
    _timeout_seconds: float
    _name: str

    async def send(
        self, method: bytes, path: bytes, headers: Mapping[bytes, bytes], content: bytes | None = None
    ) -> Reply:
        """Return the answer to a request. Redirections are not followed.

        :raises EdgeUnavailable: there is no answer in time, or none that is understood, or more of it than is read.
        :raises ValueError: it cannot be sent: no URL, or a header that is none.
        """
        target = target_of(self._root_url + path)
        request = build_request(method, target, {**_ALWAYS, **headers}, content)
        until = self._clock.seconds() + self._timeout_seconds
        try:
            kept = self._connections.take(target.origin)
            if kept is not None:
                try:
                    return await self._ask(kept, target.origin, request, until)
                except Unanswered:
                    # The server closed it while the request was on its way; it may do so at any time (RFC 9112 9.3.1).
                    if method != b"GET":
                        raise
            return await self._ask(await self._connected(target.origin, until), target.origin, request, until)
        except NoAnswer as error:
            raise EdgeUnavailable(f"{self._name} does not answer: {error}") from None
        except _UNCONNECTED as error:
            raise EdgeUnavailable(f"{self._name} does not answer: {type(error).__name__}") from None

    def close(self) -> Deferred[None]:
        """Close the connections that are kept."""
        return self._connections.close()

    async def _connected(self, origin: Origin, until: float) -> HttpConnection:
        connecting = self._connections.connect(origin)
        return await connecting.addTimeout(max(0.0, until - self._clock.seconds()), self._clock)

    async def _ask(self, connection: HttpConnection, origin: Origin, request: bytes, until: float) -> Reply:
        reply = await connection.ask(request, max(0.0, until - self._clock.seconds()))
        self._connections.give_back(origin, connection)
        return reply


def make_exchange(
    reactor: Any,
    root_url: str,
    timeout_seconds: float,
    connections: int,
    endpoint_of: EndpointOf | None = None,
    trust: Any = None,
    name: str = "Keystone",
) -> Exchange:
    """Return an exchange with connections of its own.

    :param root_url: what paths are put behind; '' where they are whole URLs.
    :param connections: how many are kept; how many there are at once is up to who sends.
    :param endpoint_of: where the network is not to be used.
    :param trust: by what an https server is checked (an IOpenSSLTrustRoot), None meaning what the system trusts.
    :param name: what errors call the other side.
    """
    reached = endpoint_of or network_endpoints(reactor, timeout_seconds, trust)
    kept = Connections(reactor, reached, connections)
    return Exchange(kept, root_url.rstrip("/").encode("ascii"), reactor, timeout_seconds, name)
