"""Devices in memory keep the contract."""

from __future__ import annotations

from quantumd.edge.netlink.memory import MemoryLinks
from tests.contracts.links import LinksContract


class MemoryLinksTests(LinksContract):
    """See LinksContract."""

    __test__ = True

    def make(self) -> MemoryLinks:
        """See LinksContract."""
        links = MemoryLinks()
        links.start()
        self.addCleanup(links.stop)
        return links
