"""Network segment ranges: which ids administrators let networks have, and which projects some are kept for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, ClassVar, Final

from attrs import frozen
from sqlalchemy import Connection, delete, select

from quantumd.api.errors import BadRequest
from quantumd.api.extensions.segment_ranges.errors import (
    NetworkSegmentRangeDefaultReadOnly,
    NetworkSegmentRangeNetTypeNotSupported,
    NetworkSegmentRangeNotFound,
    NetworkSegmentRangeOverlaps,
    NetworkSegmentRangeReferencedByProject,
    NetworkTunnelRangeError,
    NetworkVlanRangeError,
)
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.rows import Rows, for_everybody
from quantumd.api.resources.tags import forget_tags
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.network import FIRST_ID, LAST_ID, VLAN
from quantumd.model.segment_ranges import SegmentRange
from quantumd.store.tables import networks, segments
from quantumd.store.tables.networks import network_segment_ranges
from quantumd.store.transaction import Transaction

SHOWN_IDS: Final = 10_000
"""How many free ids of a range are shown: 16 million of them would be an answer of 130 MB."""

_TABLE = network_segment_ranges.c


def _with_ids(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    """Add which ids of the ranges are used, by whose networks, and which are free."""
    for view in views.values():
        used = _used(connection, _range_of(view))
        view["used"] = {str(each): project_id for each, project_id in used.items()}
        free = (each for each in range(view["minimum"], view["maximum"] + 1) if each not in used)
        view["available"] = list(islice(free, SHOWN_IDS))


RANGE_ROWS = Rows(
    "network_segment_range",
    network_segment_ranges,
    NetworkSegmentRangeNotFound,
    for_everybody,
    renamed={"default": "is_default"},
    children=_with_ids,
    is_taggable=True,
)
"""Ranges are administrators' to see, so no scope hides any."""


@frozen
class RangeOperations(KeptAsRows):
    """Operations on network segment ranges. Those of the settings are rows too, but their rows are only shown."""

    rows: ClassVar = RANGE_ROWS
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. NetworkSegmentRangeOverlaps, NetworkVlanRangeError, NetworkTunnelRangeError, BadRequest."""
        if body.get("network_type") is None:
            raise NetworkSegmentRangeNetTypeNotSupported(None)
        values = {
            "id": self.chance.new_id(),
            "name": body["name"],
            "description": body["description"],
            "default": False,
            "shared": body["shared"],
            "project_id": None if body["shared"] else body["project_id"],
            "network_type": body["network_type"],
            "physical_network": _physical_network(body),
            "minimum": body["minimum"],
            "maximum": body["maximum"],
        }
        _require_possible(values)
        tx.lock("network segment ranges")
        _require_disjoint(tx, values)
        view = RANGE_ROWS.insert(tx, context, values)
        _with_ids(tx.connection, context, {view["id"]: view})
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. A range cannot leave out ids that its networks hold."""
        tx.lock("network segment ranges")
        before = self._changeable(tx, context, resource_id)
        wanted = {**before, **changes}
        _require_possible(wanted)
        _require_disjoint(tx, wanted)
        if any(not wanted["minimum"] <= int(each) <= wanted["maximum"] for each in before["used"]):
            raise NetworkSegmentRangeReferencedByProject(resource_id)
        after = RANGE_ROWS.change(tx, context, before, changes)
        _with_ids(tx.connection, context, {resource_id: after})
        return after

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. NetworkSegmentRangeReferencedByProject."""
        before = self._changeable(tx, context, resource_id)
        if before["used"]:
            raise NetworkSegmentRangeReferencedByProject(resource_id)
        RANGE_ROWS.remove(tx, context, before)

    def _changeable(self, tx: Transaction, context: Context, resource_id: str) -> View:
        view = self.show(tx.connection, context, resource_id)
        if view["default"]:
            raise NetworkSegmentRangeDefaultReadOnly(resource_id)
        return view


def _physical_network(body: Mapping[str, Any]) -> str | None:
    if body["network_type"] != VLAN:
        return None
    if not body.get("physical_network"):
        raise BadRequest(
            "network_segment_range",
            f"Network type {VLAN} requires 'physical_network' to be specified while creating new range",
        )
    name: str = body["physical_network"]
    return name


def _require_possible(values: Mapping[str, Any]) -> None:
    network_type, minimum, maximum = values["network_type"], values["minimum"], values["maximum"]
    is_vlan = network_type == VLAN
    error = NetworkVlanRangeError if is_vlan else NetworkTunnelRangeError
    for each in (minimum, maximum):
        if not FIRST_ID <= each <= LAST_ID[network_type]:
            kind = "VLAN tag" if is_vlan else f"{network_type} identifier"
            raise error(minimum, maximum, f"{each} is not a valid {kind}")
    if maximum < minimum:
        kind = "VLAN" if is_vlan else "tunnel"
        raise error(minimum, maximum, f"End of {kind} range is less than start of {kind} range")


def _require_disjoint(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Refuse ids that another range has; those of the settings may be divided among projects."""
    statement = (
        select(_TABLE.id)
        .where(
            _TABLE.network_type == values["network_type"],
            _TABLE.physical_network.is_not_distinct_from(values["physical_network"]),
            _TABLE.is_default.is_(False),
            _TABLE.id != values["id"],
            _TABLE.minimum <= values["maximum"],
            _TABLE.maximum >= values["minimum"],
        )
        .order_by(_TABLE.id)
    )
    others = list(tx.connection.execute(statement).scalars())
    if others:
        raise NetworkSegmentRangeOverlaps(others)


def _range_of(view: Mapping[str, Any]) -> SegmentRange:
    name = view["physical_network"] or ""
    return SegmentRange(view["network_type"], name, view["minimum"], view["maximum"])


def _used(connection: Connection, ids: SegmentRange) -> dict[int, str]:
    statement = (
        select(segments.c.segmentation_id, networks.c.project_id)
        .join(networks, networks.c.id == segments.c.network_id)
        .where(
            segments.c.network_type == ids.network_type,
            segments.c.physical_network == ids.physical_network,
            segments.c.segmentation_id.between(ids.first, ids.last),
        )
        .order_by(segments.c.segmentation_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement).all()}


def forget_range(tx: Transaction, range_id: str) -> None:
    """Remove a range of the settings that is not in them any more."""
    forget_tags(tx, range_id)
    tx.connection.execute(delete(network_segment_ranges).where(_TABLE.id == range_id))
