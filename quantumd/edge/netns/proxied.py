"""Addresses that namespaces answer for: the kernel tells nobody that one has gone, so they are looked at now and then.

Source: pneigh_delete in the kernel's net/core/neighbour.c, which sends no news.
"""

from __future__ import annotations

from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from quantumd.edge.netlink.wire import DUMP
from quantumd.edge.netns import messages as m
from quantumd.edge.netns.interfaces import Address
from quantumd.edge.netns.rooms import Room, Rooms
from quantumd.errors import EdgeError

EVERY_SECONDS: Final = 2.0


@define(eq=False)
class ProxiedWatch:
    """Looks at namespaces that answered for addresses when they were read last; what differs is news."""

    _clock: IReactorTime
    _rooms: Rooms
    _known: dict[str, frozenset[str]] = field(factory=dict, init=False)
    """Which there were, by namespace."""
    _call: LoopingCall = field(init=False)
    _log = Logger()

    @_call.default
    def _make_call(self) -> LoopingCall:
        call = LoopingCall(self._look)
        call.clock = self._clock
        return call

    def start(self) -> None:
        """Begin to look."""
        self._call.start(EVERY_SECONDS, now=False)

    def stop(self) -> None:
        """Look no more."""
        if self._call.running:
            self._call.stop()

    def note(self, name: str, proxied: frozenset[Address]) -> None:
        """Take note of what was read of a namespace."""
        if proxied:
            self._known[name] = frozenset(each.address for each in proxied)
        else:
            self._known.pop(name, None)

    def _look(self) -> Deferred[None]:
        return ensureDeferred(self._look_at_all())

    async def _look_at_all(self) -> None:
        for name in tuple(self._known):
            room = self._rooms.held(name)
            if room is not None:
                await self._look_at(room)

    async def _look_at(self, room: Room) -> None:
        try:
            found = await room.turn.run(lambda: ensureDeferred(_found(room)))
        except EdgeError as error:
            # Whatever it is, whoever looks at all of the namespace finds it too.
            self._log.debug("{name} cannot be looked at: {why}", name=room.name, why=str(error))
            return
        if self._known.get(room.name, found) != found:
            self._rooms.heard(room.name)


async def _found(room: Room) -> frozenset[str]:
    said = await room.wire.request(m.GET_NEIGHBOUR, DUMP, m.proxied())
    return frozenset(address for _, address in filter(None, (m.read_proxied(each.body) for each in said)))
