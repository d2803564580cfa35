"""The connections of a bridge in memory."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from attrs import define
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.openflow.tracking import Entry
from quantumd.edge.tracked.interfaces import Connection, IConnections


@implementer(IConnections)
@define(eq=False)
class MemoryConnections:
    """See IConnections."""

    _switch: MemorySwitch

    def settle(self) -> Deferred[None]:
        """See IConnections."""
        return succeed(None)

    def read(self, zones: frozenset[int]) -> Deferred[tuple[Connection, ...]]:
        """See IConnections."""
        return succeed(tuple(_connection(entry) for entry in self._switch.connections if entry.zone in zones))

    def end(self, connections: Iterable[Connection]) -> Deferred[None]:
        """See IConnections."""
        wanted = frozenset(connections)
        for entry in self._switch.connections:
            if _connection(entry) in wanted:
                self._switch.connections.end(entry)
        return succeed(None)

    def limit(self, zones: frozenset[int], most: int) -> Deferred[None]:
        """See IConnections."""
        self._switch.connections.limits.update(dict.fromkeys(zones, most))
        return succeed(None)

    def clear(self, zones: frozenset[int]) -> Deferred[None]:
        """See IConnections."""
        for entry in self._switch.connections:
            if entry.zone in zones:
                self._switch.connections.end(entry)
        return succeed(None)


def _connection(entry: Entry) -> Connection:
    ends = entry.original
    source, target = (str(_address(ends.kind, each)) for each in (ends.source, ends.target))
    return Connection(entry.zone, ends.protocol, source, target, ends.source_port, ends.target_port)


def _address(kind: int, number: int) -> object:
    size = 4 if kind == 0x0800 else 16
    return ip_address(number.to_bytes(size, "big"))
