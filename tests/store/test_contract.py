"""Every provider of IStore keeps its promises."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import TestCase

from quantumd.store.memory import MemoryStore
from tests.bed.databases import lacking
from tests.contracts.store import StoreContract
from tests.store.bed import StoreCase


class StoreTests(StoreContract, StoreCase):
    """The store on SQLite."""


@pytest.mark.time_limit(300)
class PostgresqlStoreTests(StoreContract, StoreCase):
    """The store on PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


@pytest.mark.time_limit(300)
class MariadbStoreTests(StoreContract, StoreCase):
    """The store on MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")


class MemoryStoreTests(StoreContract, TestCase):
    """The store in memory."""

    def setUp(self) -> None:
        """Make an empty store."""
        self.store = MemoryStore()
