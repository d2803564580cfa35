"""A real store on a database of its own, for tests."""

from __future__ import annotations

import os
import tempfile
from typing import Any, ClassVar

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from quantumd.config import DatabaseSettings
from quantumd.store.schema import ensure_schema
from quantumd.store.store import Store
from tests.bed.databases import empty_tables


class StoreCase(TestCase):
    """Gives a test ``self.url`` of a fresh database with its tables, and ``self.store``, started."""

    timeout = 30

    database: ClassVar[str] = "sqlite"
    """On which the store is: sqlite, postgresql or mariadb."""

    def setUp(self) -> None:
        """Make the database."""
        self.url = self.new_url()
        self.store = self.open_store()

    def new_url(self) -> str:
        """Return the URL of a database with empty tables: on SQLite a new file, elsewhere what is shared."""
        if self.database != "sqlite":
            return empty_tables(self.database)
        folder = tempfile.TemporaryDirectory(prefix="quantumd-store-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "store.db")
        url = f"sqlite:///{self.path}"
        ensure_schema(url)
        return url

    def open_store(self, **settings: Any) -> Store:
        """Return a started store on the database, stopped after the test."""
        store = Store(reactor, DatabaseSettings(**settings), self.url)  # type: ignore[arg-type]
        store.start()
        self.addCleanup(store.stop)
        return store
