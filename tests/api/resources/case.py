"""A test case with the resources on a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import select
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import NetworkSettings
from quantumd.errors import ApiError
from quantumd.store.tables import journal, networks, ports
from tests.api.resources.bed import Bed, View


class ResourceCase(SynchronousTestCase):
    """Has ``bed``; children set ``settings`` and ``physical_networks``. test_databases.py runs them on servers too."""

    settings = NetworkSettings()
    physical_networks: tuple[str, ...] = ("physnet1",)
    database = "sqlite"

    def setUp(self) -> None:
        """Make the database."""
        self.bed = Bed(self.settings, self.physical_networks, database=self.database)
        self.addCleanup(self.bed.close)

    def assert_refused(self, status: int, type_name: str, work: Callable[..., Any], *args: Any, **more: Any) -> str:
        """Check that the work is refused with this status and type, and return the message."""
        error = self.assertRaises(ApiError, work, *args, **more)
        self.assertEqual((error.status, error.type), (status, type_name), str(error))
        return str(error)

    def journalled(self) -> list[tuple[str, str]]:
        """Return (resource, operation) of every journal row."""
        rows = self.bed.connection.execute(select(journal.c.resource, journal.c.operation).order_by(journal.c.position))
        return [(row.resource, row.operation) for row in rows]

    def last_journalled(self) -> tuple[int, View | None, View | None]:
        """Return position, before and after of the last journal row."""
        row = self.bed.row(
            select(journal.c.position, journal.c.before, journal.c.after).order_by(journal.c.position.desc())
        )
        before, after = (None if text is None else orjson.loads(text) for text in (row.before, row.after))
        return row.position, before, after

    def position(self) -> int:
        """Return the last journal position."""
        return self.last_journalled()[0]

    def port_version(self, port_id: str) -> int:
        """Return the record version of a port."""
        return int(self.bed.row(select(ports.c.record_version).where(ports.c.id == port_id))[0])

    def network_version(self, network_id: str) -> int:
        """Return the record version of a network."""
        return int(self.bed.row(select(networks.c.record_version).where(networks.c.id == network_id))[0])
