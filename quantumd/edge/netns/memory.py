"""Network namespaces in memory: what is in them, and no packets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from quantumd.edge.netns import interfaces as i
from quantumd.edge.nft.interfaces import Change, Ruleset
from quantumd.edge.nft.memory import MemoryNft
from quantumd.errors import EdgeError, EdgeUnavailable

T = TypeVar("T")


@define(eq=False)
class _Room:
    seen: i.Seen = field(factory=i.Seen)
    outer: dict[str, str] = field(factory=dict)
    filters: MemoryNft = field(factory=MemoryNft)


@implementer(i.INamespaces)
@define(eq=False)
class MemoryNamespaces:
    """See INamespaces. ``lose_name``, ``flush`` and ``lose`` are what strangers do."""

    trouble: str = ""
    """Why nothing can be done."""
    announced: list[i.Announce] = field(factory=list, init=False)
    ended: list[frozenset[str]] = field(factory=list, init=False)
    _rooms: dict[str, _Room] = field(factory=dict, init=False)
    _listeners: list[Callable[[str], None]] = field(factory=list, init=False)

    def start(self) -> None:
        """See INamespaces."""

    def stop(self) -> None:
        """See INamespaces."""

    def on_change(self, listener: Callable[[str], None]) -> None:
        """See INamespaces."""
        self._listeners.append(listener)

    def names(self) -> Deferred[frozenset[str]]:
        """See INamespaces."""
        return self._done(frozenset(name for name, room in self._rooms.items() if room.seen.is_named))

    def add(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        if not self.trouble:
            room = self._rooms.setdefault(name, _Room())
            room.seen = evolve(room.seen, is_named=True)
        return self._done(None)

    def remove(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        if not self.trouble:
            self._rooms.pop(name, None)
        return self._done(None)

    def read(self, name: str) -> Deferred[i.Seen | None]:
        """See INamespaces."""
        room = self._rooms.get(name)
        return self._done(room.seen if room is not None else None)

    def apply(self, name: str, operations: Iterable[i.Operation]) -> Deferred[None]:
        """See INamespaces."""
        room = self._rooms.get(name)
        if self.trouble or room is None:
            return fail(EdgeUnavailable(self.trouble or f"there is no namespace {name}"))
        failed = ""
        for operation in operations:
            failed = failed or self._do(room, operation)
        self._changed(name)
        return fail(EdgeError(failed)) if failed else succeed(None)

    def _do(self, room: _Room, operation: i.Operation) -> str:
        """Do it; return why not."""
        seen = room.seen
        devices, addresses, routes = dict(seen.devices), set(seen.addresses), set(seen.routes)
        match operation:
            case i.AddPair(device=device):
                if device.name in devices or operation.outer in self.outer_devices():
                    return "File exists"
                devices[device.name] = device
                room.outer[device.name] = operation.outer
            case i.RemovePair(device=name):
                devices.pop(name, None)
                room.outer.pop(name, None)
                addresses = {each for each in addresses if each.device != name}
                routes = {each for each in routes if each.device != name}
            case i.ChangeDevice(device=device):
                if device.name not in devices:
                    return "No such device"
                devices[device.name] = device
            case i.PutAddress(address=address):
                if address.device not in devices:
                    return "No such device"
                addresses.add(address)
            case i.RemoveAddress(address=address):
                addresses.discard(address)
            case i.PutRoute(route=route):
                if route.device and route.device not in devices:
                    return "No such device"
                routes = {each for each in routes if each.destination != route.destination} | {route}
            case i.RemoveRoute(route=route):
                routes.discard(route)
            case i.Announce():
                self.announced.append(operation)
        room.seen = i.Seen(devices, frozenset(addresses), frozenset(routes), seen.is_named)
        return ""

    def read_filters(self, name: str) -> Deferred[Ruleset]:
        """See INamespaces."""
        room = self._rooms.get(name)
        if self.trouble or room is None:
            return fail(EdgeUnavailable(self.trouble or f"there is no namespace {name}"))
        return room.filters.read()

    def apply_filters(self, name: str, change: Change) -> Deferred[None]:
        """See INamespaces."""
        room = self._rooms.get(name)
        if self.trouble or room is None:
            return fail(EdgeUnavailable(self.trouble or f"there is no namespace {name}"))
        self._changed(name)
        return room.filters.apply(change)

    def end_translated(self, name: str, addresses: frozenset[str]) -> Deferred[int]:
        """See INamespaces."""
        self.ended.append(addresses)
        return self._done(0)

    def outer_devices(self) -> frozenset[str]:
        """Return the other ends of all pairs."""
        return frozenset(outer for room in self._rooms.values() for outer in room.outer.values())

    def lose_name(self, name: str) -> None:
        """Take a namespace's name away."""
        self._rooms[name].seen = evolve(self._rooms[name].seen, is_named=False)
        self._changed(name)

    def flush(self, name: str) -> None:
        """Remove the filters and all addresses and routes of a namespace."""
        room = self._rooms[name]
        room.filters.flush()
        room.seen = i.Seen(room.seen.devices, is_named=room.seen.is_named)
        self._changed(name)

    def lose(self, name: str) -> None:
        """Remove a namespace with all that is in it."""
        del self._rooms[name]
        self._changed(name)

    def _changed(self, name: str) -> None:
        for listener in tuple(self._listeners):
            listener(name)

    def _done(self, result: T) -> Deferred[T]:
        return fail(EdgeUnavailable(self.trouble)) if self.trouble else succeed(result)
