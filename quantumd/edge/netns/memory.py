"""Network namespaces in memory: what is in them, and no packets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_interface
from socket import socket
from typing import TypeVar

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from quantumd.edge.netns import interfaces as i
from quantumd.edge.nft.interfaces import Change, Ruleset
from quantumd.edge.nft.memory import MemoryNft
from quantumd.errors import EdgeError, EdgeUnavailable

T = TypeVar("T")


class _Refused(Exception):
    """What the kernel would say."""


@define(eq=False)
class MemoryRoom:
    """A namespace: what is in it, and its filters."""

    seen: i.Seen = field(factory=i.Seen)
    filters: MemoryNft = field(factory=MemoryNft)


@implementer(i.INamespaces)
@define(eq=False)
class MemoryNamespaces:
    """See INamespaces. ``lose_name``, ``meddle``, ``filters_of``, ``lose`` and ``outside`` are what strangers do."""

    prefix: str = ""
    """Begins the names of those that are ours."""
    trouble: str = ""
    """Why nothing can be done."""
    outside: dict[str, str] = field(factory=dict, init=False)
    """Devices where this process is, by name, with their aliases: other ends of pairs, and others' devices."""
    announced: list[i.Announce] = field(factory=list, init=False)
    ended: list[frozenset[str]] = field(factory=list, init=False)
    ended_ports: list[frozenset[i.OuterPorts]] = field(factory=list, init=False)
    rooms: dict[str, MemoryRoom] = field(factory=dict, init=False)
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
        return self._done(frozenset(filter(self._is_found, self.rooms)))

    def _is_found(self, name: str) -> bool:
        return name.startswith(self.prefix) and self.rooms[name].seen.is_named

    def add(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        if not self.trouble:
            room = self.rooms.setdefault(name, MemoryRoom())
            room.seen = evolve(room.seen, is_named=True, is_settled=True)
            self._changed(name)
        return self._done(None)

    def remove(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        if not self.trouble:
            self._drop(name)
            self._changed(name)
        return self._done(None)

    def read(self, name: str) -> Deferred[i.Seen | None]:
        """See INamespaces."""
        room = self.rooms.get(name)
        return self._done(room.seen if room is not None else None)

    def apply(self, name: str, operations: Iterable[i.Operation]) -> Deferred[None]:
        """See INamespaces."""
        room = self.rooms.get(name)
        if self.trouble or room is None:
            return fail(EdgeUnavailable(self.trouble or f"there is no namespace {name}"))
        failed, before = "", room.seen
        for operation in operations:
            try:
                self._do(room, operation)
            except _Refused as error:
                failed = failed or str(error)
        if room.seen != before:
            self._changed(name)
        return fail(EdgeError(failed)) if failed else succeed(None)

    def _do(self, room: MemoryRoom, operation: i.Operation) -> None:
        match operation:
            case i.PutPair():
                self._put_pair(room, operation)
            case i.RemovePair(device=name):
                self._remove_pair(room, name)
            case i.PutAddress(address=address):
                _require(room.seen, address.device)
                room.seen = evolve(room.seen, addresses=room.seen.addresses | {address})
            case i.RemoveAddress(address=address):
                room.seen = _reachable(evolve(room.seen, addresses=room.seen.addresses - {address}))
            case i.PutProxied(address=address):
                _require(room.seen, address.device)
                room.seen = evolve(room.seen, proxied=room.seen.proxied | {address})
            case i.RemoveProxied(address=address):
                room.seen = evolve(room.seen, proxied=room.seen.proxied - {address})
            case i.PutRoute(route=route):
                _put_route(room, route)
            case i.RemoveRoute(route=route):
                room.seen = evolve(room.seen, routes=_without(room.seen, route))
            case i.PutRule(rule=rule):
                room.seen = evolve(room.seen, rules=room.seen.rules | {rule})
            case i.RemoveRule(rule=rule):
                room.seen = evolve(room.seen, rules=room.seen.rules - {rule})
            case i.Announce():
                self.announced.append(operation)

    def _put_pair(self, room: MemoryRoom, pair: i.PutPair) -> None:
        there, outer = room.seen.devices.get(pair.device.name), pair.device.outer
        if there is not None and there.outer != outer:
            self._remove_pair(room, there.name)
            there = None
        if there is None and self.outside.get(outer, pair.alias) != pair.alias:
            raise _Refused("File exists")
        self.outside[outer] = pair.alias
        room.seen = evolve(room.seen, devices={**room.seen.devices, pair.device.name: pair.device})

    def _remove_pair(self, room: MemoryRoom, name: str) -> None:
        devices = dict(room.seen.devices)
        gone = devices.pop(name, None)
        if gone is not None:
            self.outside.pop(gone.outer, None)
            addresses = frozenset(each for each in room.seen.addresses if each.device != name)
            routes = frozenset(each for each in room.seen.routes if name not in (each.device, *each.devices))
            proxied = frozenset(each for each in room.seen.proxied if each.device != name)
            left = evolve(room.seen, devices=devices, addresses=addresses, routes=routes, proxied=proxied)
            room.seen = _reachable(left)

    def read_filters(self, name: str) -> Deferred[Ruleset]:
        """See INamespaces."""
        room = self.rooms.get(name)
        if self.trouble or room is None:
            return fail(EdgeUnavailable(self.trouble or f"there is no namespace {name}"))
        return room.filters.read()

    def apply_filters(self, name: str, change: Change) -> Deferred[None]:
        """See INamespaces."""
        room = self.rooms.get(name)
        if self.trouble or room is None:
            return fail(EdgeUnavailable(self.trouble or f"there is no namespace {name}"))
        made = room.filters.apply(change)
        self._changed(name)
        return made

    def socket_in(self, name: str, make: Callable[[], socket]) -> Deferred[socket]:
        """See INamespaces: a socket here reaches nobody."""
        return fail(EdgeUnavailable(self.trouble or f"{name} is in memory"))

    def end_translated(
        self, name: str, addresses: frozenset[str], ports: frozenset[i.OuterPorts] = frozenset()
    ) -> Deferred[int]:
        """See INamespaces."""
        if self.trouble or name not in self.rooms:
            return fail(EdgeUnavailable(self.trouble or f"there is no namespace {name}"))
        self.ended.append(addresses)
        self.ended_ports.append(ports)
        return succeed(0)

    # --- what strangers do

    def filters_of(self, name: str) -> MemoryNft:
        """Return the filters of a namespace."""
        return self.rooms[name].filters

    def meddle(self, name: str, change: Callable[[i.Seen], i.Seen] = lambda seen: seen) -> None:
        """Change what is in a namespace, or, where its filters were changed, let it be known."""
        room = self.rooms[name]
        before = _outer_ends(room)
        room.seen = change(room.seen)
        for outer in before - _outer_ends(room):
            self.outside.pop(outer, None)
        self._changed(name)

    def lose_name(self, name: str) -> None:
        """Take a namespace's name away."""
        self.meddle(name, lambda seen: evolve(seen, is_named=False))

    def lose(self, name: str) -> None:
        """Remove a namespace with all that is in it."""
        self._drop(name)
        self._changed(name)

    def _drop(self, name: str) -> None:
        room = self.rooms.pop(name, None)
        for outer in _outer_ends(room) if room is not None else ():
            self.outside.pop(outer, None)

    def _changed(self, name: str) -> None:
        for listener in tuple(self._listeners):
            listener(name)

    def _done(self, result: T) -> Deferred[T]:
        return fail(EdgeUnavailable(self.trouble)) if self.trouble else succeed(result)


def _outer_ends(room: MemoryRoom) -> frozenset[str]:
    return frozenset(device.outer for device in room.seen.devices.values())


def _require(seen: i.Seen, device: str) -> None:
    if device not in seen.devices:
        raise _Refused(f"there is no device {device}")


def _put_route(room: MemoryRoom, route: i.Route) -> None:
    for device in route.devices or filter(None, (route.device,)):
        _require(room.seen, device)
    if not (route.device or route.devices) and not all(_is_near(room.seen, each) for each in route.nexthops):
        raise _Refused("Network is unreachable")
    room.seen = evolve(room.seen, routes=_without(room.seen, route) | {route})


def _without(seen: i.Seen, route: i.Route) -> frozenset[i.Route]:
    return frozenset(each for each in seen.routes if each.place != route.place)


def _reachable(seen: i.Seen) -> i.Seen:
    """Take away routes that lead nowhere any more, as the kernel does when a device goes or has no address."""
    kept = (
        each for each in seen.routes if each.device or each.devices or all(_is_near(seen, hop) for hop in each.nexthops)
    )
    return evolve(seen, routes=frozenset(kept))


def _is_near(seen: i.Seen, address: str) -> bool:
    return any(ip_address(address) in ip_interface(each.address).network for each in seen.addresses)
