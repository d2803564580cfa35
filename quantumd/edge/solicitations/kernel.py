"""ICMPv6 by raw sockets, one for each namespace. Source: icmp6(7), RFC 3542."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from zope.interface import implementer

from quantumd.edge.netns.ears import Ears, Hearing, Said
from quantumd.edge.netns.interfaces import INamespaces
from quantumd.edge.solicitations.interfaces import ISolicitations

_SOLICITATION: Final = 133
_FILTER: Final = 1
_HOPS: Final = 255
"""Those of what comes from the link itself: nobody else can send it (RFC 4861, 6.1.1)."""
_HOP_LIMIT: Final = 52
_READ_BYTES: Final = 2048
_READS: Final = 64
"""How many are read before other work of the reactor gets its turn."""

Listener = Callable[[str, str, str], None]


@implementer(ISolicitations)
@define(eq=False)
class KernelSolicitations:
    """See ISolicitations."""

    _reactor: Any
    _namespaces: INamespaces
    _ears: Ears = field(init=False)
    _listeners: list[Listener] = field(factory=list, init=False)

    @_ears.default
    def _make_ears(self) -> Ears:
        hearing = Hearing("solicitations", _make_socket, _is_solicitation, _READ_BYTES, _READS)
        return Ears(self._reactor, self._namespaces, hearing, self._heard)

    def on_solicitation(self, listener: Listener) -> None:
        """See ISolicitations."""
        self._listeners.append(listener)

    def open(self, namespace: str) -> Deferred[None]:
        """See ISolicitations."""
        return ensureDeferred(self._ears.open(namespace))

    def close(self, namespace: str) -> None:
        """See ISolicitations."""
        self._ears.close(namespace)

    def stop(self) -> None:
        """See ISolicitations."""
        self._ears.stop()

    def send(self, namespace: str, device: str, target: str, message: bytes) -> None:
        """See ISolicitations."""
        self._ears.send(namespace, device, (target, 0), message)

    def _heard(self, namespace: str, device: str, source: str, _: bytes) -> None:
        for listener in tuple(self._listeners):
            listener(namespace, device, source)


def _make_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_ICMPV6)
    # What is blocked, by type: all but solicitations.
    blocked = [0xFFFFFFFF] * 8
    blocked[_SOLICITATION // 32] &= ~(1 << (_SOLICITATION % 32)) & 0xFFFFFFFF
    made.setsockopt(socket.IPPROTO_ICMPV6, _FILTER, struct.pack("=8I", *blocked))
    for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT):
        made.setsockopt(socket.IPPROTO_IPV6, option, 1)
    for option in (socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS):
        made.setsockopt(socket.IPPROTO_IPV6, option, _HOPS)
    made.setblocking(False)
    return made


def _is_solicitation(_: str, said: Said, message: bytes) -> bool:
    hops = (data for level, kind, data in said if level == socket.IPPROTO_IPV6 and kind == _HOP_LIMIT)
    return message[:1] == bytes((_SOLICITATION,)) and any(struct.unpack_from("=i", each)[0] == _HOPS for each in hops)
