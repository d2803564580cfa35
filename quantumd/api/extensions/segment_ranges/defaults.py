"""The ranges of the settings as rows, so that lists show them; they are made to follow before a list is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from attrs import frozen
from sqlalchemy import Connection, insert, select

from quantumd.api.extensions.segment_ranges.operations import forget_range
from quantumd.api.resource import Query
from quantumd.model.context import Context
from quantumd.model.segment_ranges import SegmentRange
from quantumd.store.tables.networks import network_segment_ranges
from quantumd.store.transaction import Transaction


@frozen
class DefaultRanges:
    """Keeps the rows of default ranges what the settings say."""

    ranges: tuple[SegmentRange, ...]

    def before_list(
        self, connection: Connection, context: Context, query: Query
    ) -> Callable[[Transaction], None] | None:
        """Return what writes the rows when they are not what the settings say, None when they are."""
        return None if _stored(connection) == set(self._rows()) else self.follow

    def follow(self, tx: Transaction) -> None:
        """Make the rows what the settings say."""
        tx.lock("network segment ranges")
        wanted, had = self._rows(), _stored(tx.connection)
        for gone in had - set(wanted):
            forget_range(tx, gone)
        new = [{**_row(wanted[each], tx.now), "id": each} for each in wanted if each not in had]
        if new:
            tx.connection.execute(insert(network_segment_ranges), new)

    def _rows(self) -> Mapping[str, SegmentRange]:
        # The id follows from what the range is: the same in every process and after every start.
        return {
            str(uuid5(NAMESPACE_OID, f"{each.network_type}:{each.physical_network}:{each.first}:{each.last}")): each
            for each in self.ranges
        }


def _stored(connection: Connection) -> set[str]:
    table = network_segment_ranges.c
    return set(connection.execute(select(table.id).where(table.is_default.is_(True))).scalars())


def _row(given: SegmentRange, now: str) -> dict[str, Any]:
    return {
        "project_id": None,
        "name": "",
        "description": "",
        "created_at": now,
        "updated_at": now,
        "revision_number": 1,
        "is_default": True,
        "shared": True,
        "network_type": given.network_type,
        "physical_network": given.physical_network or None,
        "minimum": given.first,
        "maximum": given.last,
    }
