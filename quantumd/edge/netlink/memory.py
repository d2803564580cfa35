"""Devices in memory. Whatever a test or a hypervisor does to them is heard as of real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from quantumd.edge.netlink import interfaces as i
from quantumd.errors import EdgeError


@implementer(i.ILinks)
@define(eq=False)
class MemoryLinks:
    """See ILinks. ``put`` and ``remove`` are what others do to devices, ``lose`` to entries."""

    is_connected: bool = field(default=False, init=False)
    known: set[i.Fdb] = field(factory=set, init=False)
    _links: dict[str, i.Link] = field(factory=dict, init=False)
    _last: int = field(default=0, init=False)
    _on_connected: list[Callable[[], None]] = field(factory=list, init=False)
    _on_links: list[Callable[[frozenset[str]], None]] = field(factory=list, init=False)
    _on_lost: list[Callable[[i.Fdb], None]] = field(factory=list, init=False)

    def start(self) -> None:
        """See ILinks."""
        self.is_connected = True
        for listener in tuple(self._on_connected):
            listener()

    def stop(self) -> None:
        """See ILinks."""
        self.is_connected = False

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
        return succeed(frozenset(self.known))

    def apply(self, operations: Iterable[i.Operation]) -> Deferred[None]:
        """See ILinks."""
        failed: EdgeError | None = None
        for operation in operations:
            try:
                self._do(operation)
            except EdgeError as error:
                failed = failed or error
        return fail(failed) if failed is not None else succeed(None)

    def put(self, link: i.Link) -> None:
        """Add a device, or put it in the place of the one of its name; an index of 0 is given one."""
        known = self._links.get(link.name)
        if link.index == 0:
            self._last += 1
            link = evolve(link, index=known.index if known is not None else self._last)
        if known != link:
            self._links[link.name] = link
            self._tell(link.name)

    def remove(self, name: str) -> None:
        """Remove a device, with all entries of it."""
        if self._links.pop(name, None) is not None:
            self.known = {entry for entry in self.known if entry.device != name}
            for other in [link for link in self._links.values() if link.master == name]:
                self._links[other.name] = evolve(other, master="", flags=None)
            self._tell(name)

    def lose(self, entry: i.Fdb) -> None:
        """Remove an entry."""
        if entry in self.known:
            self.known.discard(entry)
            for listener in tuple(self._on_lost):
                listener(entry)

    def _tell(self, name: str) -> None:
        if self.is_connected:
            for listener in tuple(self._on_links):
                listener(frozenset({name}))

    def _do(self, operation: i.Operation) -> None:
        if isinstance(operation, i.AddBridge):
            if operation.name not in self._links:
                self.put(i.Link(operation.name, 0, i.BRIDGE, alias=operation.alias, is_up=True, filters=True))
        elif isinstance(operation, i.AddVxlan):
            o = operation
            if o.name in self._links:
                raise EdgeError(f"{o.name}: File exists")
            self.put(i.Link(o.name, 0, i.VXLAN, "", o.alias, o.mtu_bytes, vni=o.vni, local_ip=o.local_ip))
        elif isinstance(operation, i.DeleteLink):
            self.remove(operation.name)
        elif isinstance(operation, i.ChangeLink):
            self._change(operation)
        elif isinstance(operation, i.PutFdb):
            self._find(operation.entry.device)
            self.known.add(operation.entry)
        else:
            self.lose(operation.entry)

    def _find(self, name: str) -> i.Link:
        if name not in self._links:
            raise EdgeError(f"{name}: there is no such device")
        return self._links[name]

    def _change(self, change: i.ChangeLink) -> None:
        link = self._find(change.name)
        if change.master:
            self._find(change.master)
            if link.master != change.master:
                link = evolve(link, master=change.master, flags=i.PortFlags())
        elif change.master == "":
            link = evolve(link, master="", flags=None)
        if change.alias is not None:
            link = evolve(link, alias=change.alias)
        if change.mtu_bytes is not None:
            link = evolve(link, mtu_bytes=change.mtu_bytes)
        if change.flags is not None:
            link = evolve(link, flags=change.flags)
        self.put(evolve(link, is_up=link.is_up or change.up, filters=link.filters or change.filters))
