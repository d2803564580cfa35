"""What the place of services acts through, and its life."""

from __future__ import annotations

from typing import Any

from attrs import define
from twisted.application.service import Service

from quantumd.edge.netns.interfaces import INamespaces


def make_namespaces(reactor: Any, edges: str, prefix: str) -> INamespaces:
    """Return the namespaces of this host: ``real``, or in ``memory``."""
    if edges == "memory":
        # What is only for trying out is imported only then.
        from quantumd.edge.netns.memory import MemoryNamespaces

        return MemoryNamespaces(prefix)
    from quantumd.edge.netns.kernel import KernelNamespaces

    return KernelNamespaces(reactor, prefix)


@define(eq=False)
class NamespaceService(Service):
    """Listens to the namespace while it runs; when it ends all stays as it is."""

    _namespaces: INamespaces

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        self._namespaces.start()

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()
        self._namespaces.stop()
