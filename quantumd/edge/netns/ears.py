"""One socket in each namespace that is listened to, read by the reactor. Source: ipv6(7), netdevice(7), RFC 3542."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from quantumd.edge.descriptors import close_after_events
from quantumd.edge.netns.interfaces import INamespaces

PACKET_INFO: Final = 50
_INDEX_OF, _NAME_OF = 0x8933, 0x8910
_SAID_BYTES: Final = 256

Said: TypeAlias = Sequence[tuple[int, int, bytes]]
"""What the kernel says of a message beside it."""
Listener: TypeAlias = Callable[[str, str, str, bytes], None]
"""Gets the namespace, the device by which a message came, its source without the device, and the message."""


@frozen
class Hearing:
    """What is listened for: ``make`` returns a socket that tells of packets' devices, run inside the namespace.

    A message of up to ``most_bytes`` is heard when ``judge`` says so, of its source, what is said of it, and itself; of
    a longer one only the beginning is seen. ``reads`` are read before other work of the reactor gets its turn.
    """

    name: str
    make: Callable[[], socket.socket]
    judge: Callable[[str, Said, bytes], bool]
    most_bytes: int
    reads: int


@implementer(IReadDescriptor)
@define(eq=False)
class _Ear:
    """The socket in one namespace."""

    namespace: str
    _socket: socket.socket
    _hearing: Hearing
    _heard: Listener

    def fileno(self) -> int:
        """See IReadDescriptor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """See IReadDescriptor."""
        return self._hearing.name

    def connectionLost(self, reason: object) -> None:
        """See IReadDescriptor."""
        self._socket.close()

    def doRead(self) -> None:
        """See IReadDescriptor."""
        for _ in range(self._hearing.reads):
            try:
                data, said, _flags, address = self._socket.recvmsg(self._hearing.most_bytes, _SAID_BYTES)
            except OSError:
                return
            source = str(address[0]).partition("%")[0]
            index = device_in(said)
            if index and self._hearing.judge(source, said, data):
                # A device that has gone meanwhile has no name.
                with suppress(OSError):
                    self._heard(self.namespace, self._name_of(index), source, data)

    def send(self, device: str, target: tuple[str, int], message: bytes) -> None:
        """Send from a device; one that is not there, or has no address yet, sends nothing."""
        with suppress(OSError):
            told = ((socket.IPPROTO_IPV6, PACKET_INFO, bytes(16) + struct.pack("=i", self._index(device))),)
            self._socket.sendmsg((message,), told, 0, (*target, 0, 0))

    def _name_of(self, index: int) -> str:
        return self._ask(_NAME_OF, struct.pack("16xi20x", index))[:16].rstrip(b"\0").decode(errors="replace")

    def _index(self, device: str) -> int:
        number: int = struct.unpack_from("=i", self._ask(_INDEX_OF, device.encode()[:15].ljust(40, b"\0")), 16)[0]
        return number

    def _ask(self, what: int, request: bytes) -> bytes:
        # Of the namespace in which the socket was made, whoever asks (netdevice(7)).
        return fcntl.ioctl(self._socket.fileno(), what, request)


@define(eq=False)
class Ears:
    """The sockets of one kind. ``heard`` is called with what comes."""

    _reactor: Any
    _namespaces: INamespaces
    _hearing: Hearing
    _heard: Listener
    _ears: dict[str, _Ear] = field(factory=dict, init=False)
    _wanted: set[str] = field(factory=set, init=False)

    async def open(self, namespace: str) -> None:
        """Hear what comes to a namespace from now on; harmless twice. EdgeError."""
        if namespace in self._wanted:
            return
        self._wanted.add(namespace)
        try:
            made = await self._namespaces.socket_in(namespace, self._hearing.make)
        except BaseException:
            self._wanted.discard(namespace)
            raise
        if namespace not in self._wanted:
            # It was closed meanwhile.
            made.close()
            return
        ear = self._ears[namespace] = _Ear(namespace, made, self._hearing, self._heard)
        self._reactor.addReader(ear)

    def close(self, namespace: str) -> None:
        """Hear nothing of a namespace any more; harmless twice."""
        self._wanted.discard(namespace)
        ear = self._ears.pop(namespace, None)
        if ear is not None:
            self._reactor.removeReader(ear)
            close_after_events(self._reactor, partial(ear.connectionLost, None))

    def stop(self) -> None:
        """Close all."""
        self._wanted.clear()
        for namespace in tuple(self._ears):
            self.close(namespace)

    def send(self, namespace: str, device: str, target: tuple[str, int], message: bytes) -> None:
        """Send from a device to an address and a port; nothing happens in a namespace that is not open."""
        ear = self._ears.get(namespace)
        if ear is not None:
            ear.send(device, target, message)


def device_in(said: Said) -> int:
    """Return the index of the device by which a message came; 0 when that is not told."""
    for level, kind, data in said:
        if level == socket.IPPROTO_IPV6 and kind == PACKET_INFO:
            number: int = struct.unpack_from("=i", data, 16)[0]
            return number
    return 0
