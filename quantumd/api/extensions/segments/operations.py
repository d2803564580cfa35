"""Segments of networks: making more of them, naming and deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, func, select

from quantumd.api.extensions.segments.errors import SegmentInUse, SegmentNotFound
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.network_rules import TRANSPARENT, require_mtu, require_tags_pass
from quantumd.api.resources.network_views import NetworkViews, segments_of, segments_view
from quantumd.api.resources.network_writing import rewrite_network
from quantumd.api.resources.rows import Rows, for_everybody
from quantumd.api.resources.segments import Segments, asked_segment, segment_of, segment_row
from quantumd.api.resources.views import View
from quantumd.model.carrying import NOWHERE, segment_on
from quantumd.model.context import Context
from quantumd.model.network import Segment, Underlay, largest_mtu
from quantumd.store import segment_nouns
from quantumd.store.tables import ports, segments, subnets
from quantumd.store.transaction import Transaction


def _shown(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    """Show of a flat network no number, and of a tunnel no physical network."""
    for view in views.values():
        held = segment_of(view["network_type"], view["physical_network"], view["segmentation_id"])
        view |= {"physical_network": held.physical_network, "segmentation_id": held.segmentation_id}


SEGMENT_ROWS = Rows(
    "segment", segments, SegmentNotFound, for_everybody, hidden=frozenset({"segment_index"}), children=_shown
)
"""Segments are administrators' to see, so no scope hides any."""


@frozen
class SegmentOperations(KeptAsRows):
    """Operations on segments."""

    rows: ClassVar = SEGMENT_ROWS
    segments: Segments
    underlay: Underlay

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows. The network's MTU becomes what all of its segments carry.

        :raises NetworkNotFound, InvalidInput, VlanIdInUse, TunnelIdInUse, NoNetworkAvailable: it cannot be made.
        :raises VlanTransparencyDriverError, NetworkMTUSubnetConflict: it does not carry what the network needs.
        """
        network = NetworkViews().visible(tx.connection, context, body["network_id"])
        asked = asked_segment(body, prefix="")
        self.segments.check(asked)
        require_tags_pass(network, (asked,))

        def make(chosen: tuple[Segment, ...]) -> View:
            index = tx.connection.execute(
                select(func.max(segments.c.segment_index)).where(segments.c.network_id == network["id"])
            ).scalar()
            row = segment_row(self.segments.chance.new_id(), network["id"], chosen[0], (index or 0) + 1, tx.now)
            row |= {"name": body["name"], "description": body["description"]}
            view = SEGMENT_ROWS.insert(tx, context, row)
            del view["segment_index"]
            _shown(tx.connection, context, {view["id"]: view})
            return view

        view = self.segments.held(tx, network["project_id"], (asked,), make)
        self._follow(tx, context, network)
        return view

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. SegmentInUse."""
        before = self.show(tx.connection, context, resource_id)
        network = NetworkViews().visible(tx.connection, context, before["network_id"])
        _require_unused(tx, before, network)
        SEGMENT_ROWS.remove(tx, context, before)
        self._follow(tx, context, network)

    def _follow(self, tx: Transaction, context: Context, before: View) -> None:
        """Write what the network shows of its segments now; hosts may carry it by others."""
        held = segments_of(tx.connection, before["id"])
        others = {name: value for name, value in before.items() if name != "segments"}
        mtu = min(before["mtu"], largest_mtu(held, self.underlay, bool(before[TRANSPARENT])))
        if mtu < before["mtu"]:
            versions = select(subnets.c.ip_version).where(subnets.c.network_id == before["id"])
            require_mtu(before["id"], mtu, tx.connection.execute(versions).scalars())
        rewrite_network(tx, context, before, {**others, **segments_view(held), "mtu": mtu}, held[0])


def _require_unused(tx: Transaction, segment: View, network: View) -> None:
    connection, segment_id, network_id = tx.connection, segment["id"], network["id"]
    subnet_ids = connection.execute(select(subnets.c.id).where(subnets.c.segment_id == segment_id)).scalars().all()
    if subnet_ids:
        raise SegmentInUse(segment_id, f"The segment is still associated with subnet(s) {', '.join(subnet_ids)}")
    first = connection.execute(
        select(segments.c.id).where(segments.c.network_id == network_id).order_by(segments.c.segment_index).limit(2)
    ).scalars()
    of_network = list(first)
    if of_network == [segment_id]:
        raise SegmentInUse(segment_id, "It is the only segment of its network")
    place = segment_of(segment["network_type"], segment["physical_network"] or "", segment["segmentation_id"])
    count = _bound_on(connection, network_id, place)
    if count:
        raise SegmentInUse(segment_id, f"The segment is still bound with {count} port(s)")


def _bound_on(connection: Connection, network_id: str, segment: Segment) -> int:
    """Return how many ports are bound to hosts that carry the network by a segment."""
    every = segment_nouns.segments_of(connection, (network_id,))[network_id]
    bound = select(ports.c.host_id, func.count().label("ports")).where(
        ports.c.network_id == network_id, ports.c.host_id != ""
    )
    counts = {row.host_id: row.ports for row in connection.execute(bound.group_by(ports.c.host_id))}
    reaches = segment_nouns.reaches(connection, counts)
    return sum(count for host, count in counts.items() if segment_on(every, reaches.get(host, NOWHERE)) == segment)
