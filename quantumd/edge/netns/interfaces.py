"""Network namespaces that routers live in: what is in them seen, and changed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import field, frozen
from zope.interface import Interface

if TYPE_CHECKING:
    from socket import socket

    from twisted.internet.defer import Deferred

    from quantumd.edge.nft.interfaces import Change, Ruleset


METRIC: Final = 100
"""That of our routes."""
MAIN: Final = 254
"""The table that is looked into when no rule says otherwise."""


@frozen
class Device:
    """The inner end of a pair of devices that are one wire.

    ``outer`` is the other end, where this process is: '' when it is elsewhere, or this is no end of a pair. It is up
    when both ends are.
    """

    name: str
    mac: str
    mtu_bytes: int
    outer: str = ""
    is_up: bool = True


@frozen
class Address:
    """An address of a device, with the length of its prefix: ``10.0.0.1/24``."""

    device: str
    address: str


@frozen
class Route:
    """What is for ``destination``, a prefix, goes to one of ``nexthops``, each connection always to the same.

    With a ``device`` they are taken to be on its link, whatever addresses the device has; where they are on several
    links ``devices`` says of each on which, and they are sorted. Without next hops all of it is on the link of the
    device, or is refused where there is no device either. Of routes to the same destination in a ``table`` the one of
    the lowest ``metric`` is taken.
    """

    destination: str
    nexthops: tuple[str, ...]
    device: str = ""
    metric: int = METRIC
    table: int = MAIN
    devices: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, int, int]:
        """What there is one route of."""
        return self.destination, self.metric, self.table


@frozen
class Rule:
    """Packets of a ``version`` of IP that have a ``mark`` are looked for in a ``table`` first."""

    version: int
    mark: int
    table: int


@frozen
class Seen:
    """What is in a namespace: devices by name, their addresses but for those of the link, routes and rules of ours.

    ``proxied`` are addresses of IPv6 that are elsewhere, and for which the namespace answers on the link of a device.
    One that is not ``is_named`` is still there, and has lost the name by which others find it. One that is not
    ``is_settled`` does not forward packets as ``add`` has it.
    """

    devices: Mapping[str, Device] = field(factory=dict)
    addresses: frozenset[Address] = frozenset()
    routes: frozenset[Route] = frozenset()
    rules: frozenset[Rule] = frozenset()
    proxied: frozenset[Address] = frozenset()
    is_named: bool = True
    is_settled: bool = True


@frozen
class OuterPorts:
    """Ports of an outer address, from the first to the last, of a protocol by its number."""

    address: str
    protocol: int
    first: int
    last: int


@frozen
class PutPair:
    """Make two devices that are one wire, both up, or set right what differs; one that has lost its end is made anew.

    Their other end says by ``alias`` whose it is; one of its name that is left over, with the same alias, goes. With
    ``completes_checksums`` what leaves by the inner end has its checksums, which a userspace datapath needs.
    """

    device: Device
    alias: str
    completes_checksums: bool = False


@frozen
class RemovePair:
    """Remove the device, and its other end with it; one that is not there is no error."""

    device: str


@frozen
class PutAddress:
    """Add an address; one that is there is no error. One of IPv6 is used at once."""

    address: Address


@frozen
class RemoveAddress:
    """Remove an address, and no other of the same subnet; one that is not there is no error.

    It is announced no more.
    """

    address: Address


@frozen
class Announce:
    """Tell the neighbours where an address is now, now and a few times more: they may not hear it yet."""

    mac: str
    address: Address


@frozen
class PutProxied:
    """Answer for an address of IPv6 on the link of a device; one for which it does already is no error."""

    address: Address


@frozen
class RemoveProxied:
    """Answer for an address no more; one for which it does not is no error. It is announced no more."""

    address: Address


@frozen
class PutRoute:
    """Add a route, or put it in the place of another one of ours: see ``Route.place``."""

    route: Route


@frozen
class RemoveRoute:
    """Remove our route of this place; one that is not there is no error."""

    route: Route


@frozen
class PutRule:
    """Add a rule; one that is there is no error."""

    rule: Rule


@frozen
class RemoveRule:
    """Remove a rule of ours; one that is not there is no error."""

    rule: Rule


Operation: TypeAlias = (
    PutPair
    | RemovePair
    | PutAddress
    | RemoveAddress
    | PutProxied
    | RemoveProxied
    | Announce
    | PutRoute
    | RemoveRoute
    | PutRule
    | RemoveRule
)


class INamespaces(Interface):
    """The network namespaces of one owner, whose names begin alike."""

    def start() -> None:
        """Begin to listen to what others change."""

    def stop() -> None:
        """Listen no more; everything stays as it is."""

    def on_change(listener: Callable[[str], None]) -> None:
        """Call ``listener(name)`` a moment after others changed something in a namespace that was read, or removed it.

        Of what this process did itself it may be called too. That an address is answered for no more is found within
        some seconds, where there were any.
        """

    def names() -> Deferred[frozenset[str]]:
        """Return the names of the owner's namespaces. EdgeError."""

    def add(name: str) -> Deferred[None]:
        """Make a namespace that forwards packets and takes part in nothing else; one that is there is set right.

        It is there with all that is in it, and has its name, whatever has the name meanwhile. EdgeError.
        """

    def remove(name: str) -> Deferred[None]:
        """Remove a namespace with all that is in it; one that is not there is no error. EdgeError."""

    def read(name: str) -> Deferred[Seen | None]:
        """Return what is in a namespace; None when there is no such namespace. EdgeError."""

    def apply(name: str, operations: Iterable[Operation]) -> Deferred[None]:
        """Do these in order. EdgeError tells the first that was refused; the others are done all the same.

        Each may be repeated.
        """

    def read_filters(name: str) -> Deferred[Ruleset]:
        """Return the filters of a namespace. EdgeError."""

    def apply_filters(name: str, change: Change) -> Deferred[None]:
        """Make all of a change in one transaction, or, with an EdgeError, nothing of it."""

    def socket_in(name: str, make: Callable[[], socket]) -> Deferred[socket]:
        """Return what ``make`` returns, run inside a namespace. EdgeError."""

    def end_translated(
        name: str, addresses: frozenset[str], ports: frozenset[OuterPorts] = frozenset()
    ) -> Deferred[int]:
        """End the connections that are translated to or from these outer addresses; return how many. EdgeError.

        Those that go to or from them as they are stay. Whatever goes to these ``ports`` ends.
        """
