"""Network namespaces of the kernel: a short thread for what must be done inside, sockets that stay for all else."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from socket import socket
from typing import Any, Final

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.inotify import IN_CREATE, IN_DELETE, INotify
from twisted.logger import Logger
from twisted.python.filepath import FilePath
from zope.interface import implementer

from quantumd.edge.netlink.wire import NetlinkWire
from quantumd.edge.netns import chores, devices, inside
from quantumd.edge.netns import interfaces as i
from quantumd.edge.netns.announcing import Announcements
from quantumd.edge.netns.proxied import ProxiedWatch
from quantumd.edge.netns.rooms import ROUTE, Room, Rooms
from quantumd.edge.nft.interfaces import Change, Ruleset
from quantumd.edge.nft.library import list_table, run_commands
from quantumd.edge.nft.listing import read_listing
from quantumd.edge.nft.script import script
from quantumd.edge.tracked.kernel import end_translated
from quantumd.errors import EdgeError

_FAMILIES: Final = ("inet",)


@implementer(i.INamespaces)
@define(eq=False)
class KernelNamespaces:
    """See INamespaces. The names of the owner's namespaces begin with ``prefix``."""

    _reactor: Any
    _prefix: str
    _rooms: Rooms = field(init=False)
    _announcements: Announcements = field(init=False)
    _proxied: ProxiedWatch = field(init=False)
    _outside: NetlinkWire = field(init=False)
    _home: int = field(default=-1, init=False)
    _listeners: list[Callable[[str], None]] = field(factory=list, init=False)
    _watch: INotify | None = field(default=None, init=False)
    _log = Logger()

    @_rooms.default
    def _make_rooms(self) -> Rooms:
        return Rooms(self._reactor, self._tell)

    @_announcements.default
    def _make_announcements(self) -> Announcements:
        return Announcements(self._reactor, self._announce)

    @_proxied.default
    def _make_proxied(self) -> ProxiedWatch:
        return ProxiedWatch(self._reactor, self._rooms)

    @_outside.default
    def _make_outside(self) -> NetlinkWire:
        return NetlinkWire(self._reactor, ROUTE)

    def start(self) -> None:
        """See INamespaces."""
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._outside.open()
        self._rooms.open()
        self._proxied.start()
        inside.DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._watch = INotify(self._reactor)
        self._watch.startReading()
        self._watch.watch(FilePath(str(inside.DIRECTORY)), IN_CREATE | IN_DELETE, callbacks=[self._name_changed])

    def stop(self) -> None:
        """See INamespaces."""
        if self._watch is not None:
            self._watch.loseConnection()
            self._watch = None
        self._announcements.stop()
        self._proxied.stop()
        self._rooms.close()
        self._outside.close()
        if self._home >= 0:
            os.close(self._home)
            self._home = -1

    def on_change(self, listener: Callable[[str], None]) -> None:
        """See INamespaces."""
        self._listeners.append(listener)

    def names(self) -> Deferred[frozenset[str]]:
        """See INamespaces."""
        return self._rooms.on_thread(lambda: chores.names_with(self._prefix))

    def add(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._add(name))

    async def _add(self, name: str) -> None:
        room = await self._rooms.find(name)
        if room is None:
            room = await self._rooms.make(name)
        elif await self._rooms.within(room, lambda: _give_name(room)):
            self._log.warn("the namespace {name} had lost its name", name=name)
        await self._rooms.within(room, chores.settle)
        await devices.have_up(room.wire, devices.LOOPBACK)

    def remove(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._remove(name))

    async def _remove(self, name: str) -> None:
        self._announcements.forget(name)
        self._proxied.note(name, frozenset())
        self._rooms.forget(name)
        await self._rooms.on_thread(lambda: inside.remove_named(name))

    def read(self, name: str) -> Deferred[i.Seen | None]:
        """See INamespaces."""
        return ensureDeferred(self._read(name))

    async def _read(self, name: str) -> i.Seen | None:
        room = await self._rooms.find(name)
        if room is None:
            return None
        is_named, is_settled = await self._rooms.within(room, lambda: _look_around(room))
        seen, has_loopback = await room.turn.run(lambda: ensureDeferred(devices.look(self._ends(room))))
        self._proxied.note(name, seen.proxied)
        return evolve(seen, is_named=is_named, is_settled=is_settled and has_loopback)

    def apply(self, name: str, operations: Iterable[i.Operation]) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._apply(name, tuple(operations)))

    async def _apply(self, name: str, operations: tuple[i.Operation, ...]) -> None:
        room = await self._rooms.there(name)
        failed: EdgeError | None = None
        for operation in operations:
            try:
                await self._do(room, operation)
            except EdgeError as error:
                failed = failed or EdgeError(f"{type(operation).__name__} in {name}: {error}")
        self._announcements.begin(name, tuple(each for each in operations if isinstance(each, i.Announce)))
        if failed is not None:
            raise failed

    async def _do(self, room: Room, operation: i.Operation) -> None:
        ends = self._ends(room)
        match operation:
            case i.PutPair(device=device, completes_checksums=completes):
                await devices.put_pair(ends, operation)
                await self._rooms.within(room, lambda: chores.prepare(device.name, completes))
            case i.RemovePair(device=device_name):
                await devices.remove_device(ends, device_name)
            case i.PutAddress(address=address):
                await devices.put_address(ends, address)
            case i.RemoveAddress(address=address):
                self._announcements.end(room.name, address)
                await devices.remove_address(ends, address)
            case i.PutProxied(address=address):
                await devices.put_proxied(ends, address)
            case i.RemoveProxied(address=address):
                self._announcements.end(room.name, address)
                await devices.remove_proxied(ends, address)
            case i.PutRoute(route=route):
                await devices.put_route(ends, route)
            case i.RemoveRoute(route=route):
                await devices.remove_route(ends, route)
            case i.PutRule(rule=rule):
                await devices.put_rule(ends, rule)
            case i.RemoveRule(rule=rule):
                await devices.remove_rule(ends, rule)

    def _ends(self, room: Room) -> devices.Ends:
        return devices.Ends(room.wire, self._outside, self._home)

    def _announce(self, name: str, announcements: tuple[i.Announce, ...]) -> None:
        room = self._rooms.held(name)
        if room is not None:
            telling = self._rooms.within(room, lambda: chores.announce(announcements))
            telling.addErrback(lambda failure: failure.trap(EdgeError))

    def read_filters(self, name: str) -> Deferred[Ruleset]:
        """See INamespaces."""
        return ensureDeferred(self._read_filters(name))

    async def _read_filters(self, name: str) -> Ruleset:
        room = await self._rooms.there(name)
        try:
            listing = await self._rooms.within(
                room, lambda: read_listing({each: list_table(each) for each in _FAMILIES})
            )
        except ValueError as error:
            raise EdgeError(f"what nft lists cannot be read: {error}") from error
        return room.looks.judge(listing)

    def apply_filters(self, name: str, change: Change) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._apply_filters(name, change))

    async def _apply_filters(self, name: str, change: Change) -> None:
        room = await self._rooms.there(name)
        room.looks.forget((*change.chains, *change.gone_chains))
        commands = script(change, _FAMILIES)
        await self._rooms.within(room, lambda: run_commands(commands))

    def socket_in(self, name: str, make: Callable[[], socket]) -> Deferred[socket]:
        """See INamespaces."""
        return ensureDeferred(self._socket_in(name, make))

    async def _socket_in(self, name: str, make: Callable[[], socket]) -> socket:
        room = await self._rooms.there(name)
        return await self._rooms.within(room, make)

    def end_translated(
        self, name: str, addresses: frozenset[str], ports: frozenset[i.OuterPorts] = frozenset()
    ) -> Deferred[int]:
        """See INamespaces."""
        return ensureDeferred(self._end_translated(name, addresses, ports))

    async def _end_translated(self, name: str, addresses: frozenset[str], ports: frozenset[i.OuterPorts]) -> int:
        room = await self._rooms.there(name)
        spans: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        for each in ports:
            spans[each.address, each.protocol].append((each.first, each.last))
        return await self._rooms.within(room, lambda: end_translated(addresses, spans))

    # --- what others do

    def _name_changed(self, _: object, path: FilePath[Any], __: int) -> None:
        self._rooms.heard(os.fsdecode(path.basename()))

    def _tell(self, name: str) -> None:
        for listener in tuple(self._listeners):
            listener(name)


def _give_name(room: Room) -> bool:
    """Let a namespace have its name if it has not; return whether it had lost it. OSError."""
    has_lost = not inside.is_named(room.name, room.descriptor)
    if has_lost:
        inside.bind(room.name, room.descriptor)
    return has_lost


def _look_around(room: Room) -> tuple[bool, bool]:
    """Return whether a namespace has its name, and whether it forwards packets as it must. OSError."""
    return inside.is_named(room.name, room.descriptor), chores.is_settled()
