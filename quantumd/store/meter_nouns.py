"""Rows → metering labels of routers, and what was told of them. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, or_, select, true

from quantumd.model.router_records import Meter, MeterRule
from quantumd.store.nouns import CHUNK
from quantumd.store.tables.metering import metering_label_rules, metering_labels
from quantumd.store.tables.routers import routers

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_LABELS = (
    select(routers.c.id.label("router_id"), metering_labels.c.id)
    .join(
        metering_labels,
        or_(metering_labels.c.project_id == routers.c.project_id, metering_labels.c.shared == true()),
    )
    .where(routers.c.id.in_(_IDS))
    .order_by(metering_labels.c.id)
)
_RULES = (
    select(metering_label_rules)
    .where(metering_label_rules.c.metering_label_id.in_(_IDS))
    .order_by(metering_label_rules.c.id)
)
_WHOSE = select(metering_labels.c.project_id, metering_labels.c.shared).where(metering_labels.c.id.in_(_IDS))


def meters_of(connection: Connection, router_ids: list[str]) -> Mapping[str, list[Meter]]:
    """Return the labels that count at routers: those of a router's project, and those that are shared."""
    labels = [(row.router_id, row.id) for row in _rows(connection, _LABELS, router_ids)]
    rules: defaultdict[str, list[MeterRule]] = defaultdict(list)
    for row in _rows(connection, _RULES, sorted({label_id for _, label_id in labels})):
        prefix = str(ip_network(row.remote_ip_prefix, strict=False))
        rules[row.metering_label_id].append(MeterRule(row.direction, prefix, bool(row.excluded)))
    found: defaultdict[str, list[Meter]] = defaultdict(list)
    for router_id, label_id in labels:
        found[router_id].append(Meter(label_id, tuple(rules[label_id])))
    return found


def routers_metered(connection: Connection, label_ids: Iterable[str], project_ids: Iterable[str | None]) -> set[str]:
    """Return the routers at which labels count, and those of projects; a project of None is every one."""
    projects = set(project_ids)
    for row in _rows(connection, _WHOSE, sorted(set(label_ids))):
        projects.add(None if row.shared else row.project_id)
    wanted = select(routers.c.id)
    if None not in projects:
        wanted = wanted.where(routers.c.project_id.in_(projects))
    return set(connection.execute(wanted).scalars())


def _rows(connection: Connection, statement: Any, wanted: list[str]) -> Iterator[Any]:
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})
