"""A host with Linux bridges in memory, and what a hypervisor does to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, evolve, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from quantumd.edge.frames.memory import MemoryFrames
from quantumd.edge.netlink.interfaces import Link
from quantumd.edge.netlink.memory import MemoryLinks
from quantumd.edge.nft.memory import MemoryNft
from quantumd.edge.tracked.interfaces import Connection, IConnections
from quantumd.l2.drivers.interfaces import FrameParts
from quantumd.l2.drivers.linuxbridge.edges import BridgeEdges
from quantumd.l2.drivers.linuxbridge.names import named_alias, tap_of


@implementer(IConnections)
@define(eq=False)
class MemoryTracked:
    """See IConnections. ``known`` is what is tracked."""

    known: set[Connection] = field(factory=set, init=False)

    def settle(self) -> Deferred[None]:
        """See IConnections."""
        return succeed(None)

    def read(self, zones: frozenset[int]) -> Deferred[tuple[Connection, ...]]:
        """See IConnections."""
        return succeed(tuple(each for each in self.known if each.zone in zones))

    def end(self, connections: Iterable[Connection]) -> Deferred[None]:
        """See IConnections."""
        self.known -= set(connections)
        return succeed(None)

    def limit(self, zones: frozenset[int], most: int) -> Deferred[None]:
        """See IConnections."""
        return succeed(None)

    def clear(self, zones: frozenset[int]) -> Deferred[None]:
        """See IConnections."""
        self.known = {each for each in self.known if each.zone not in zones}
        return succeed(None)


@define(eq=False)
class MemoryHost:
    """Devices, filters, connections and frames, and no packets."""

    clock: Any
    links: MemoryLinks = field(factory=MemoryLinks, init=False)
    nft: MemoryNft = field(factory=MemoryNft, init=False)
    connections: MemoryTracked = field(factory=MemoryTracked, init=False)

    def edges(self) -> BridgeEdges:
        """Return the edges to it."""
        return BridgeEdges(self.links, self.nft, self.connections)

    def frame_parts(self) -> FrameParts:
        """Return the frames of its ports."""
        frames = MemoryFrames()
        frames.connect()
        return FrameParts(frames, Service())

    def plug(self, port_id: str) -> None:
        """Make the device of a port, which says whose it is, as whoever plugs a port without a binding does."""
        self.links.put(Link(tap_of(port_id), 0, "tun", alias=named_alias(port_id), is_up=True))

    def unplug(self, port_id: str) -> None:
        """Remove the device of a port."""
        self.links.remove(tap_of(port_id))

    def change(self, port_id: str, **changes: Any) -> None:
        """Change the device of a port, as a stranger."""
        self.links.put(evolve(self.links.links()[tap_of(port_id)], **changes))
