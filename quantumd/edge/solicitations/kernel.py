"""ICMPv6 by raw sockets, one for each namespace. Source: icmp6(7), RFC 3542."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from quantumd.edge.descriptors import close_after_events
from quantumd.edge.netns.interfaces import INamespaces
from quantumd.edge.solicitations.interfaces import ISolicitations

_SOLICITATION: Final = 133
_FILTER: Final = 1
_HOPS: Final = 255
"""Those of what comes from the link itself: nobody else can send it (RFC 4861, 6.1.1)."""
_HOP_LIMIT, _PACKET_INFO = 52, 50
_INDEX_OF, _NAME_OF = 0x8933, 0x8910
_READ_BYTES: Final = 2048
_READS: Final = 64
"""How many are read before other work of the reactor gets its turn."""

Listener = Callable[[str, str, str], None]


@implementer(IReadDescriptor)
@define(eq=False)
class _Ear:
    """The socket in one namespace."""

    namespace: str
    _socket: socket.socket
    _heard: Callable[[str, int, str], None]

    def fileno(self) -> int:
        """See IReadDescriptor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """See IReadDescriptor."""
        return "solicitations"

    def connectionLost(self, reason: object) -> None:
        """See IReadDescriptor."""
        self._socket.close()

    def doRead(self) -> None:
        """See IReadDescriptor."""
        for _ in range(_READS):
            try:
                data, said, _flags, source = self._socket.recvmsg(_READ_BYTES, 256)
            except OSError:
                return
            index = _from_link(said)
            if data[:1] == bytes((_SOLICITATION,)) and index:
                self._heard(self.namespace, index, str(source[0]).partition("%")[0])

    def send(self, device: str, target: str, message: bytes) -> None:
        """Send from a device; one that is not there, or has no address yet, is told again later."""
        with suppress(OSError):
            index = struct.pack("=i", self._index(device))
            self._socket.sendmsg(
                (message,), ((socket.IPPROTO_IPV6, _PACKET_INFO, bytes(16) + index),), 0, (target, 0, 0, 0)
            )

    def name_of(self, index: int) -> str:
        """Return a device's name; '' of one that is gone."""
        request = struct.pack("16xi20x", index)
        return self._ask(_NAME_OF, request)[:16].rstrip(b"\0").decode(errors="replace")

    def _index(self, device: str) -> int:
        number: int = struct.unpack_from("=i", self._ask(_INDEX_OF, device.encode()[:15].ljust(40, b"\0")), 16)[0]
        return number

    def _ask(self, what: int, request: bytes) -> bytes:
        # Of the namespace in which the socket was made, whoever asks (netdevice(7)).
        return fcntl.ioctl(self._socket.fileno(), what, request)


@implementer(ISolicitations)
@define(eq=False)
class KernelSolicitations:
    """See ISolicitations."""

    _reactor: Any
    _namespaces: INamespaces
    _ears: dict[str, _Ear] = field(factory=dict, init=False)
    _wanted: set[str] = field(factory=set, init=False)
    _listeners: list[Listener] = field(factory=list, init=False)

    def on_solicitation(self, listener: Listener) -> None:
        """See ISolicitations."""
        self._listeners.append(listener)

    def open(self, namespace: str) -> Deferred[None]:
        """See ISolicitations."""
        return ensureDeferred(self._open(namespace))

    async def _open(self, namespace: str) -> None:
        if namespace in self._wanted:
            return
        self._wanted.add(namespace)
        try:
            made = await self._namespaces.socket_in(namespace, _make_socket)
        except BaseException:
            self._wanted.discard(namespace)
            raise
        if namespace not in self._wanted:
            # It was closed meanwhile.
            made.close()
            return
        ear = self._ears[namespace] = _Ear(namespace, made, self._heard)
        self._reactor.addReader(ear)

    def close(self, namespace: str) -> None:
        """See ISolicitations."""
        self._wanted.discard(namespace)
        ear = self._ears.pop(namespace, None)
        if ear is not None:
            self._reactor.removeReader(ear)
            close_after_events(self._reactor, partial(ear.connectionLost, None))

    def stop(self) -> None:
        """See ISolicitations."""
        self._wanted.clear()
        for namespace in tuple(self._ears):
            self.close(namespace)

    def send(self, namespace: str, device: str, target: str, message: bytes) -> None:
        """See ISolicitations."""
        ear = self._ears.get(namespace)
        if ear is not None:
            ear.send(device, target, message)

    def _heard(self, namespace: str, index: int, source: str) -> None:
        ear = self._ears.get(namespace)
        name = ""
        if ear is not None:
            with suppress(OSError):
                name = ear.name_of(index)
        if name:
            for listener in tuple(self._listeners):
                listener(namespace, name, source)


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


def _from_link(said: list[tuple[int, int, bytes]]) -> int:
    """Return the index of the device by which a message came, if it came from the link itself; 0 if it did not."""
    index = hops = 0
    for level, kind, data in said:
        if level == socket.IPPROTO_IPV6 and kind == _PACKET_INFO:
            index = struct.unpack_from("=i", data, 16)[0]
        elif level == socket.IPPROTO_IPV6 and kind == _HOP_LIMIT:
            hops = struct.unpack_from("=i", data)[0]
    return index if hops == _HOPS else 0
