"""Networks of several segments, and which segments hosts reach. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import orjson
from sqlalchemy import Connection, bindparam, exists, select

from quantumd.model.carrying import Reach
from quantumd.model.network import FLAT, Segment
from quantumd.store.nouns import CHUNK
from quantumd.store.tables import hosts, ports, segments, subnets

_MORE = segments.alias("more_segments")
_SUBNETTED = exists().where(subnets.c.segment_id == segments.c.id)
_SEGMENTS = (
    select(
        segments.c.network_id,
        segments.c.network_type,
        segments.c.physical_network,
        segments.c.segmentation_id,
        _SUBNETTED.label("has_subnets"),
    )
    .where(
        segments.c.network_id.in_(
            select(_MORE.c.network_id).where(
                _MORE.c.network_id.in_(bindparam("ids", expanding=True)), _MORE.c.segment_index > 0
            )
        )
    )
    .order_by(segments.c.network_id, segments.c.segment_index)
)
_NETWORKS_OF_HOST = (
    select(segments.c.network_id)
    .distinct()
    .where(
        segments.c.segment_index > 0,
        segments.c.network_id.in_(select(ports.c.network_id).where(ports.c.host_id == bindparam("host"))),
    )
    .order_by(segments.c.network_id)
)
_REACHES = select(hosts.c.host, hosts.c.tunnel_types, hosts.c.physical_networks).where(
    hosts.c.host.in_(bindparam("ids", expanding=True)), hosts.c.role == "l2"
)


def segments_of(connection: Connection, network_ids: Iterable[str]) -> dict[str, tuple[Segment, ...]]:
    """Return the segments of networks that have had more than one, in the order in which hosts try them.

    That is their own order; on a routed network those that have subnets come first, as ports need addresses there.
    """
    found: defaultdict[str, list[tuple[bool, Segment]]] = defaultdict(list)
    wanted = sorted(set(network_ids))
    for start in range(0, len(wanted), CHUNK):
        for row in connection.execute(_SEGMENTS, {"ids": wanted[start : start + CHUNK]}):
            number = None if row.network_type == FLAT else row.segmentation_id
            segment = Segment(row.network_type, row.physical_network or None, number)
            found[row.network_id].append((not row.has_subnets, segment))
    return {
        network_id: tuple(segment for _, segment in sorted(some, key=lambda each: each[0]))
        for network_id, some in found.items()
    }


def networks_of(connection: Connection, host: str) -> tuple[str, ...]:
    """Return the networks that have had more than one segment and have ports bound to a host, in order."""
    return tuple(connection.execute(_NETWORKS_OF_HOST, {"host": host}).scalars())


def reaches(connection: Connection, wanted: Iterable[str]) -> dict[str, Reach]:
    """Return what leaves hosts, by host, as their l2 roles said last; of one that never did nothing is known."""
    ids, found = sorted(set(wanted)), {}
    for start in range(0, len(ids), CHUNK):
        for row in connection.execute(_REACHES, {"ids": ids[start : start + CHUNK]}):
            found[row.host] = reach_of(row.tunnel_types, row.physical_networks)
    return found


def reach_of(tunnel_types: str | None, physical_networks: str | None) -> Reach:
    """Return what leaves a host by what its row says."""
    names = None if physical_networks is None else frozenset(orjson.loads(physical_networks))
    return Reach(frozenset((tunnel_types or "").split(",")) - {""}, names)
