"""A netlink socket that the reactor reads: requests are answered by number, each within a time limit.

Source: netlink(7), rtnetlink(7).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from quantumd.edge.descriptors import close_after_events
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable

HEADER: Final = struct.Struct("=IHHII")
"""Length, type, flags, sequence number, port of the sender."""
REQUEST, MULTI, ACK, DUMP, REPLACE, CREATE, EXCLUSIVE, APPEND = 1, 2, 4, 0x300, 0x100, 0x400, 0x200, 0x800
LIMIT_SECONDS: Final = 5.0
_ERROR, _DONE = 2, 3
_CODE_BYTES = 4
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_BUFFER_BYTES = 4 * 1024 * 1024
_READ_BYTES = 262_144
_READS = 16
_TURN_SECONDS = 0.005
"""How many datagrams are read, and for how long, before other work of the reactor gets its turn.

The kernel does what it is asked while it is asked. Who hears an answer and asks for more finds the next answer here at
once, and waited in between for whatever else holds the devices of the machine.
"""
_LARGEST_ANSWER_BYTES = 256 * 1024 * 1024


class Refused(EdgeError):
    """The kernel said no. ``number`` is the errno."""

    def __init__(self, number: int, what: str = "") -> None:
        super().__init__(f"{what + ': ' if what else ''}{os.strerror(number)}")
        self.number = number


@frozen
class Message:
    """One message of the kernel: its type, who asked for it (0: nobody), and what follows its header."""

    kind: int
    port: int
    body: bytes


@define
class _Waiting:
    done: Deferred[tuple[Message, ...]]
    messages: list[Message] = field(factory=list)
    size: int = 0


@implementer(IReadDescriptor)
@define(eq=False)
class NetlinkWire:
    """Requests to one of the kernel's netlink families, and what it says to groups.

    ``on_news`` gets what nobody asked for; ``on_overrun`` is called when some of that was lost.
    """

    _reactor: Any
    _family: int
    _groups: tuple[int, ...] = ()
    _on_news: Callable[[tuple[Message, ...]], None] = lambda messages: None
    _on_overrun: Callable[[], None] = lambda: None
    _socket: socket.socket | None = field(default=None, init=False)
    _last: int = field(default=0, init=False)
    _waiting: dict[int, _Waiting] = field(factory=dict, init=False)
    port: int = field(default=0, init=False)
    """By which the kernel knows this socket."""

    def open(self) -> None:
        """Open a socket in the network namespace of this process. EdgeUnavailable."""
        try:
            opened = raw_socket(self._family)
        except OSError as error:
            raise EdgeUnavailable(f"netlink cannot be reached: {error.strerror}") from error
        self.use(opened)

    def use(self, opened: socket.socket) -> None:
        """Use a socket of ``raw_socket``, which speaks of the network namespace that it was made in."""
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        opened.bind((0, 0))
        for group in self._groups:
            opened.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        self._socket, self.port = opened, opened.getsockname()[0]
        self._reactor.addReader(self)

    def close(self) -> None:
        """Close the socket; whoever waits is told."""
        if self._socket is None:
            return
        self._reactor.removeReader(self)
        close_after_events(self._reactor, self._socket.close)
        self._socket = None
        self._fail_all(EdgeUnavailable("netlink is closed"))

    def request(self, kind: int, flags: int, body: bytes) -> Deferred[tuple[Message, ...]]:
        """Send a request; fire with what answers it. EdgeError."""
        if self._socket is None:
            raise EdgeUnavailable("netlink is closed")
        self._last = self._last % 0xFFFFFFFF + 1
        number = self._last
        done: Deferred[tuple[Message, ...]] = Deferred()
        self._waiting[number] = _Waiting(done)
        message = HEADER.pack(HEADER.size + len(body), kind, flags | REQUEST, number, self.port) + body
        try:
            self._socket.send(message)
        except OSError as error:
            del self._waiting[number]
            raise EdgeUnavailable(f"netlink takes no request: {error.strerror}") from error
        timer = self._reactor.callLater(LIMIT_SECONDS, self._too_late, number)
        return done.addBoth(_stop_timer, timer)

    def _too_late(self, number: int) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            waiting.done.errback(EdgeTimeout(f"the kernel did not answer within {LIMIT_SECONDS:g} s"))

    def _fail_all(self, error: EdgeError) -> None:
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            each.done.errback(error)

    # --- IReadDescriptor

    def fileno(self) -> int:
        """See IReadDescriptor."""
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self) -> str:
        """See IReadDescriptor."""
        return "netlink"

    def connectionLost(self, reason: object) -> None:
        """See IReadDescriptor."""
        self.close()

    def doRead(self) -> None:
        """See IReadDescriptor."""
        began = self._reactor.seconds()
        for _ in range(_READS):
            if self._socket is None or self._reactor.seconds() - began > _TURN_SECONDS:
                return
            try:
                data = self._socket.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    # Answers may be among what was lost as well.
                    self._fail_all(EdgeUnavailable("the kernel said more than could be read"))
                    self._on_overrun()
                    continue
                raise
            self._take(data)

    def _take(self, data: bytes) -> None:
        news = []
        for number, message in split(data):
            waiting = self._waiting.get(number) if message.port == self.port else None
            if waiting is None:
                news.append(message)
            else:
                self._answer(number, waiting, message)
        if news:
            self._on_news(tuple(news))

    def _answer(self, number: int, waiting: _Waiting, message: Message) -> None:
        refused = refusal_in(message)
        if refused is None:
            waiting.size += len(message.body)
            if waiting.size > _LARGEST_ANSWER_BYTES:
                self._waiting.pop(number)
                waiting.done.errback(EdgeError("the kernel answered more than can be held"))
                return
            waiting.messages.append(message)
            return
        self._waiting.pop(number)
        if refused:
            waiting.done.errback(Refused(refused))
        else:
            waiting.done.callback(tuple(waiting.messages))


def raw_socket(family: int) -> socket.socket:
    """Return a socket to a family of netlink. OSError."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)


def _stop_timer(result: Any, timer: Any) -> Any:
    if timer.active():
        timer.cancel()
    return result


def refusal_in(message: Message) -> int | None:
    """Return the errno with which an answer ends, 0 of success; None of a message that is part of the answer."""
    if message.kind not in (_ERROR, _DONE):
        return None
    return -int.from_bytes(message.body[:4], "little", signed=True) if len(message.body) >= _CODE_BYTES else 0


def split(data: bytes) -> Iterator[tuple[int, Message]]:
    """Yield the messages of a datagram, with the numbers of the requests that they answer."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, _, number, port = HEADER.unpack_from(data, at)
        if not HEADER.size <= length <= len(data) - at:
            return
        yield number, Message(kind, port, data[at + HEADER.size : at + length])
        at += (length + 3) & ~3
