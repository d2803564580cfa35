"""Network namespaces of the kernel: one thread for what must be done inside, sockets that stay for all else."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, DeferredLock, ensureDeferred
from twisted.internet.inotify import IN_CREATE, IN_DELETE, INotify
from twisted.logger import Logger
from twisted.python.filepath import FilePath
from zope.interface import implementer

from quantumd.edge.netlink.wire import ACK, CREATE, DUMP, EXCLUSIVE, REPLACE, NetlinkWire, Refused, raw_socket
from quantumd.edge.netns import chores, inside
from quantumd.edge.netns import interfaces as i
from quantumd.edge.netns import messages as m
from quantumd.edge.netns.inside import entered, on_thread
from quantumd.edge.nft.interfaces import Change, Ruleset
from quantumd.edge.nft.library import list_table, run_commands
from quantumd.edge.nft.listing import Looks, read_listing
from quantumd.edge.nft.script import script
from quantumd.edge.tracked.kernel import end_translated
from quantumd.errors import EdgeError, EdgeUnavailable

T = TypeVar("T")

_ROUTE: Final = 0
_NETFILTER: Final = 12
_NFTABLES_GROUP: Final = 7
_FAMILIES: Final = ("inet",)
_QUIET_SECONDS: Final = 0.2
"""How long after news it is looked again: much is told of at once."""
_ANNOUNCE_SECONDS: Final = (0.0, 0.3, 1.0, 3.0)
_GONE: Final = (errno.ENODEV, errno.ENOENT, errno.EADDRNOTAVAIL, errno.ESRCH)


@define(eq=False)
class _Room:
    """A namespace that is open: a descriptor of it, and sockets in it."""

    name: str
    descriptor: int
    wire: NetlinkWire
    filters: NetlinkWire
    looks: Looks = field(factory=Looks)
    lock: DeferredLock = field(factory=DeferredLock)

    def close(self) -> None:
        """Let it go."""
        self.wire.close()
        self.filters.close()
        os.close(self.descriptor)


@implementer(i.INamespaces)
@define(eq=False)
class KernelNamespaces:
    """See INamespaces. The names of the owner's namespaces begin with ``prefix``."""

    _reactor: Any
    _prefix: str
    _rooms: dict[str, _Room] = field(factory=dict, init=False)
    _home: int = field(default=-1, init=False)
    _outside: NetlinkWire = field(init=False)
    _listeners: list[Callable[[str], None]] = field(factory=list, init=False)
    _waiting: dict[str, Any] = field(factory=dict, init=False)
    _opening: DeferredLock = field(factory=DeferredLock, init=False)
    _watch: INotify | None = field(default=None, init=False)
    _log = Logger()

    @_outside.default
    def _make_outside(self) -> NetlinkWire:
        return NetlinkWire(self._reactor, _ROUTE)

    def start(self) -> None:
        """See INamespaces."""
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._outside.open()
        inside.DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._watch = INotify(self._reactor)
        self._watch.startReading()
        self._watch.watch(FilePath(str(inside.DIRECTORY)), IN_CREATE | IN_DELETE, callbacks=[self._name_changed])

    def stop(self) -> None:
        """See INamespaces."""
        if self._watch is not None:
            self._watch.loseConnection()
            self._watch = None
        for call in self._waiting.values():
            call.cancel()
        self._waiting.clear()
        for room in self._rooms.values():
            room.close()
        self._rooms.clear()
        self._outside.close()
        if self._home >= 0:
            os.close(self._home)
            self._home = -1

    def on_change(self, listener: Callable[[str], None]) -> None:
        """See INamespaces."""
        self._listeners.append(listener)

    def names(self) -> Deferred[frozenset[str]]:
        """See INamespaces."""
        return on_thread(self._reactor, lambda: chores.names_with(self._prefix)).addErrback(_as_edge_error)

    def add(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._add(name))

    async def _add(self, name: str) -> None:
        room = await self._room(name)
        if room is None:
            descriptor: int = await self._on_thread(lambda: inside.make_named(name))
            room = await self._open(name, descriptor)
        elif not (inside.DIRECTORY / name).exists():
            # Somebody took its name away. It is still there, as we hold it, and so is what goes through it.
            kept = room.descriptor
            await self._on_thread(lambda: inside.bind(name, kept))
            self._log.warn("the namespace {name} had lost its name", name=name)
        await self._within(room, chores.settle)
        await self._up(room, "lo")

    def remove(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._remove(name))

    async def _remove(self, name: str) -> None:
        room = self._rooms.pop(name, None)
        if room is not None:
            room.close()
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.cancel()
        await self._on_thread(lambda: inside.remove_named(name))

    def read(self, name: str) -> Deferred[i.Seen | None]:
        """See INamespaces."""
        return ensureDeferred(self._read(name))

    async def _read(self, name: str) -> i.Seen | None:
        room = await self._room(name)
        if room is None:
            return None
        links = await room.wire.request(m.GET_LINK, DUMP, m.links())
        devices = dict(m.read_link(each.body) for each in links if each.kind == m.NEW_LINK)
        names = {index: device.name for index, device in devices.items() if device.name != "lo"}
        addresses = await room.wire.request(m.GET_ADDRESS, DUMP, m.addresses())
        routes = await room.wire.request(m.GET_ROUTE, DUMP, m.routes())
        held = filter(None, (m.read_address(each.body) for each in addresses))
        ours = filter(None, (m.read_route(each.body) for each in routes))
        return i.Seen(
            {each: devices[index] for index, each in names.items()},
            frozenset(i.Address(names[index], text) for index, text in held if index in names),
            frozenset(evolve(route, device=names.get(index, "")) for route, index in ours),
            (inside.DIRECTORY / name).exists(),
        )

    def apply(self, name: str, operations: Iterable[i.Operation]) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._apply(name, tuple(operations)))

    async def _apply(self, name: str, operations: tuple[i.Operation, ...]) -> None:
        room = await self._there(name)
        failed: EdgeError | None = None
        for operation in operations:
            try:
                await self._do(room, operation)
            except EdgeError as error:
                failed = failed or EdgeError(f"{type(operation).__name__} in {name}: {error}")
        if failed is not None:
            raise failed

    async def _do(self, room: _Room, operation: i.Operation) -> None:
        match operation:
            case i.AddPair():
                await self._add_pair(room, operation)
            case i.RemovePair(device=name):
                index = await _index(room.wire, name)
                if index:
                    await _send(room.wire, m.DEL_LINK, 0, m.about(index), _GONE)
            case i.ChangeDevice():
                await self._change(room, operation)
            case i.Announce():
                self._announce(room.name, operation, _ANNOUNCE_SECONDS)
            case i.PutAddress() | i.RemoveAddress():
                await self._do_address(room, operation)
            case i.PutRoute() | i.RemoveRoute():
                await self._do_route(room, operation)

    async def _add_pair(self, room: _Room, pair: i.AddPair) -> None:
        body = m.pair(pair.device, pair.outer, self._home)
        await _send(room.wire, m.NEW_LINK, CREATE | EXCLUSIVE, body)
        await self._within(room, lambda: chores.prepare(pair.device.name, pair.completes_checksums))
        outer = await _index(self._outside, pair.outer)
        # It must have no address of its own before it is up, or it would talk into the network.
        await _send(self._outside, m.NEW_LINK, 0, m.labelled(outer, pair.alias))
        await _send(self._outside, m.NEW_LINK, 0, m.up(outer))
        await self._up(room, pair.device.name)

    async def _change(self, room: _Room, change: i.ChangeDevice) -> None:
        device = change.device
        index, outer = await _index(room.wire, device.name), await _index(self._outside, change.outer)
        await _send(self._outside, m.NEW_LINK, 0, m.changed(outer, "", device.mtu_bytes))
        await _send(room.wire, m.NEW_LINK, 0, m.changed(index, device.mac, device.mtu_bytes))

    async def _up(self, room: _Room, name: str) -> None:
        await _send(room.wire, m.NEW_LINK, 0, m.up(await _index(room.wire, name)))

    async def _do_address(self, room: _Room, operation: i.PutAddress | i.RemoveAddress) -> None:
        address = operation.address
        index = await _index(room.wire, address.device)
        if isinstance(operation, i.PutAddress):
            await _send(room.wire, m.NEW_ADDRESS, CREATE | REPLACE, m.address(index, address.address))
        elif index:
            await _send(room.wire, m.DEL_ADDRESS, 0, m.address(index, address.address), _GONE)

    async def _do_route(self, room: _Room, operation: i.PutRoute | i.RemoveRoute) -> None:
        route = operation.route
        index = await _index(room.wire, route.device) if route.device else 0
        if isinstance(operation, i.PutRoute):
            await _send(room.wire, m.NEW_ROUTE, CREATE | REPLACE, m.route(route, index))
        elif index or not route.device:
            await _send(room.wire, m.DEL_ROUTE, 0, m.route(route, index), _GONE)

    def _announce(self, name: str, said: i.Announce, after: tuple[float, ...]) -> None:
        """Announce an address at these times, in seconds, as long as the namespace is open."""
        first, *rest = after

        def announce() -> None:
            room = self._rooms.get(name)
            if room is None:
                return
            telling = self._within(room, lambda: chores.announce(said.mac, said.address))
            telling.addErrback(lambda failure: failure.trap(EdgeError))
            if rest:
                self._announce(name, said, tuple(rest))

        self._reactor.callLater(first, announce)

    def read_filters(self, name: str) -> Deferred[Ruleset]:
        """See INamespaces."""
        return ensureDeferred(self._read_filters(name))

    async def _read_filters(self, name: str) -> Ruleset:
        room = await self._there(name)
        text: str = await self._within(room, lambda: list_table(_FAMILIES[0]))
        try:
            return room.looks.judge(read_listing({_FAMILIES[0]: text}))
        except ValueError as error:
            raise EdgeError(f"what nft lists cannot be read: {error}") from error

    def apply_filters(self, name: str, change: Change) -> Deferred[None]:
        """See INamespaces."""
        return ensureDeferred(self._apply_filters(name, change))

    async def _apply_filters(self, name: str, change: Change) -> None:
        room = await self._there(name)
        room.looks.forget((*change.chains, *change.gone_chains))
        commands = script(change, _FAMILIES)
        await self._within(room, lambda: run_commands(commands))

    def end_translated(self, name: str, addresses: frozenset[str]) -> Deferred[int]:
        """See INamespaces."""
        return ensureDeferred(self._end_translated(name, addresses))

    async def _end_translated(self, name: str, addresses: frozenset[str]) -> int:
        room = await self._there(name)
        return await self._within(room, lambda: end_translated(addresses))

    # --- rooms

    async def _there(self, name: str) -> _Room:
        room = await self._room(name)
        if room is None:
            raise EdgeUnavailable(f"there is no namespace {name}")
        return room

    async def _room(self, name: str) -> _Room | None:
        """Return an open namespace; None when there is none of that name."""
        if name in self._rooms:
            return self._rooms[name]
        descriptor = inside.open_named(name)
        return None if descriptor is None else await self._open(name, descriptor)

    async def _open(self, name: str, descriptor: int) -> _Room:
        def sockets() -> tuple[Any, Any]:
            return raw_socket(_ROUTE), raw_socket(_NETFILTER)

        route, netfilter = await self._on_thread(entered(descriptor, sockets))
        if name in self._rooms:
            # Somebody else was faster.
            for each in (route, netfilter):
                each.close()
            os.close(descriptor)
            return self._rooms[name]

        def news(*_: object) -> None:
            self._changed(name)

        wire = NetlinkWire(self._reactor, _ROUTE, m.GROUPS, news, news)
        filters = NetlinkWire(self._reactor, _NETFILTER, (_NFTABLES_GROUP,), news, news)
        wire.use(route)
        filters.use(netfilter)
        room = self._rooms[name] = _Room(name, descriptor, wire, filters)
        return room

    def _within(self, room: _Room, work: Callable[[], T]) -> Deferred[T]:
        return self._on_thread(entered(room.descriptor, work))

    def _on_thread(self, work: Callable[[], T]) -> Deferred[T]:
        return on_thread(self._reactor, work).addErrback(_as_edge_error)

    # --- what others do

    def _name_changed(self, _: object, path: FilePath[Any], __: int) -> None:
        name = os.fsdecode(path.basename())
        if name in self._rooms:
            self._changed(name)

    def _changed(self, name: str) -> None:
        if name in self._rooms and name not in self._waiting:
            self._waiting[name] = self._reactor.callLater(_QUIET_SECONDS, self._tell, name)

    def _tell(self, name: str) -> None:
        del self._waiting[name]
        for listener in tuple(self._listeners):
            listener(name)


def _as_edge_error(failure: Any) -> Any:
    if failure.check(OSError) is None:
        return failure
    raise EdgeError(str(failure.value))


async def _send(wire: NetlinkWire, kind: int, flags: int, body: bytes, forgiven: tuple[int, ...] = ()) -> None:
    try:
        await wire.request(kind, flags | ACK, body)
    except Refused as error:
        if error.number not in forgiven:
            raise


async def _index(wire: NetlinkWire, name: str) -> int:
    """Return the index of a device; 0 when there is none of that name."""
    try:
        found = await wire.request(m.GET_LINK, ACK, m.named(name))
    except Refused as error:
        if error.number in _GONE:
            return 0
        raise
    return m.read_link(found[0].body)[0] if found else 0
