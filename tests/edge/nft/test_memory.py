"""Filters in memory keep the contract."""

from __future__ import annotations

from quantumd.edge.nft.memory import MemoryNft
from tests.contracts.nft import NftContract


class MemoryNftTests(NftContract):
    """See NftContract."""

    __test__ = True

    def make(self) -> MemoryNft:
        """See NftContract."""
        return MemoryNft()
