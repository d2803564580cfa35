"""What the l3 role acts through, and its life."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from attrs import define, frozen
from twisted.application.service import Service

from quantumd.edge.dhcpv6.interfaces import IClients
from quantumd.edge.netns.interfaces import INamespaces
from quantumd.edge.notes.interfaces import INote
from quantumd.edge.solicitations.interfaces import ISolicitations
from quantumd.l3.advertiser import Advertiser
from quantumd.l3.delegation.book import LeaseBook
from quantumd.l3.delegation.delegator import Delegator

_LEASES: Final = "delegated-prefixes.json"


@frozen
class L3Edges:
    """The edges of routers."""

    namespaces: INamespaces
    solicitations: ISolicitations
    clients: IClients
    leases: INote


def make_edges(reactor: Any, edges: str, prefix: str, state_dir: Path) -> L3Edges:
    """Return the edges of this host: ``real``, or in ``memory``; names of namespaces begin with ``prefix``.

    What must survive a restart is kept in ``state_dir``.
    """
    if edges == "memory":
        # What is only for trying out is imported only then.
        from quantumd.edge.dhcpv6.memory import MemoryClients
        from quantumd.edge.netns.memory import MemoryNamespaces
        from quantumd.edge.notes.memory import MemoryNote
        from quantumd.edge.solicitations.memory import MemorySolicitations

        return L3Edges(MemoryNamespaces(prefix), MemorySolicitations(), MemoryClients(), MemoryNote())
    from quantumd.edge.dhcpv6.kernel import KernelClients
    from quantumd.edge.netns.kernel import KernelNamespaces
    from quantumd.edge.notes.files import FileNote
    from quantumd.edge.solicitations.kernel import KernelSolicitations

    namespaces = KernelNamespaces(reactor, prefix)
    solicitations, clients = KernelSolicitations(reactor, namespaces), KernelClients(reactor, namespaces)
    return L3Edges(namespaces, solicitations, clients, FileNote(reactor, state_dir / _LEASES))


@define(eq=False)
class L3Service(Service):
    """Listens to namespaces while it runs; when it ends they stay as they are, and nobody is told anything."""

    _namespaces: INamespaces
    _advertiser: Advertiser
    _delegator: Delegator
    _book: LeaseBook

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        self._book.open()
        self._namespaces.start()

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()
        self._advertiser.stop()
        self._delegator.stop()
        self._namespaces.stop()
