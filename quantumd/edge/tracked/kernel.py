"""The connections that the kernel tracks in the network namespace of this process.

A look takes the kernel as long as its table is large, while whoever asks is held: so a thread asks.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool
from zope.interface import implementer

from quantumd.edge.netlink.wire import ACK, DUMP, HEADER, REQUEST, Refused, refusal_in, split
from quantumd.edge.tracked.ctnetlink import (
    DELETE,
    GET,
    query,
    read_connection,
    read_outer_addresses,
    read_outer_port,
    removal,
)
from quantumd.edge.tracked.interfaces import Connection, IConnections
from quantumd.errors import EdgeTimeout, EdgeUnavailable

LIMIT_SECONDS: Final = 20.0
"""How long a look, or the end of many connections, may take."""
_NETFILTER: Final = 12
_READ_BYTES: Final = 262_144

T = TypeVar("T")


@implementer(IConnections)
@define(eq=False)
class KernelConnections:
    """See IConnections."""

    _reactor: Any

    def settle(self) -> Deferred[None]:
        """See IConnections. Packets obey a transaction of filters when it has been made."""
        return succeed(None)

    def read(self, zones: frozenset[int]) -> Deferred[tuple[Connection, ...]]:
        """See IConnections."""
        return self._on_thread(lambda talk: tuple(dict.fromkeys(_read(talk, zones))))

    def end(self, connections: Iterable[Connection]) -> Deferred[None]:
        """See IConnections."""
        wanted = tuple(connections)
        return self._on_thread(lambda talk: _end(talk, wanted)) if wanted else succeed(None)

    def limit(self, zones: frozenset[int], most: int) -> Deferred[None]:
        """See IConnections. The kernel has one limit for all zones (nf_conntrack_max), which is not ours to set."""
        return succeed(None)

    def clear(self, zones: frozenset[int]) -> Deferred[None]:
        """See IConnections. Kernels before 6.8 would forget those of all zones if they were told at once."""
        return self._on_thread(lambda talk: _end(talk, _read(talk, zones)))

    def _on_thread(self, work: Callable[[_Talk], T]) -> Deferred[T]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), _run, work)


@define
class _Talk:
    """Requests on one socket, one after the other, for a thread. EdgeError."""

    _socket: socket.socket
    _ends_at: float
    _last: int = field(default=0, init=False)

    def request(self, kind: int, flags: int, body: bytes) -> Iterator[bytes]:
        """Send a request; yield the bodies of what answers it."""
        self._last += 1
        head = HEADER.pack(HEADER.size + len(body), kind, flags | REQUEST, self._last, 0)
        self._socket.send(head + body)
        while True:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                raise EdgeTimeout(f"the kernel did not tell of connections within {LIMIT_SECONDS:g} s")
            self._socket.settimeout(left)
            for number, message in split(self._socket.recv(_READ_BYTES)):
                if number != self._last:
                    continue
                refused = refusal_in(message)
                if refused is None:
                    yield message.body
                elif refused:
                    raise Refused(refused)
                else:
                    return


def _run(work: Callable[[_Talk], T]) -> T:
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER) as opened:
            return work(_Talk(opened, time.monotonic() + LIMIT_SECONDS))
    except TimeoutError as error:
        raise EdgeTimeout(f"the kernel did not tell of connections within {LIMIT_SECONDS:g} s") from error
    except OSError as error:
        raise EdgeUnavailable(f"connections cannot be asked for: {error.strerror}") from error


Ports: TypeAlias = Mapping[tuple[str, int], Sequence[tuple[int, int]]]
"""First and last of ports, by address and protocol."""


def end_translated(addresses: frozenset[str], ports: Ports) -> int:
    """End the connections that are translated to or from these outer addresses; return how many. EdgeError.

    And those that go to these ports. Those of the network namespace that the calling thread is in, which is held until
    it is done.
    """

    def goes_to(address: str, protocol: int, port: int) -> bool:
        return any(first <= port <= last for first, last in ports.get((address, protocol), ()))

    def is_meant(body: bytes) -> bool:
        is_of_address = not addresses.isdisjoint(read_outer_addresses(body))
        return is_of_address or (bool(ports) and goes_to(*read_outer_port(body)))

    def work(talk: _Talk) -> int:
        bodies = [body for body in talk.request(GET, DUMP, query(0)) if is_meant(body)]
        found = tuple(filter(None, map(read_connection, bodies)))
        _end(talk, found)
        return len(found)

    return _run(work)


def _read(talk: _Talk, zones: frozenset[int]) -> Iterator[Connection]:
    for zone in zones:
        for body in talk.request(GET, DUMP, query(zone)):
            connection = read_connection(body)
            if connection is not None and connection.zone in zones:
                yield connection


def _end(talk: _Talk, connections: Iterable[Connection]) -> None:
    # All are known before the first is ended: a socket has one answer under way at a time.
    for connection in tuple(connections):
        try:
            list(talk.request(DELETE, ACK, removal(connection)))
        except Refused as error:
            if error.number != errno.ENOENT:
                raise
