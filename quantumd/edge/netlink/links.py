"""Devices of this host by rtnetlink."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.edge.netlink import interfaces as i
from quantumd.edge.netlink import messages as m
from quantumd.edge.netlink.wire import ACK, APPEND, CREATE, DUMP, EXCLUSIVE, REPLACE, Message, NetlinkWire, Refused
from quantumd.errors import EdgeError, EdgeUnavailable

_ROUTE: Final = 0
_RETRY_SECONDS: Final = 1.0
_GONE: Final = (errno.ENODEV, errno.ENOENT, errno.ENXIO, errno.EADDRNOTAVAIL, errno.ESRCH)


@implementer(i.ILinks)
@define(eq=False)
class KernelLinks:
    """See ILinks."""

    _reactor: Any
    is_connected: bool = field(default=False, init=False)
    _wire: NetlinkWire = field(init=False)
    _links: dict[str, i.Link] = field(factory=dict, init=False)
    _names: dict[int, str] = field(factory=dict, init=False)
    _masters: dict[str, int] = field(factory=dict, init=False)
    _on_connected: list[Callable[[], None]] = field(factory=list, init=False)
    _on_links: list[Callable[[frozenset[str]], None]] = field(factory=list, init=False)
    _on_lost: list[Callable[[i.Fdb], None]] = field(factory=list, init=False)
    _is_started: bool = field(default=False, init=False)
    _log = Logger()

    @_wire.default
    def _make_wire(self) -> NetlinkWire:
        groups = (m.LINK_GROUP, m.NEIGHBOUR_GROUP)
        return NetlinkWire(self._reactor, _ROUTE, groups, self._heard, self._overran)

    def start(self) -> None:
        """See ILinks."""
        self._is_started = True
        self._wire.open()
        self._look()

    def stop(self) -> None:
        """See ILinks."""
        self._is_started = self.is_connected = False
        self._wire.close()

    def links(self) -> Mapping[str, i.Link]:
        """See ILinks."""
        return self._links

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See ILinks."""
        self._on_connected.append(listener)

    def on_links(self, listener: Callable[[frozenset[str]], None]) -> None:
        """See ILinks."""
        self._on_links.append(listener)

    def on_lost_entry(self, listener: Callable[[i.Fdb], None]) -> None:
        """See ILinks."""
        self._on_lost.append(listener)

    def entries(self) -> Deferred[frozenset[i.Fdb]]:
        """See ILinks."""
        return ensureDeferred(self._entries())

    async def _entries(self) -> frozenset[i.Fdb]:
        answer = await self._wire.request(m.GET_NEIGHBOUR, DUMP, m.entries_query())
        return frozenset(filter(None, map(self._read_entry, answer)))

    def apply(self, operations: Iterable[i.Operation]) -> Deferred[None]:
        """See ILinks."""
        return ensureDeferred(self._apply(tuple(operations)))

    async def _apply(self, operations: tuple[i.Operation, ...]) -> None:
        failed: EdgeError | None = None
        for operation in operations:
            try:
                await self._do(operation)
            except EdgeError as error:
                failed = failed or EdgeError(f"{_name_of(operation)}: {error}")
        if failed is not None:
            raise failed

    async def _do(self, operation: i.Operation) -> None:
        if isinstance(operation, i.AddBridge):
            await self._new(m.NEW_LINK, CREATE | EXCLUSIVE, m.bridge(operation.name), (errno.EEXIST,))
            await self._change(i.ChangeLink(operation.name, alias=operation.alias))
        elif isinstance(operation, i.AddVxlan):
            o = operation
            body = m.vxlan(o.name, o.vni, o.local_ip, o.mtu_bytes)
            await self._new(m.NEW_LINK, CREATE | EXCLUSIVE, body)
            await self._change(i.ChangeLink(o.name, alias=o.alias))
        elif isinstance(operation, i.DeleteLink):
            index = self._index(operation.name)
            if index:
                await self._new(m.DEL_LINK, 0, m.about(index), _GONE)
        elif isinstance(operation, i.ChangeLink):
            await self._change(operation)
        else:
            await self._do_entry(operation)

    async def _do_entry(self, operation: i.PutFdb | i.RemoveFdb) -> None:
        entry = operation.entry
        index = self._index(entry.device)
        is_put = isinstance(operation, i.PutFdb)
        if not index:
            if is_put:
                raise EdgeError("there is no such device")
            return
        body = m.fdb(entry, index, self._links[entry.device].kind == i.BRIDGE)
        if not is_put:
            await self._new(m.DEL_NEIGHBOUR, 0, body, _GONE)
        elif m.is_flood(entry):
            await self._new(m.NEW_NEIGHBOUR, CREATE | APPEND, body, (errno.EEXIST,))
        else:
            await self._new(m.NEW_NEIGHBOUR, CREATE | REPLACE, body)

    async def _change(self, change: i.ChangeLink) -> None:
        index = self._index(change.name)
        if not index:
            raise EdgeError("there is no such device")
        attributes = tuple(self._attributes(change))
        if attributes or change.up:
            await self._new(m.NEW_LINK, 0, m.change(index, *attributes, up=change.up))
        if change.alias is not None:
            # What is marked says nothing of its own accord; where there is no IPv6 it has nothing to say.
            await self._new(m.NEW_LINK, 0, m.change(index, m.to_no_address()), (errno.EAFNOSUPPORT,))
        link = self._links.get(change.name)
        if link is not None and not link.is_up:
            # Of devices that are down the kernel does not tell.
            self._heard(await self._wire.request(m.GET_LINK, ACK, m.about(index)))
        if change.flags is not None:
            # Only what is in a bridge already is a port.
            await self._new(m.NEW_LINK, 0, m.change(index, m.to_flags(change.flags)))

    def _attributes(self, change: i.ChangeLink) -> Iterator[bytes]:
        if change.master is not None:
            master = self._index(change.master) if change.master else 0
            if change.master and not master:
                raise EdgeError(f"there is no bridge {change.master}")
            yield m.to_master(master)
        if change.alias is not None:
            yield m.to_alias(change.alias)
        if change.mtu_bytes is not None:
            yield m.to_mtu(change.mtu_bytes)
        if change.owned:
            yield m.to_mac(m.bridge_mac(change.name))
        if change.filters:
            yield m.to_filters()

    async def _new(self, kind: int, flags: int, body: bytes, forgiven: tuple[int, ...] = ()) -> None:
        try:
            await self._wire.request(kind, flags | ACK, body)
        except Refused as error:
            if error.number not in forgiven:
                raise

    def _index(self, name: str) -> int:
        link = self._links.get(name)
        return link.index if link is not None else 0

    # --- what the kernel says

    def _overran(self) -> None:
        self._log.warn("devices changed faster than could be heard: all are read anew")
        self.is_connected = False
        self._look()

    def _look(self) -> None:
        looking = ensureDeferred(self._read_links())
        looking.addErrback(self._cannot_look)

    def _cannot_look(self, failure: Any) -> None:
        failure.trap(EdgeError)
        if self._is_started:
            self._log.warn("devices cannot be read: {why}", why=str(failure.value))
            self._reactor.callLater(_RETRY_SECONDS, self._look_again)

    def _look_again(self) -> None:
        if self._is_started:
            self._look()

    async def _read_links(self) -> None:
        messages = await self._wire.request(m.GET_LINK, DUMP, m.links_query())
        if not self._is_started:
            raise EdgeUnavailable("netlink is closed")
        self._links.clear()
        self._names.clear()
        self._masters.clear()
        self._note(messages)
        self.is_connected = True
        for listener in tuple(self._on_connected):
            listener()

    def _heard(self, messages: tuple[Message, ...]) -> None:
        changed = self._note([each for each in messages if each.kind in (m.NEW_LINK, m.DEL_LINK)])
        if self.is_connected and changed:
            for listener in tuple(self._on_links):
                listener(changed)
        for message in messages:
            entry = self._read_entry(message) if message.kind == m.DEL_NEIGHBOUR else None
            if entry is not None:
                for told in tuple(self._on_lost):
                    told(entry)

    def _note(self, messages: Iterable[Message]) -> frozenset[str]:
        changed: set[str] = set()
        for message in messages:
            link, master = m.read_link(message.body)
            if message.body[:1] != b"\0":
                # The bridge's own view of its port; the device's says the same, and its end is not the device's.
                continue
            changed.update(self._gone(link) if message.kind == m.DEL_LINK else self._came(link, master))
        # A bridge may be told of after the devices in it.
        for name, master in self._masters.items():
            known = self._links[name]
            bridge = self._names.get(master, "") if master else ""
            if known.master != bridge:
                self._links[name] = evolve(known, master=bridge)
                changed.add(name)
        return frozenset(changed)

    def _gone(self, link: i.Link) -> set[str]:
        name = self._names.pop(link.index, link.name)
        self._masters.pop(name, None)
        return {name} if self._links.pop(name, None) is not None else set()

    def _came(self, link: i.Link, master: int) -> set[str]:
        changed = set()
        before = self._names.get(link.index)
        if before not in (None, link.name):
            # It has another name now.
            changed |= self._gone(link)
        self._names[link.index] = link.name
        self._masters[link.name] = master
        named = evolve(link, master=self._names.get(master, "") if master else "")
        if self._links.get(link.name) != named:
            self._links[link.name] = named
            changed.add(link.name)
        return changed

    def _read_entry(self, message: Message) -> i.Fdb | None:
        found = m.read_entry(message.body)
        if found is None or (name := self._names.get(found[1])) is None:
            return None
        entry = evolve(found[0], device=name)
        # The MACs of devices themselves are entries as well.
        return entry if entry.mac != self._links[name].mac else None


def _name_of(operation: i.Operation) -> str:
    return operation.entry.device if hasattr(operation, "entry") else operation.name
