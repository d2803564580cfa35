"""Linux bridges as an L2 driver: which edges it is made of, and in which order they come and go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attrs import define, evolve, frozen
from twisted.application.service import Service
from zope.interface import implementer

from quantumd.edge.frames.interfaces import IFrames
from quantumd.edge.hostlock import HostLock
from quantumd.edge.netlink.interfaces import ILinks
from quantumd.edge.nft.interfaces import INft
from quantumd.l2.drivers.interfaces import FrameParts, IL2Driver, L2Parts, Site
from quantumd.l2.drivers.linuxbridge.converger import BridgeConverger
from quantumd.l2.drivers.linuxbridge.edges import BridgeEdges
from quantumd.l2.drivers.linuxbridge.settings import exits_of
from quantumd.l2.drivers.linuxbridge.view import HostView
from quantumd.model.network import VXLAN
from quantumd.ordered import OrderedServices

if TYPE_CHECKING:
    from quantumd.l2.drivers.linuxbridge.memory import MemoryHost


@define(eq=False)
class _Kernel(Service):
    """Listens to the kernel while it runs; devices and filters stay as they are."""

    _links: ILinks
    _nft: INft

    def startService(self) -> None:
        super().startService()
        self._nft.start()
        self._links.start()

    def stopService(self) -> None:
        super().stopService()
        self._links.stop()
        self._nft.stop()


@define(eq=False)
class _Alone(OrderedServices):
    """Runs a service only while no other daemon does the same in this network namespace."""

    _site: Site
    _what: str
    _service: Service

    def __attrs_post_init__(self) -> None:
        OrderedServices.__init__(self)

    def startService(self) -> None:
        super().startService()
        run_dir = Path(self._site.run_dir)
        run_dir.mkdir(parents=True, exist_ok=True)
        # The file of a namespace has the same number in every process that is in it (namespaces(7)).
        path = run_dir / f"{self._what}-{Path('/proc/self/ns/net').stat().st_ino}.lock"
        HostLock(self._site.reactor, str(path), self._locked).setServiceParent(self)

    def _locked(self) -> None:
        self._service.setServiceParent(self)


@implementer(IL2Driver)
@frozen
class LinuxBridgeDriver:
    """See IL2Driver."""

    name = "linuxbridge"
    capabilities = frozenset(
        {
            "binding",
            "provider",
            "net-mtu",
            "dhcpv6",
            "extra_dhcp_opt",
            "port-security",
            "allowed-address-pairs",
            "security-group",
            "stateful-security-group",
            "security-groups-remote-address-group",
            "address-group",
            VXLAN,
        }
    )

    def install(self, site: Site) -> L2Parts:
        """See IL2Driver."""
        if site.edges == "memory":
            host = _memory(site)
            return self.install_on(site, host.edges(), host.frame_parts())
        parts = self.install_on(site, _real_edges(site), _real_frames(site))
        return evolve(parts, connections=_Alone(site, "quantumd-l2", cast(Service, parts.connections)))

    def plugs(self, site: Site) -> None:
        """See IL2Driver."""

    def frames(self, site: Site) -> FrameParts:
        """See IL2Driver."""
        return _memory(site).frame_parts() if site.edges == "memory" else _real_frames(site)

    def install_on(self, site: Site, edges: BridgeEdges, frames: FrameParts) -> L2Parts:
        """Make the parts on given edges."""
        view = HostView(site.records, edges.links, exits_of(site.l2))
        converger = BridgeConverger(site.host, edges.links, edges.nft, view, site.reactor, edges.connections)
        return L2Parts(
            converger,
            _Kernel(edges.links, edges.nft),
            frames,
            faults=converger.faults,
            count_repaired_flows=lambda: converger.drift.repaired,
        )


def _memory(site: Site) -> MemoryHost:
    # What is only for trying out is imported only then.
    from quantumd.l2.drivers.linuxbridge.memory import MemoryHost

    return MemoryHost(site.reactor)


def _real_edges(site: Site) -> BridgeEdges:
    # Hosts with another driver need none of it.
    from quantumd.edge.netlink.links import KernelLinks
    from quantumd.edge.nft.program import NftProgram
    from quantumd.edge.tracked.kernel import KernelConnections

    reactor = cast(Any, site.reactor)
    return BridgeEdges(KernelLinks(reactor), NftProgram(reactor), KernelConnections(reactor))


def _real_frames(site: Site) -> FrameParts:
    from quantumd.edge.frames.taps import TapFrames
    from quantumd.edge.netlink.links import KernelLinks
    from quantumd.l2.drivers.linuxbridge.names import served_port

    reactor: Any = site.reactor
    frames: IFrames = TapFrames(reactor, KernelLinks(reactor), served_port, site.dhcp.rate_per_port_pps)
    return FrameParts(frames, _Alone(site, "quantumd-frames", cast(Service, frames)))
