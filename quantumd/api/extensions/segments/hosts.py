"""Which segments reach a host: those of the physical networks that it has, and every tunnel."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Select, bindparam, delete, insert, select

from quantumd.api.resources.segments import segment_of
from quantumd.model.carrying import Reach
from quantumd.model.network import TUNNEL_TYPES
from quantumd.store.segment_nouns import reaches
from quantumd.store.tables import segments
from quantumd.store.tables.networks import host_physical_networks
from quantumd.store.transaction import Transaction

_HOSTS = host_physical_networks.c
_OF_NETWORK = select(
    segments.c.id, segments.c.network_type, segments.c.physical_network, segments.c.segmentation_id
).where(segments.c.network_id == bindparam("wanted"))


def segment_ids_of_network_on(connection: Connection, network_id: str, host: str) -> frozenset[str]:
    """Return the ids of those of a network's segments that reach a host, by its tunnels and physical networks.

    Of a host that never said which tunnels it has all are believed to reach it.
    """
    known = reaches(connection, (host,)).get(host)
    tunnel_types = frozenset(TUNNEL_TYPES) if known is None else known.tunnel_types
    names = frozenset(row.physical_network for row in connection.execute(_physical_networks_of(host)))
    reach = Reach(tunnel_types, names)
    rows = connection.execute(_OF_NETWORK, {"wanted": network_id}).all()
    return frozenset(segment_id for segment_id, *place in rows if reach.carries(segment_of(*place)))


def is_known(connection: Connection, host: str) -> bool:
    """Whether a host ever said which physical networks it has."""
    statement = select(_HOSTS.host).where(_HOSTS.host == host).limit(1)
    return connection.execute(statement).first() is not None


def keep_physical_networks(tx: Transaction, host: str, names: Iterable[str]) -> bool:
    """Note which physical networks a host has from now on; return whether that is news."""
    wanted = set(names)
    had = set(tx.connection.execute(_physical_networks_of(host)).scalars())
    gone, new = had - wanted, sorted(wanted - had)
    if gone:
        tx.connection.execute(
            delete(host_physical_networks).where(_HOSTS.host == host, _HOSTS.physical_network.in_(gone))
        )
    if new:
        rows = [{"host": host, "physical_network": name} for name in new]
        tx.connection.execute(insert(host_physical_networks), rows)
    return bool(gone or new)


def _physical_networks_of(host: str) -> Select[tuple[str]]:
    return select(_HOSTS.physical_network).where(_HOSTS.host == host)
