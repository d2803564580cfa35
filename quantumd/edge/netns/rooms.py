"""Network namespaces that are open: a descriptor by which each stays, sockets in it, and news of what is in it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any, Final, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredLock, fail

from quantumd.edge.netlink.wire import NetlinkWire, raw_socket
from quantumd.edge.netns import inside
from quantumd.edge.netns.routing import GROUPS
from quantumd.edge.nft.listing import Looks
from quantumd.errors import EdgeError, EdgeUnavailable

ROUTE: Final = 0
NETFILTER: Final = 12
_NFTABLES_GROUP: Final = 7
_QUIET_SECONDS: Final = 0.2
"""How long after news it is looked again: much is told of at once."""

T = TypeVar("T")


@frozen
class Door:
    """What a thread that was in a namespace brings out of it."""

    descriptor: int
    route: socket.socket
    netfilter: socket.socket

    def close(self) -> None:
        """Let it go."""
        self.route.close()
        self.netfilter.close()
        os.close(self.descriptor)


@define(eq=False)
class Room:
    """A namespace that is open."""

    name: str
    descriptor: int
    wire: NetlinkWire
    filters: NetlinkWire
    looks: Looks = field(factory=Looks)
    turn: DeferredLock = field(factory=DeferredLock)
    """Of whoever looks around: a socket that is asked for a second list before the end of the first says no."""

    def close(self) -> None:
        """Let it go; it stays as it is."""
        self.wire.close()
        self.filters.close()
        os.close(self.descriptor)


@define(eq=False)
class Rooms:
    """Opens namespaces; ``tell(name)`` is called a moment after something in an open one, or its name, changed."""

    _reactor: Any
    _tell: Callable[[str], None]
    _rooms: dict[str, Room] = field(factory=dict, init=False)
    _waiting: dict[str, Any] = field(factory=dict, init=False)
    _is_open: bool = field(default=False, init=False)

    def open(self) -> None:
        """Let namespaces be opened from now on."""
        self._is_open = True

    def close(self) -> None:
        """Close all."""
        self._is_open = False
        for name in tuple(self._rooms):
            self.forget(name)

    def held(self, name: str) -> Room | None:
        """Return a namespace that is open."""
        return self._rooms.get(name)

    async def find(self, name: str) -> Room | None:
        """Return a namespace, which is open from now on; None when there is none of that name. EdgeError."""
        if name in self._rooms:
            return self._rooms[name]
        door = await self.on_thread(lambda: _open_named(name))
        return self._keep(name, door) if door is not None else None

    async def there(self, name: str) -> Room:
        """Return a namespace. EdgeUnavailable when there is none of that name; EdgeError."""
        room = await self.find(name)
        if room is None:
            raise EdgeUnavailable(f"there is no namespace {name}")
        return room

    async def make(self, name: str) -> Room:
        """Make a namespace. EdgeError."""
        return self._keep(name, await self.on_thread(lambda: _door(inside.make_named(name))))

    def forget(self, name: str) -> None:
        """Close a namespace, and tell nothing of it any more."""
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.cancel()
        room = self._rooms.pop(name, None)
        if room is not None:
            room.close()

    def within(self, room: Room, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work`` in a namespace, on a thread of its own. EdgeError."""
        try:
            entered = inside.entered(room.descriptor, work)
        except OSError as error:
            # It was closed meanwhile.
            return fail(EdgeUnavailable(f"{room.name}: {error.strerror}"))
        return self.on_thread(entered)

    def on_thread(self, work: Callable[[], T]) -> Deferred[T]:
        """Run ``work`` on a thread of its own. EdgeError."""
        return inside.on_thread(self._reactor, work)

    def heard(self, name: str) -> None:
        """Take note that something has happened to a namespace."""
        if name in self._rooms and name not in self._waiting:
            self._waiting[name] = self._reactor.callLater(_QUIET_SECONDS, self._tell_of, name)

    def _tell_of(self, name: str) -> None:
        del self._waiting[name]
        self._tell(name)

    def _keep(self, name: str, door: Door) -> Room:
        if not self._is_open or name in self._rooms:
            # It was closed meanwhile, or somebody else was faster.
            door.close()
            return self._rooms[name] if name in self._rooms else _raise_closed()

        def news(*_: object) -> None:
            self.heard(name)

        wire = NetlinkWire(self._reactor, ROUTE, GROUPS, news, news)
        filters = NetlinkWire(self._reactor, NETFILTER, (_NFTABLES_GROUP,), news, news)
        try:
            wire.use(door.route)
            filters.use(door.netfilter)
        except OSError as error:
            wire.close()
            door.close()
            raise EdgeError(f"nothing can be heard of {name}: {error.strerror}") from error
        room = self._rooms[name] = Room(name, door.descriptor, wire, filters)
        return room


def _raise_closed() -> Room:
    raise EdgeUnavailable("network namespaces are closed")


def _open_named(name: str) -> Door | None:
    descriptor = inside.open_named(name)
    if descriptor is None:
        return None
    try:
        inside.enter(descriptor)
        return _door(descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _door(descriptor: int) -> Door:
    """Return what opens the namespace that the calling thread is in. OSError."""
    return Door(descriptor, raw_socket(ROUTE), raw_socket(NETFILTER))
