"""Rows → QoS policies, and which hosts they concern. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select, union

from quantumd.model.nouns import QosPolicy
from quantumd.model.qos import BANDWIDTH_LIMIT, DSCP_MARKING, PACKET_RATE_LIMIT
from quantumd.model.qos_records import KBPS, KPPS, QosLimit
from quantumd.store.nouns import CHUNK
from quantumd.store.tables import ports
from quantumd.store.tables.services import network_qos, port_qos, qos_policies, qos_rules

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)

_POLICIES = select(qos_policies.c.id).where(qos_policies.c.id.in_(_IDS))
_RULES = select(qos_rules).where(qos_rules.c.policy_id.in_(_IDS)).order_by(qos_rules.c.id)
_HOSTS = (
    select(port_qos.c.policy_id, ports.c.host_id)
    .join(ports, ports.c.id == port_qos.c.port_id)
    .where(port_qos.c.policy_id.in_(_IDS), ports.c.host_id != "")
    .distinct(),
    select(network_qos.c.policy_id, ports.c.host_id)
    .join(ports, ports.c.network_id == network_qos.c.network_id)
    .where(network_qos.c.policy_id.in_(_IDS), ports.c.host_id != "")
    .distinct(),
)
_OF_HOST = union(
    select(port_qos.c.policy_id)
    .join(ports, ports.c.id == port_qos.c.port_id)
    .where(ports.c.host_id == bindparam("host")),
    select(network_qos.c.policy_id).where(
        network_qos.c.network_id.in_(select(ports.c.network_id).where(ports.c.host_id == bindparam("host")))
    ),
)


def policies(connection: Connection, ids: Iterable[str]) -> dict[str, QosPolicy]:
    """Return QoS policies with what hosts do of them, by id."""
    wanted = sorted(set(ids))
    rules: defaultdict[str, list[Any]] = defaultdict(list)
    for row in _rows(connection, _RULES, wanted):
        rules[row.policy_id].append(row)
    return {row.id: _policy(row.id, rules[row.id]) for row in _rows(connection, _POLICIES, wanted)}


def hosts_of_policies(connection: Connection, ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the hosts of ports that have policies, or whose network has, by policy; one on no host is not named."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    wanted = sorted(set(ids))
    for statement in _HOSTS:
        for policy_id, host in _rows(connection, statement, wanted):
            found[policy_id].add(host)
    return {policy_id: frozenset(hosts) for policy_id, hosts in found.items()}


def policies_of_host(connection: Connection, host: str) -> frozenset[str]:
    """Return the policies of all ports that are bound to a host, and of their networks."""
    return frozenset(connection.execute(_OF_HOST, {"host": host}).scalars())


def _policy(policy_id: str, rules: Iterable[Any]) -> QosPolicy:
    by_type = [(row.rule_type, row) for row in rules]
    limits = [
        *(QosLimit(row.direction, KBPS, row.max_kbps, row.max_burst_kbps) for row in _of(BANDWIDTH_LIMIT, by_type)),
        *(QosLimit(row.direction, KPPS, row.max_kpps, row.max_burst_kpps) for row in _of(PACKET_RATE_LIMIT, by_type)),
    ]
    marks = [row.dscp_mark for row in _of(DSCP_MARKING, by_type)]
    in_order = tuple(sorted(limits, key=lambda limit: (limit.direction, limit.unit)))
    return QosPolicy(policy_id, in_order, next(iter(marks), None))


def _of(rule_type: str, by_type: Iterable[tuple[str, Any]]) -> Iterator[Any]:
    return (row for name, row in by_type if name == rule_type)


def _rows(connection: Connection, statement: Select[Any], ids: Iterable[str]) -> Iterator[Any]:
    wanted = list(ids)
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})
