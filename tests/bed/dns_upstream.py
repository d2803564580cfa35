"""A stand-in for the DNS servers of the world, on the loopback of a network namespace.

``NAME.big`` has 100 addresses, ``NAME.small`` one, ``echo.size`` the size that it was asked for; nobody has others.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

from attrs import define, field
from twisted.names import dns

from quantumd.edge.netns import inside

PORT = 5353

_LOOK_SECONDS = 0.05

WELL = "well"
SILENT = "silent"
"""Questions are read and never answered."""
LIES = "lies"
"""Each answer comes behind false ones: with other numbers, to other questions."""


@define(eq=False)
class DnsUpstream:
    """Listens by UDP and TCP at 127.0.0.1:PORT; ``asked`` are the questions that came: name, whether by TCP, number."""

    namespace: str
    mood: str = WELL
    asked: list[tuple[str, bool, int]] = field(factory=list, init=False)
    sources: list[int] = field(factory=list, init=False)
    """The ports that UDP came from."""
    _sockets: list[socket.socket] = field(factory=list, init=False)
    _threads: list[threading.Thread] = field(factory=list, init=False)

    def start(self) -> None:
        """Begin."""
        self._sockets = _bound(self.namespace)
        for each in self._sockets:
            each.settimeout(_LOOK_SECONDS)
        serving = (self._datagrams, self._connections)
        self._threads = [threading.Thread(target=each, daemon=True) for each in serving]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; harmless when it has not begun."""
        sockets, self._sockets = self._sockets, []
        # Who waits in a call would hold the socket open.
        for thread in self._threads:
            thread.join()
        for each in sockets:
            each.close()

    def _datagrams(self) -> None:
        by_udp = self._sockets[0]
        while self._sockets:
            with suppress(OSError):
                data, peer = by_udp.recvfrom(65_535)
                self.sources.append(peer[1])
                for said in self._answers(data, False):
                    by_udp.sendto(said, peer)

    def _connections(self) -> None:
        listening = self._sockets[1]
        while self._sockets:
            with suppress(OSError):
                connection, _ = listening.accept()
                threading.Thread(target=self._connection, args=(connection,), daemon=True).start()

    def _connection(self, connection: socket.socket) -> None:
        with suppress(OSError, struct.error), connection, connection.makefile("rb") as stream:
            while True:
                (length,) = struct.unpack("!H", stream.read(2))
                for said in self._answers(stream.read(length), True):
                    connection.sendall(struct.pack("!H", len(said)) + said)

    def _answers(self, data: bytes, is_tcp: bool) -> list[bytes]:
        message = dns.Message()
        message.fromStr(data)
        (query,) = message.queries
        name = query.name.name.decode().lower()
        self.asked.append((name, is_tcp, message.id))
        if self.mood == SILENT:
            return []
        right = _answer(message, name, 65_535 if is_tcp else _size(message))
        if self.mood != LIES or is_tcp:
            return [right]
        other_number = ((message.id + 1) % 65_536).to_bytes(2, "big") + _answer(message, "liar.small")[2:]
        other_question = dns.Message(message.id, answer=1)
        other_question.queries = [dns.Query("else.small")]
        other_question.answers = [_address("else.small", "192.0.2.66")]
        return [other_number, other_question.toStr(), b"", data, right]


def _size(message: dns.Message) -> int:
    sizes = [each.cls for each in message.additional if each.type == dns.OPT]
    return sizes[0] if sizes else 512


def _address(name: str, address: str) -> dns.RRHeader:
    return dns.RRHeader(name, dns.A, dns.IN, 60, dns.Record_A(address, 60))


def _answer(message: dns.Message, name: str, size: int = 65_535) -> bytes:
    reply = dns.Message(message.id, answer=1, recAv=1, recDes=message.recDes)
    reply.maxSize, reply.queries = 0, message.queries
    if name.endswith(".big"):
        reply.answers = [_address(name, f"198.51.100.{each}") for each in range(1, 101)]
    elif name == "liar.small":
        reply.answers = [_address(name, "192.0.2.66")]
    elif name == "echo.size":
        reply.answers = [_address(name, f"192.0.{size // 256}.{size % 256}")]
    elif name.endswith(".small"):
        reply.answers = [_address(name, "198.51.100.1")]
    else:
        reply.rCode = dns.ENAME
    whole = reply.toStr()
    if len(whole) <= size:
        return whole
    reply.answers, reply.trunc = [], 1
    return reply.toStr()


def _bound(namespace: str) -> list[socket.socket]:
    made: list[socket.socket] = []

    def bind() -> None:
        descriptor = inside.open_named(namespace)
        assert descriptor is not None
        inside.enter(descriptor)
        by_udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        by_udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        by_udp.bind(("127.0.0.1", PORT))
        made.extend((by_udp, socket.create_server(("127.0.0.1", PORT), backlog=128)))

    # A thread that was in another namespace does nothing else afterwards.
    thread = threading.Thread(target=bind)
    thread.start()
    thread.join()
    return made
