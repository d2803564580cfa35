"""Rows → how fast packets may go by addresses outside. Runs on the store's threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, select, union

from quantumd.model.qos_records import KBPS
from quantumd.model.router import GATEWAY
from quantumd.model.router_records import AddressLimit
from quantumd.store import qos_nouns
from quantumd.store.nouns import CHUNK
from quantumd.store.tables import ip_allocations, ports
from quantumd.store.tables.routers import floating_ip_qos, floating_ips, gateway_qos, router_ports
from quantumd.store.tables.services import network_qos

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
# That of what is outside itself counts before that of its network.
_OF_FLOATING = func.coalesce(floating_ip_qos.c.policy_id, network_qos.c.policy_id)
_OF_GATEWAY = func.coalesce(gateway_qos.c.policy_id, network_qos.c.policy_id)

_FLOATING = (
    select(floating_ips.c.router_id, floating_ips.c.floating_ip_address.label("address"), _OF_FLOATING.label("policy"))
    .outerjoin(floating_ip_qos, floating_ip_qos.c.floatingip_id == floating_ips.c.id)
    .outerjoin(network_qos, network_qos.c.network_id == floating_ips.c.floating_network_id)
)
_GATEWAYS = (
    select(router_ports.c.router_id, ip_allocations.c.ip_address.label("address"), _OF_GATEWAY.label("policy"))
    .join(ports, ports.c.id == router_ports.c.port_id)
    .join(ip_allocations, ip_allocations.c.port_id == ports.c.id)
    .outerjoin(gateway_qos, gateway_qos.c.router_id == router_ports.c.router_id)
    .outerjoin(network_qos, network_qos.c.network_id == ports.c.network_id)
    .where(router_ports.c.kind == GATEWAY)
)
_LIMITED = (
    _FLOATING.where(floating_ips.c.router_id.in_(_IDS), _OF_FLOATING.is_not(None)),
    _GATEWAYS.where(router_ports.c.router_id.in_(_IDS), _OF_GATEWAY.is_not(None)),
)
_USING = union(
    _FLOATING.with_only_columns(floating_ips.c.router_id).where(
        floating_ips.c.router_id.is_not(None), _OF_FLOATING.in_(_IDS)
    ),
    _GATEWAYS.with_only_columns(router_ports.c.router_id).where(_OF_GATEWAY.in_(_IDS)),
)


def limits_of(connection: Connection, router_ids: list[str]) -> Mapping[str, list[AddressLimit]]:
    """Return the limits of the IPv4 addresses that routers have outside, in the order of these."""
    found = [tuple(row) for each in _LIMITED for row in _rows(connection, each, router_ids) if ":" not in row.address]
    policies = qos_nouns.policies(connection, {policy_id for _, _, policy_id in found}) if found else {}
    limits: defaultdict[str, list[AddressLimit]] = defaultdict(list)
    for router_id, address, policy_id in sorted(found):
        for limit in policies[policy_id].limits if policy_id in policies else ():
            # A rate of 0 is none, as everywhere.
            if limit.unit == KBPS and limit.rate:
                limits[router_id].append(AddressLimit(address, limit.direction, limit.rate, limit.burst))
    return limits


def routers_using(connection: Connection, policy_ids: Iterable[str]) -> set[str]:
    """Return the routers with a gateway, or a floating IP, to which one of these policies applies."""
    return {row.router_id for row in _rows(connection, _USING, sorted(set(policy_ids)))}


def _rows(connection: Connection, statement: Select[Any] | Any, wanted: list[str]) -> Iterator[Any]:
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(statement, {"ids": wanted[start : start + CHUNK]})
