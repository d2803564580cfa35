"""``quantumctl router``: routers move in the database, while no API process runs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, insert, select, update
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.extensions.routers.hosting import give
from quantumd.model.context import Context
from quantumd.model.records import KINDS
from quantumd.store.batch import BatchWriter
from quantumd.store.engine import database_url, writer_engine
from quantumd.store.schema import ensure_schema
from quantumd.store.tables import hosts, journal
from quantumd.store.tables.routers import routers
from quantumd.store.transaction import Transaction
from tests.ctl.test_hosts import run

NOW = "2100-01-01T00:00:00Z"
"""Hosts that reported then live whenever the test runs."""


class RouterCommandTests(SynchronousTestCase):
    """Three hosts, of which one carries no routers, and two routers on the first."""

    def setUp(self) -> None:
        """Make a database with them."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.url = f"sqlite:///{folder}/q.db"
        self.file = folder / "q.toml"
        self.file.write_text(f'[database]\nurl = "{self.url}"\n')
        ensure_schema(self.url)
        engine = writer_engine(database_url(self.url))
        writer = BatchWriter(engine, lambda: NOW)
        for work in (self.add_hosts, self.add_routers):
            writer.commit((work,))
        writer.close()
        engine.dispose()
        self.engine = create_engine(self.url)
        self.addCleanup(self.engine.dispose)

    def add_hosts(self, tx: Transaction) -> None:
        """Hosts as they report."""
        for host, kinds in (("a", KINDS), ("b", KINDS), ("c", ())):
            row = {"host": host, "role": "l3", "quantumd_version": "1", "reported_at": NOW, "vif_details": "{}"}
            tx.connection.execute(insert(hosts), {**row, "record_kinds": ",".join(kinds)})

    def add_routers(self, tx: Transaction) -> None:
        """Routers, as they are made."""
        for number in ("1", "2"):
            row = {"id": number, "project_id": "p", "name": "", "description": "", "admin_state_up": True}
            times = {"created_at": NOW, "updated_at": NOW, "revision_number": 1}
            rest = {"status": "ACTIVE", "enable_snat": True, "routes": "[]"}
            tx.connection.execute(insert(routers), {**row, **times, **rest})
            give(tx, Context("r"), number, "a")

    def carried(self) -> dict[str, tuple[str, str]]:
        """Return host and status of the routers."""
        with self.engine.connect() as connection:
            found = connection.execute(select(routers.c.id, routers.c.host, routers.c.status)).all()
        return {row.id: (row.host, row.status) for row in found}

    def ctl(self, *words: str) -> tuple[int, str]:
        """Run quantumctl router."""
        return run("--config", str(self.file), "router", *words)

    def test_one_is_moved(self) -> None:
        """It is journalled, so that API processes tell the hosts."""
        self.assertEqual(self.ctl("move", "1", "b"), (0, "router 1: a -> b\n"))
        self.assertEqual(self.carried(), {"1": ("b", "DOWN"), "2": ("a", "ACTIVE")})
        with self.engine.connect() as connection:
            written = connection.execute(select(journal.c.resource).where(journal.c.request_id == "quantumctl"))
            self.assertEqual(written.scalars().all(), ["router", "agent", "agent"])

    def test_what_cannot_be_is_refused(self) -> None:
        """And nothing is changed."""
        for words, said in (
            (("move", "3", "b"), "there is no router 3"),
            (("move", "1", "c"), "c may carry no routers"),
            (("move", "1", "z"), "z may carry no routers"),
        ):
            status, printed = self.ctl(*words)
            self.assertEqual((status, said in printed), (1, True), printed)
        self.assertEqual(self.carried(), {"1": ("a", "ACTIVE"), "2": ("a", "ACTIVE")})

    def test_a_host_is_emptied(self) -> None:
        """Also one that is gone; asked again there is nothing to do."""
        with self.engine.begin() as connection:
            connection.execute(update(hosts).where(hosts.c.host == "a").values(reported_at="2026-01-01T00:00:00Z"))
        self.assertEqual(self.ctl("evacuate", "a"), (0, "router 1: a -> b\nrouter 2: a -> b\n"))
        self.assertEqual(self.carried(), {"1": ("b", "DOWN"), "2": ("b", "DOWN")})
        self.assertEqual(self.ctl("evacuate", "a"), (0, ""))

    def test_where_nobody_else_is_they_stay(self) -> None:
        """And that is said."""
        self.ctl("evacuate", "a")
        with self.engine.begin() as connection:
            connection.execute(update(hosts).where(hosts.c.host == "a").values(record_kinds=""))
        self.assertEqual(self.ctl("evacuate", "b"), (1, "2 routers stay on b: no other host may carry routers\n"))
        self.assertEqual({host for host, _ in self.carried().values()}, {"b"})

    def test_without_a_database_nothing_is_made(self) -> None:
        """As with quantumctl host."""
        self.file.write_text('[database]\nurl = "sqlite:////nowhere/q.db"\n')
        status, printed = self.ctl("evacuate", "a")
        self.assertEqual((status, "there is no database" in printed), (1, True))
