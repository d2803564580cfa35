"""The network namespaces of routers, as a service."""

from __future__ import annotations

from typing import Any

from attrs import define
from twisted.application.service import Service

from quantumd.edge.netns.interfaces import INamespaces
from quantumd.l3.names import PREFIX


def make_namespaces(reactor: Any, edges: str) -> INamespaces:
    """Return the namespaces of this host: ``real``, or in ``memory``."""
    if edges == "memory":
        # What is only for trying out is imported only then.
        from quantumd.edge.netns.memory import MemoryNamespaces

        return MemoryNamespaces(PREFIX)
    from quantumd.edge.netns.kernel import KernelNamespaces

    return KernelNamespaces(reactor, PREFIX)


@define(eq=False)
class Namespaces(Service):
    """Listens to them while it runs; they stay as they are."""

    _namespaces: INamespaces

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        self._namespaces.start()

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()
        self._namespaces.stop()
