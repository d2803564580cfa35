"""Networks from their rows: what the API shows of them, and the conditions of filters that are no plain columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from attrs import frozen
from sqlalchemy import ColumnElement, Connection, or_, select

from quantumd.api.aspects import IAspect
from quantumd.api.extensions.rbac.shared import shared_with
from quantumd.api.resources.errors import NetworkNotFound
from quantumd.api.resources.matching import Alternatives, Filterable
from quantumd.api.resources.network_values import SEGMENT_NAMES
from quantumd.api.resources.segments import segment_of
from quantumd.api.resources.tags import tags_of
from quantumd.api.resources.views import IDS, View, json_text, subnet_ids_of
from quantumd.model.context import Context
from quantumd.model.network import Segment
from quantumd.store.scope import granted, visible_networks
from quantumd.store.tables import networks, segments

NETWORK_COLUMNS: Mapping[str, str] = {
    "provider:network_type": "network_type",
    "provider:physical_network": "physical_network",
    "provider:segmentation_id": "segmentation_id",
    "router:external": "is_external",
}
"""Attributes of networks whose column has another name."""

_NETWORKS = select(networks).where(networks.c.id.in_(IDS))
# Nearly every network has one segment, which is in its row, so only those of others are read.
_MORE_SEGMENTS = select(segments.c.network_id).where(segments.c.network_id.in_(IDS), segments.c.segment_index > 0)
_SEGMENTS = (
    select(segments.c.network_id, segments.c.network_type, segments.c.physical_network, segments.c.segmentation_id)
    .where(segments.c.network_id.in_(IDS))
    .order_by(segments.c.segment_index)
)


@frozen
class NetworkViews:
    """Reads networks as the API shows them, with what the aspects add."""

    aspects: tuple[IAspect, ...] = ()

    def visible(self, connection: Connection, context: Context, network_id: str) -> View:
        """Return the view of a network that the caller may see. NetworkNotFound."""
        statement = select(networks).where(networks.c.id == network_id, *visible_networks(context.scope_of("network")))
        row = connection.execute(statement).first()
        if row is None:
            raise NetworkNotFound(network_id)
        return self._views(connection, context, [row], frozenset())[network_id]

    def many(
        self, connection: Connection, context: Context, ids: Sequence[str], fields: frozenset[str] = frozenset()
    ) -> list[View]:
        """Return the views of the networks in the order of the ids; those that are gone are left out.

        :param fields: what will be shown of them; none is all.
        """
        views = self._views(connection, context, connection.execute(_NETWORKS, {"ids": ids}).all(), fields)
        return [views[each] for each in ids if each in views]

    def _views(
        self, connection: Connection, context: Context, rows: Sequence[Any], fields: frozenset[str]
    ) -> dict[str, View]:
        views = {row.id: network_view(row) for row in rows}
        ids = [*views]
        if not ids:
            return views
        if not fields or "subnets" in fields:
            _add(views, "subnets", subnet_ids_of(connection, ids))
        if not fields or "tags" in fields:
            _add(views, "tags", tags_of(connection, ids))
        if not fields or "shared" in fields:
            shared = shared_with(connection, context, "network", ids)
            _add(views, "shared", {each: each in shared for each in ids})
        for network_id, held in _several_segments(connection, ids).items():
            views[network_id] |= segments_view(held)
        for aspect in self.aspects:
            if not fields or any(attribute.name in fields for attribute in aspect.attributes):
                aspect.load(connection, views)
        return views

    def filterable(self, context: Context) -> Filterable:
        """Return what the caller can filter networks by."""
        special = {
            "shared": partial(_shared_condition, context.project_id),
            **{name: partial(_segment_condition, NETWORK_COLUMNS[name]) for name in SEGMENT_NAMES},
        }
        for aspect in self.aspects:
            special |= aspect.filters
        return Filterable(networks, NETWORK_COLUMNS, special)


def _add(views: Mapping[str, View], name: str, values: Mapping[str, Any]) -> None:
    for network_id, view in views.items():
        view[name] = values[network_id]


def network_view(row: Any) -> View:
    """Return what a network's row says of it; subnets, tags and sharing are read beside it."""
    return {
        "id": row.id,
        "name": row.name,
        "project_id": row.project_id,
        "admin_state_up": row.admin_state_up,
        "mtu": row.mtu,
        "status": row.status,
        "subnets": [],
        "shared": False,
        "router:external": row.is_external,
        "is_default": row.is_default,
        "provider:network_type": row.network_type,
        "provider:physical_network": row.physical_network,
        "provider:segmentation_id": row.segmentation_id,
        "port_security_enabled": row.port_security_enabled,
        "dns_domain": row.dns_domain,
        "availability_zone_hints": orjson.loads(row.availability_zone_hints) if row.availability_zone_hints else [],
        "availability_zones": [],
        "vlan_transparent": row.vlan_transparent,
        "qinq": row.qinq,
        "description": row.description,
        "tags": [],
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "revision_number": row.revision_number,
    }


def network_row(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that hold what a view, or a part of one, shows."""
    row = {NETWORK_COLUMNS.get(name, name): value for name, value in view.items()}
    if "availability_zone_hints" in row:
        row["availability_zone_hints"] = json_text(row["availability_zone_hints"])
    return {column: value for column, value in row.items() if column in networks.c}


def segment_columns(held: Segment) -> dict[str, Any]:
    """Return what a network's row says of its first segment, by attribute."""
    return dict(zip(SEGMENT_NAMES, (held.network_type, held.physical_network, held.segmentation_id), strict=True))


def segments_view(held: Sequence[Segment]) -> View:
    """Return how a view shows segments: one by the provider attributes, several as a list instead."""
    if len(held) == 1:
        return segment_columns(held[0])
    return {**dict.fromkeys(SEGMENT_NAMES), "segments": [segment_columns(each) for each in held]}


def _several_segments(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[Segment]]:
    wanted = list(connection.execute(_MORE_SEGMENTS, {"ids": ids}).scalars())
    held: defaultdict[str, list[Segment]] = defaultdict(list)
    if wanted:
        for network_id, *columns in connection.execute(_SEGMENTS, {"ids": wanted}).all():
            held[network_id].append(segment_of(*columns))
    return held


def segments_of(connection: Connection, network_id: str) -> list[Segment]:
    """Return the segments that a network holds, in order."""
    rows = connection.execute(_SEGMENTS, {"ids": (network_id,)}).all()
    return [segment_of(*columns) for _, *columns in rows]


def _shared_condition(project_id: str | None, alternatives: Alternatives) -> ColumnElement[bool]:
    shared = networks.c.id.in_(granted("network", project_id))
    return or_(*(shared if each else ~shared for each in _different(alternatives)))


def _segment_condition(column: str, alternatives: Alternatives) -> ColumnElement[bool]:
    return networks.c.id.in_(select(segments.c.network_id).where(segments.c[column].in_(alternatives)))


def _different(alternatives: Alternatives) -> Iterable[Any]:
    return dict.fromkeys(alternatives)
