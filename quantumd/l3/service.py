"""What the l3 role acts through, and its life."""

from __future__ import annotations

from typing import Any

from attrs import define, frozen
from twisted.application.service import Service

from quantumd.edge.netns.interfaces import INamespaces
from quantumd.edge.solicitations.interfaces import ISolicitations
from quantumd.l3.advertiser import Advertiser


@frozen
class L3Edges:
    """The edges of routers."""

    namespaces: INamespaces
    solicitations: ISolicitations


def make_edges(reactor: Any, edges: str, prefix: str) -> L3Edges:
    """Return the edges of this host: ``real``, or in ``memory``; names of namespaces begin with ``prefix``."""
    if edges == "memory":
        # What is only for trying out is imported only then.
        from quantumd.edge.netns.memory import MemoryNamespaces
        from quantumd.edge.solicitations.memory import MemorySolicitations

        return L3Edges(MemoryNamespaces(prefix), MemorySolicitations())
    from quantumd.edge.netns.kernel import KernelNamespaces
    from quantumd.edge.solicitations.kernel import KernelSolicitations

    namespaces = KernelNamespaces(reactor, prefix)
    return L3Edges(namespaces, KernelSolicitations(reactor, namespaces))


@define(eq=False)
class L3Service(Service):
    """Listens to namespaces while it runs; when it ends they stay as they are, and nobody is told anything."""

    _namespaces: INamespaces
    _advertiser: Advertiser

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        self._namespaces.start()

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()
        self._advertiser.stop()
        self._namespaces.stop()
