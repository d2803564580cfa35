"""Network namespaces that routers live in: what is in them seen, and changed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from attrs import field, frozen
from zope.interface import Interface

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from quantumd.edge.nft.interfaces import Change, Ruleset


@frozen
class Device:
    """The inner end of a pair of devices."""

    name: str
    mac: str
    mtu_bytes: int


@frozen
class Address:
    """An address of a device, with the length of its prefix: ``10.0.0.1/24``."""

    device: str
    address: str


@frozen
class Route:
    """What is for ``destination``, a prefix, goes to one of ``nexthops``, each connection always to the same.

    With a ``device`` they are taken to be on its link, whatever addresses the device has.
    """

    destination: str
    nexthops: tuple[str, ...]
    device: str = ""


@frozen
class Seen:
    """What is in a namespace: devices by name, their addresses but for those of the link, and routes that are ours.

    One that is not ``is_named`` is still there, and has lost the name by which others find it.
    """

    devices: Mapping[str, Device] = field(factory=dict)
    addresses: frozenset[Address] = frozenset()
    routes: frozenset[Route] = frozenset()
    is_named: bool = True


@frozen
class AddPair:
    """Make two devices that are one wire: ``device`` in the namespace, ``outer`` where this process is; both are up.

    With ``completes_checksums`` what leaves by the inner end has its checksums, which a userspace datapath needs.
    """

    device: Device
    outer: str
    alias: str
    completes_checksums: bool


@frozen
class RemovePair:
    """Remove the device, and its other end with it; one that is not there is no error."""

    device: str


@frozen
class ChangeDevice:
    """Give the device this MAC and MTU, its other end the same MTU."""

    device: Device
    outer: str


@frozen
class PutAddress:
    """Add an address, or put it in the place of one with another prefix. One of IPv6 is used at once."""

    address: Address


@frozen
class RemoveAddress:
    """Remove an address; one that is not there is no error."""

    address: Address


@frozen
class Announce:
    """Tell the neighbours where an address is now, now and a few times more: they may not hear it yet."""

    mac: str
    address: Address


@frozen
class PutRoute:
    """Add a route, or put it in the place of another one to the same destination."""

    route: Route


@frozen
class RemoveRoute:
    """Remove a route; one that is not there is no error."""

    route: Route


Operation: TypeAlias = (
    AddPair | RemovePair | ChangeDevice | PutAddress | RemoveAddress | Announce | PutRoute | RemoveRoute
)


class INamespaces(Interface):
    """The network namespaces of one owner, whose names begin alike."""

    def start() -> None:
        """Begin to listen to what others change."""

    def stop() -> None:
        """Listen no more; everything stays as it is."""

    def on_change(listener: Callable[[str], None]) -> None:
        """Call ``listener(name)`` a moment after something in a namespace that was read has changed, or it has gone.

        Whoever did it, this process too.
        """

    def names() -> Deferred[frozenset[str]]:
        """Return the names of the owner's namespaces. EdgeError."""

    def add(name: str) -> Deferred[None]:
        """Make a namespace that forwards packets and takes part in nothing else; one that is there is set right."""

    def remove(name: str) -> Deferred[None]:
        """Remove a namespace with all that is in it; one that is not there is no error. EdgeError."""

    def read(name: str) -> Deferred[Seen | None]:
        """Return what is in a namespace; None when there is no such namespace. EdgeError."""

    def apply(name: str, operations: Iterable[Operation]) -> Deferred[None]:
        """Do these in order. EdgeError tells the first that the kernel refused; the others are done all the same."""

    def read_filters(name: str) -> Deferred[Ruleset]:
        """Return the filters of a namespace. EdgeError."""

    def apply_filters(name: str, change: Change) -> Deferred[None]:
        """Make all of a change in one transaction, or, with an EdgeError, nothing of it."""

    def end_translated(name: str, addresses: frozenset[str]) -> Deferred[int]:
        """End the connections that are translated to or from these outer addresses; return how many. EdgeError."""
