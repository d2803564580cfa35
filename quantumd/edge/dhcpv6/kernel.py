"""DHCPv6 clients by UDP sockets, one for each namespace. Source: ipv6(7), RFC 8415, 13.1."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from zope.interface import implementer

from quantumd.edge.dhcpv6.interfaces import ALL_SERVERS, CLIENT_PORT, MOST_ANSWER_BYTES, SERVER_PORT, IClients
from quantumd.edge.netns.ears import Ears, Hearing, Said
from quantumd.edge.netns.interfaces import INamespaces

_READS: Final = 8
"""How many are read before other work of the reactor gets its turn."""


@implementer(IClients)
@define(eq=False)
class KernelClients:
    """See IClients."""

    _reactor: Any
    _namespaces: INamespaces
    _ears: Ears = field(init=False)
    _listeners: list[Callable[[str, str, bytes], None]] = field(factory=list, init=False)

    @_ears.default
    def _make_ears(self) -> Ears:
        hearing = Hearing("dhcpv6", _make_socket, _is_answer, MOST_ANSWER_BYTES + 1, _READS)
        return Ears(self._reactor, self._namespaces, hearing, self._heard)

    def on_answer(self, listener: Callable[[str, str, bytes], None]) -> None:
        """See IClients."""
        self._listeners.append(listener)

    def open(self, namespace: str) -> Deferred[None]:
        """See IClients."""
        return ensureDeferred(self._ears.open(namespace))

    def close(self, namespace: str) -> None:
        """See IClients."""
        self._ears.close(namespace)

    def stop(self) -> None:
        """See IClients."""
        self._ears.stop()

    def send(self, namespace: str, device: str, payload: bytes) -> None:
        """See IClients."""
        self._ears.send(namespace, device, (ALL_SERVERS, SERVER_PORT), payload)

    def _heard(self, namespace: str, device: str, _: str, payload: bytes) -> None:
        for listener in tuple(self._listeners):
            listener(namespace, device, payload)


def _make_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        made.setblocking(False)
        made.bind(("::", CLIENT_PORT))
    except OSError:
        made.close()
        raise
    return made


def _is_answer(source: str, _: Said, payload: bytes) -> bool:
    # Servers and relays answer a client on the link from their addresses there.
    return len(payload) <= MOST_ANSWER_BYTES and IPv6Address(source).is_link_local
