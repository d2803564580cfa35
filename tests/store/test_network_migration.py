"""Networks of the first revisions are brought to the tables of today, with what they hold, on every database."""

from __future__ import annotations

import os
import tempfile
from typing import ClassVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from twisted.trial.unittest import SynchronousTestCase

from quantumd.store.engine import database_of, database_url
from tests.bed import databases

_OLD = (
    ("local", "'alice'", "'local', NULL, NULL", True),
    ("flat", "'alice'", "'flat', 'physnet1', NULL", False),
    ("vlan", "'bob'", "'vlan', 'physnet1', 7", False),
)


class SqliteTests(SynchronousTestCase):
    """SQLite, and what every database does."""

    kind: ClassVar[str] = "sqlite"

    def new_url(self) -> str:
        """Return the URL of an empty database."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-migration-")
        self.addCleanup(folder.cleanup)
        return f"sqlite:///{os.path.join(folder.name, 'old.db')}"

    def setUp(self) -> None:
        """Make a database of the second revision with three networks."""
        url = database_url(self.new_url())
        engine = database_of(url).upgrade_engine(url)
        self.addCleanup(engine.dispose)
        self.connection = engine.connect()
        self.addCleanup(self.connection.close)
        self.config = Config()
        self.config.set_main_option("script_location", "quantumd.store:migrations")
        self.config.set_main_option("path_separator", "os")
        self.config.attributes["connection"] = self.connection
        command.upgrade(self.config, "0002")
        _write_old(self.connection)

    def test_up_and_down(self) -> None:
        """Sharing becomes an entry and every network has a segment; and back again."""
        command.upgrade(self.config, "0003")
        entries = self.connection.execute(
            text("SELECT object_id, action, target_project, project_id FROM rbac_entries")
        ).all()
        self.assertEqual([tuple(row) for row in entries], [("local", "access_as_shared", "*", "alice")])
        self.assertEqual(
            self._segments("network_id, physical_network, segmentation_id"),
            [("flat", "physnet1", 0), ("local", "", None), ("vlan", "physnet1", 7)],
        )
        command.downgrade(self.config, "0002")
        self.assertEqual(
            self._segments("network_id, physical_network, segmentation_id"),
            [("flat", "physnet1", 0), ("vlan", "physnet1", 7)],
        )
        shared = self.connection.execute(text("SELECT id FROM networks WHERE shared")).scalars().all()
        self.assertEqual(shared, ["local"])

    def _segments(self, columns: str) -> list[tuple[object, ...]]:
        rows = self.connection.execute(text(f"SELECT {columns} FROM segments ORDER BY network_id"))
        return [tuple(row) for row in rows]


class PostgresqlTests(SqliteTests):
    """PostgreSQL."""

    kind = "postgresql"
    skip = databases.lacking("postgresql")

    def new_url(self) -> str:
        """Return the URL of an empty database."""
        return databases.new_database(self.kind)


class MariadbTests(PostgresqlTests):
    """MariaDB."""

    kind = "mariadb"
    skip = databases.lacking("mariadb")


def _write_old(connection: Connection) -> None:
    for name, project_id, place, is_shared in _OLD:
        connection.execute(
            text(
                "INSERT INTO networks (id, project_id, name, description, created_at, updated_at, revision_number,"
                " admin_state_up, status, shared, mtu, network_type, physical_network, segmentation_id, record_version)"
                f" VALUES ('{name}', {project_id}, '', '', '', '', 1, true, 'ACTIVE', {is_shared}, 1500, {place}, 1)"
            )
        )
    connection.execute(
        text(
            "INSERT INTO segments (network_type, physical_network, segmentation_id, network_id)"
            " VALUES ('flat', 'physnet1', 0, 'flat'), ('vlan', 'physnet1', 7, 'vlan')"
        )
    )
