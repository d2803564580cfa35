"""Who listens where: sockets in the place of services, taken into the reactor of the process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults, maybeDeferred
from twisted.internet.protocol import AbstractDatagramProtocol, Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.edge.netns.interfaces import INamespaces
from quantumd.errors import EdgeError
from quantumd.model.services import TCP, ServicePoint

Listener: TypeAlias = Factory | Callable[[], AbstractDatagramProtocol]
"""What connections of TCP are given to, or makes what datagrams of UDP at one address are given to.

IServiceDoor tells who is behind a peer's address.
"""

RETRY_SECONDS: Final = 1.0
_BACKLOG: Final = 512
_LARGEST_DATAGRAM_BYTES: Final = 65_535
_FREE_BIND, _FREE_BIND_V6 = 15, 78
"""An address may be listened at before it is there, and stays so when it goes (ip(7), ipv6(7))."""


@define(eq=False)
class Listeners(Service):
    """Listens at every point once the place is there; ``begin`` may be said again and again.

    The namespace that holds the sockets stays the same one as long as the process runs, whoever takes its name away.
    """

    _reactor: Any
    _namespaces: INamespaces
    _namespace: str
    _listeners: Mapping[ServicePoint, Listener]
    _ports: list[Any] = field(factory=list, init=False)
    _is_begun: bool = field(default=False, init=False)
    _timer: Any = field(default=None, init=False)
    _log = Logger()

    @property
    def is_listening(self) -> bool:
        """Whether every point is listened at."""
        return bool(self._ports)

    def begin(self) -> None:
        """Listen, if that has not begun yet."""
        if self.running and not self._is_begun:
            self._is_begun = True
            ensureDeferred(self._listen()).addErrback(self._failed)

    def stopService(self) -> Deferred[Any]:
        """Listen no more."""
        super().stopService()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        ports, self._ports, self._is_begun = self._ports, [], False
        return gatherResults([maybeDeferred(port.stopListening) for port in ports])

    async def _listen(self) -> None:
        opened: list[tuple[socket.socket, Listener]] = []
        try:
            for point, listener in self._listeners.items():
                for make in _makers(point):
                    made = await self._namespaces.socket_in(self._namespace, make)
                    opened.append((made, listener))
            if self.running:
                self._ports = [self._adopt(each, listener) for each, listener in opened]
        finally:
            # The reactor has taken descriptors of its own.
            for each, _ in opened:
                each.close()

    def _adopt(self, opened: socket.socket, listener: Listener) -> Any:
        if isinstance(listener, Factory):
            return self._reactor.adoptStreamPort(opened.fileno(), opened.family, listener)
        return self._reactor.adoptDatagramPort(opened.fileno(), opened.family, listener(), _LARGEST_DATAGRAM_BYTES)

    def _failed(self, failure: Failure) -> None:
        failure.trap(EdgeError)
        self._log.warn("services cannot listen: {why}", why=str(failure.value))
        self._is_begun = False
        if self.running:
            self._timer = self._reactor.callLater(RETRY_SECONDS, self.begin)


def _makers(point: ServicePoint) -> tuple[Callable[[], socket.socket], ...]:
    ends = ((socket.AF_INET, point.ipv4), (socket.AF_INET6, point.inner_ipv6))
    return tuple(partial(_socket, point, family, at) for family, at in ends)


def _socket(point: ServicePoint, family: socket.AddressFamily, at: str) -> socket.socket:
    """Return a socket that listens, or gets what is sent to the point. OSError."""
    made = socket.socket(family, socket.SOCK_STREAM if point.protocol == TCP else socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.IPPROTO_IPV6, _FREE_BIND_V6, 1)
        else:
            made.setsockopt(socket.IPPROTO_IP, _FREE_BIND, 1)
        made.bind((at, point.port))
        if point.protocol == TCP:
            made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made
