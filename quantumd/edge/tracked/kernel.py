"""The connections that the kernel tracks in the network namespace of this process."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.task import deferLater
from zope.interface import implementer

from quantumd.edge.netlink.wire import ACK, DUMP, NetlinkWire, Refused
from quantumd.edge.tracked.ctnetlink import DELETE, GET, query, read_connection, removal
from quantumd.edge.tracked.interfaces import Connection, IConnections

_NETFILTER: Final = 12
_SLICE: Final = 500
"""How many messages are read in one reactor turn: some milliseconds."""


@implementer(IConnections)
@define(eq=False)
class KernelConnections:
    """See IConnections. Each use has a socket of its own, so that a namespace may come and go."""

    _reactor: Any
    _wire: NetlinkWire = field(init=False)
    _users: int = field(default=0, init=False)

    @_wire.default
    def _make_wire(self) -> NetlinkWire:
        return NetlinkWire(self._reactor, _NETFILTER)

    def settle(self) -> Deferred[None]:
        """See IConnections. Packets obey a transaction of filters when it has been made."""
        return succeed(None)

    def read(self, zones: frozenset[int]) -> Deferred[tuple[Connection, ...]]:
        """See IConnections."""
        return ensureDeferred(self._with_wire(self._read, zones))

    def end(self, connections: Iterable[Connection]) -> Deferred[None]:
        """See IConnections."""
        return ensureDeferred(self._with_wire(self._end, tuple(connections)))

    def limit(self, zones: frozenset[int], most: int) -> Deferred[None]:
        """See IConnections. The kernel has one limit for all zones (nf_conntrack_max), which is not ours to set."""
        return succeed(None)

    def clear(self, zones: frozenset[int]) -> Deferred[None]:
        """See IConnections. Kernels before 6.8 would forget those of all zones if they were told at once."""
        return ensureDeferred(self._with_wire(self._clear, zones))

    async def _with_wire(self, work: Any, what: Any) -> Any:
        if not self._users:
            self._wire.open()
        self._users += 1
        try:
            return await work(what)
        finally:
            self._users -= 1
            if not self._users:
                self._wire.close()

    async def _read(self, zones: frozenset[int]) -> tuple[Connection, ...]:
        found: dict[Connection, None] = {}
        for zone in zones:
            for at, message in enumerate(await self._wire.request(GET, DUMP, query(zone))):
                if at % _SLICE == _SLICE - 1:
                    await deferLater(self._reactor, 0)
                connection = read_connection(message.body)
                if connection is not None and connection.zone in zones:
                    found[connection] = None
        return tuple(found)

    async def _end(self, connections: tuple[Connection, ...]) -> None:
        for connection in connections:
            try:
                await self._wire.request(DELETE, ACK, removal(connection))
            except Refused as error:
                if error.number != errno.ENOENT:
                    raise

    async def _clear(self, zones: frozenset[int]) -> None:
        await self._end(await self._read(zones))
