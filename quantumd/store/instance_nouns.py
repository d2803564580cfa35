"""Rows → what uses ports. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from attrs import frozen
from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from quantumd.store.nouns import CHUNK
from quantumd.store.tables import ports, tags

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PORT = ports.c
_OF_PORTS = select(
    _PORT.id, _PORT.host_id, _PORT.device_id, _PORT.device_owner, _PORT.project_id, _PORT.name, _PORT.details
).where(_PORT.id.in_(_IDS), _PORT.host_id != "")
_TAGS = select(tags.c.resource_id, tags.c.tag).where(tags.c.resource_id.in_(_IDS)).order_by(tags.c.tag)
_DNS_NAME = "dns_name"


@frozen
class Instance:
    """What uses a port, as its row says."""

    port_id: str
    host_id: str
    device_id: str
    device_owner: str
    project_id: str
    name: str
    dns_name: str
    tags: tuple[str, ...]


def instances(connection: Connection, port_ids: Iterable[str]) -> Iterator[Instance]:
    """Yield what uses those of the ports that are bound to a host."""
    wanted = sorted(set(port_ids))
    tagged: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows(connection, _TAGS, wanted):
        tagged[row.resource_id].append(row.tag)
    for row in _rows(connection, _OF_PORTS, wanted):
        yield Instance(
            row.id, row.host_id, row.device_id, row.device_owner, row.project_id, row.name,
            _dns_name(row.details), tuple(tagged[row.id]),
        )  # fmt: skip


def _dns_name(details: str | None) -> str:
    if details is None or _DNS_NAME not in details:
        return ""
    return str(orjson.loads(details).get(_DNS_NAME) or "")


def _rows(connection: Connection, statement: Select[Any], wanted: list[str]) -> Iterator[Any]:
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})
