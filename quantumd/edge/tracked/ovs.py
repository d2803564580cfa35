"""The connections of an Open vSwitch, by its control socket: no OpenFlow message lists them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from zope.interface import implementer

from quantumd.edge.tracked.control import CommandRefused, connect
from quantumd.edge.tracked.interfaces import Connection, IConnections
from quantumd.edge.tracked.text import read_connection, tuple_text, zone_of

_SLICE_LINES: Final = 500
"""How many lines are read in one reactor turn: some milliseconds."""

_NO_LIMIT: Final = (1 << 32) - 1


@implementer(IConnections)
@define(eq=False)
class OvsConnections:
    """See IConnections. Each call has a connection of its own: ovs-vswitchd may be another one the next time.

    No datapath is named, so there must be one: flush-conntrack of Open vSwitch 3.1 takes no name.
    """

    _reactor: Any
    _run_dir: str

    def settle(self) -> Deferred[None]:
        """See IConnections."""
        return Deferred.fromCoroutine(self._settle())

    def read(self, zones: frozenset[int]) -> Deferred[tuple[Connection, ...]]:
        """See IConnections."""
        return Deferred.fromCoroutine(self._read(zones))

    def end(self, connections: Iterable[Connection]) -> Deferred[None]:
        """See IConnections."""
        return Deferred.fromCoroutine(self._end(tuple(connections)))

    def limit(self, zones: frozenset[int], most: int) -> Deferred[None]:
        """See IConnections."""
        return Deferred.fromCoroutine(self._limit(sorted(zones), most or _NO_LIMIT))

    def clear(self, zones: frozenset[int]) -> Deferred[None]:
        """See IConnections."""
        return Deferred.fromCoroutine(self._clear(zones))

    async def _settle(self) -> None:
        # Flows are in force at once, what the datapath has learned of the old ones is looked through a moment later.
        await self._call("revalidator/wait")

    async def _read(self, zones: frozenset[int]) -> tuple[Connection, ...]:
        lines = (await self._call("dpctl/dump-conntrack")).splitlines()
        found = []
        for start in range(0, len(lines), _SLICE_LINES):
            if start:
                await deferLater(self._reactor, 0)
            wanted = (line for line in lines[start : start + _SLICE_LINES] if zone_of(line) in zones)
            read = (read_connection(line) for line in wanted)
            found += [connection for connection in read if connection is not None]
        return tuple(found)

    async def _end(self, connections: tuple[Connection, ...]) -> None:
        control = await connect(self._reactor, self._run_dir)
        try:
            for connection in connections:
                arguments = (f"zone={connection.zone}", tuple_text(connection))
                try:
                    await control.call(self._reactor, "dpctl/flush-conntrack", arguments)
                except CommandRefused as refused:
                    if not _is_absence(str(refused)):
                        raise
        finally:
            control.close()

    async def _limit(self, zones: Sequence[int], most: int) -> None:
        # The default limit will not do: all zones without one of their own share it.
        for start in range(0, len(zones), _SLICE_LINES):
            limits = (f"zone={zone},limit={most}" for zone in zones[start : start + _SLICE_LINES])
            await self._call("dpctl/ct-set-limits", *limits)

    async def _clear(self, zones: frozenset[int]) -> None:
        for zone in sorted(zones):
            await self._call("dpctl/flush-conntrack", f"zone={zone}")

    async def _call(self, command: str, *arguments: str) -> str:
        control = await connect(self._reactor, self._run_dir)
        try:
            return await control.call(self._reactor, command, arguments)
        finally:
            control.close()


def _is_absence(why: str) -> bool:
    return "No such file or directory" in why
