"""Which ports are sub-ports of trunks, and of which. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from quantumd.store.nouns import CHUNK
from quantumd.store.tables.ports import sub_ports, trunks

_OF_PARENTS = select(trunks.c.port_id, sub_ports.c.port_id.label("sub_port_id")).join(
    sub_ports, sub_ports.c.trunk_id == trunks.c.id
)


def sub_ports_of(connection: Connection, parents: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the sub-ports of ports by the id of their parent; one that has none is not named."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, len(parents), CHUNK):
        some = _OF_PARENTS.where(trunks.c.port_id.in_(parents[start : start + CHUNK]))
        for parent, sub_port in connection.execute(some.order_by(sub_ports.c.port_id)):
            found[parent].append(sub_port)
    return {parent: tuple(inside) for parent, inside in found.items()}
