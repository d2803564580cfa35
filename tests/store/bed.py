"""A real store on a file of its own, for tests."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from quantumd.config import DatabaseSettings
from quantumd.store.schema import ensure_schema
from quantumd.store.store import Store


class StoreCase(TestCase):
    """Gives a test ``self.url`` of a fresh database with its tables, and ``self.store``, started."""

    timeout = 30

    def setUp(self) -> None:
        """Make the database in a folder of its own."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-store-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "store.db")
        self.url = f"sqlite:///{self.path}"
        ensure_schema(self.url)
        self.store = self.open_store()

    def open_store(self, **settings: Any) -> Store:
        """Return a started store on the database, stopped after the test."""
        store = Store(reactor, DatabaseSettings(**settings), self.url)  # type: ignore[arg-type]
        store.start()
        self.addCleanup(store.stop)
        return store
