"""Namespaces in memory keep the contract."""

from __future__ import annotations

from quantumd.edge.netns.memory import MemoryNamespaces
from tests.contracts.namespaces import NamespacesContract


class MemoryNamespacesTests(NamespacesContract):
    """See NamespacesContract."""

    __test__ = True

    namespaces: MemoryNamespaces

    def make(self) -> MemoryNamespaces:
        """See NamespacesContract."""
        return MemoryNamespaces()

    def make_stranger(self) -> MemoryNamespaces:
        """See NamespacesContract: there is one world."""
        return self.namespaces
