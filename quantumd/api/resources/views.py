"""What readers and writers of every resource use: how views, lists of ids and JSON columns look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import BindParameter, Connection, bindparam, select

from quantumd.store.tables import subnets

View = dict[str, Any]

IDS: BindParameter[Any] = bindparam("ids", expanding=True)
"""The ids that a statement asks for, in a list named ``ids``."""

BATCH = 500
"""How many rows are read at once."""


def json_text(value: Any) -> str:
    """Return a list or an object as the tables keep it."""
    return orjson.dumps(value).decode()


def object_of(text: str) -> Any:
    """Return an object as the tables keep it."""
    # Nearly every port has nothing in these columns, and lists have many ports.
    return {} if text == "{}" else orjson.loads(text)


_SUBNET_IDS = (
    select(subnets.c.network_id, subnets.c.id)
    .where(subnets.c.network_id.in_(IDS))
    .order_by(subnets.c.created_at, subnets.c.id)
)


def subnet_ids_of(connection: Connection, network_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the ids of the networks' subnets, oldest first; a network without any is an empty list."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for network_id, subnet_id in connection.execute(_SUBNET_IDS, {"ids": network_ids}).all():
        found[network_id].append(subnet_id)
    return found


def in_batches(ids: Iterable[str], size: int = BATCH) -> Iterable[list[str]]:
    """Yield the ids in lists of at most ``size``."""
    everything = list(ids)
    for begin in range(0, len(everything), size):
        yield everything[begin : begin + size]
