"""How many addresses the subnets of networks have and how many are taken, counted by the database."""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from attrs import frozen
from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, or_, select
from zope.interface import implementer

from quantumd.api.extensions.ip_availability.attributes import DETAILS
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.errors import NetworkNotFound
from quantumd.api.resources.facts import pools_of
from quantumd.api.resources.matching import Alternatives, Filterable, matching_ids
from quantumd.api.resources.views import IDS, View, in_batches
from quantumd.model.addresses import Pool, ip_key
from quantumd.model.context import Context
from quantumd.model.ip_availability import Availability, availability
from quantumd.store.scope import visible_networks
from quantumd.store.tables import ip_allocations, networks, subnets
from quantumd.store.transaction import Transaction

_POOLS_AT_ONCE = 100
"""How many pools one statement counts in."""

_LARGEST_SERIALISED = 2**64 - 1
_VERSIONS = (4, 6)

_NETWORKS = select(networks.c.id, networks.c.name, networks.c.project_id).where(networks.c.id.in_(IDS))
_SUBNETS = (
    select(
        subnets.c.id,
        subnets.c.network_id,
        subnets.c.name,
        subnets.c.ip_version,
        subnets.c.cidr,
        subnets.c.allocation_pools,
    )
    .where(subnets.c.network_id.in_(IDS), subnets.c.ip_version.in_(bindparam("versions", expanding=True)))
    .order_by(subnets.c.created_at, subnets.c.id)
)
_USED = (
    select(ip_allocations.c.subnet_id, func.count())
    .where(ip_allocations.c.subnet_id.in_(IDS))
    .group_by(ip_allocations.c.subnet_id)
)
_USED_WITHIN = select(ip_allocations.c.subnet_id, func.count()).group_by(ip_allocations.c.subnet_id)


def _with_version(alternatives: Alternatives) -> ColumnElement[bool]:
    return networks.c.id.in_(select(subnets.c.network_id).where(subnets.c.ip_version.in_(alternatives)))


_FILTERABLE = Filterable(networks, {"network_id": "id", "network_name": "name"}, {"ip_version": _with_version})


@frozen
class _Subnet:
    """A subnet that is counted."""

    row: Any
    pools: tuple[Pool, ...]


@implementer(IOperations)
@frozen
class IpAvailabilities:
    """Reads what is available; nothing can be written."""

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """Not served."""
        raise NetworkNotFound("")

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """Not served."""
        raise NetworkNotFound(resource_id)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """Not served."""
        raise NetworkNotFound(resource_id)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations; the id is a network's."""
        visible = select(networks.c.id).where(
            networks.c.id == resource_id, *visible_networks(context.scope_of("network"))
        )
        if connection.execute(visible).first() is None:
            raise NetworkNotFound(resource_id)
        return _views(connection, (resource_id,), _VERSIONS, with_details=True)[0]

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations. With ``ip_version`` only subnets of that version are counted."""
        versions = next((values for name, values in query.filters if name == "ip_version"), _VERSIONS)
        with_details = not query.fields or DETAILS in query.fields
        for batch in in_batches(
            matching_ids(connection, _FILTERABLE, visible_networks(context.scope_of("network")), query)
        ):
            yield _views(connection, batch, versions, with_details)


def _views(
    connection: Connection, ids: Sequence[str], versions: Sequence[int], with_details: bool
) -> builtins.list[View]:
    rows = {row.id: row for row in connection.execute(_NETWORKS, {"ids": ids})}
    of_networks: defaultdict[str, list[_Subnet]] = defaultdict(list)
    for row in connection.execute(_SUBNETS, {"ids": ids, "versions": versions}).all():
        pools = pools_of(row.ip_version, orjson.loads(row.allocation_pools))
        of_networks[row.network_id].append(_Subnet(row, pools))
    counted = [each for several in of_networks.values() for each in several]
    used = _used(connection, counted)
    within = _used_in_pools(connection, counted) if with_details else {}
    return [_view(rows[each], of_networks[each], used, within, with_details) for each in ids if each in rows]


def _used(connection: Connection, counted: Sequence[_Subnet]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for batch in in_batches(each.row.id for each in counted):
        found |= {row[0]: row[1] for row in connection.execute(_USED, {"ids": batch}).all()}
    return found


def _used_in_pools(connection: Connection, counted: Sequence[_Subnet]) -> Mapping[str, int]:
    pools = [(each.row.id, pool) for each in counted for pool in each.pools]
    found: defaultdict[str, int] = defaultdict(int)
    for begin in range(0, len(pools), _POOLS_AT_ONCE):
        within = (_is_within(*each) for each in pools[begin : begin + _POOLS_AT_ONCE])
        for subnet_id, count in connection.execute(_USED_WITHIN.where(or_(*within))).all():
            found[subnet_id] += count
    return found


def _is_within(subnet_id: str, pool: Pool) -> ColumnElement[bool]:
    first, last = ip_key(pool.version, pool.first), ip_key(pool.version, pool.last)
    return and_(ip_allocations.c.subnet_id == subnet_id, ip_allocations.c.ip_key.between(first, last))


def _view(
    network: Any, counted: Sequence[_Subnet], used: Mapping[str, int], within: Mapping[str, int], with_details: bool
) -> View:
    total = Availability()
    of_subnets = []
    for each in counted:
        row = each.row
        found = availability(row.cidr, each.pools, used.get(row.id, 0), within.get(row.id, 0))
        total += found
        of_subnets.append(
            {
                "subnet_id": row.id,
                "ip_version": row.ip_version,
                "cidr": row.cidr,
                "subnet_name": row.name,
                **_numbers(found, with_details),
            }
        )
    return {
        "network_id": network.id,
        "network_name": network.name,
        "project_id": network.project_id,
        "subnet_ip_availability": of_subnets,
        **_numbers(total, with_details),
    }


def _numbers(found: Availability, with_details: bool) -> View:
    numbers: View = {"used_ips": found.used, "total_ips": _number(found.total)}
    if with_details:
        numbers[DETAILS] = {
            "total_ips_in_subnet": _number(found.in_prefix),
            "total_ips_in_allocation_pool": _number(found.in_pools),
            "used_ips_in_subnet": found.used,
            "used_ips_in_allocation_pool": found.used_in_pools,
        }
    return numbers


def _number(value: int) -> Any:
    # orjson writes no number of more than 64 bits, and IPv6 has 128: those are written here.
    return value if value <= _LARGEST_SERIALISED else orjson.Fragment(str(value).encode())
