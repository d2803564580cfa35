"""Both providers of IStore keep its promises."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from quantumd.store.memory import MemoryStore
from tests.contracts.store import StoreContract
from tests.store.bed import StoreCase


class StoreTests(StoreContract, StoreCase):
    """The store on SQLite."""


class MemoryStoreTests(StoreContract, TestCase):
    """The store in memory."""

    def setUp(self) -> None:
        """Make an empty store."""
        self.store = MemoryStore()
