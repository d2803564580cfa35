"""Which prefix a new subnet has: the one that is named, or one out of a subnet pool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from attrs import frozen
from sqlalchemy import bindparam, select

from quantumd.api.errors import BadRequest
from quantumd.api.resources import delegation
from quantumd.api.resources.facts import NetworkFacts
from quantumd.api.resources.pool_errors import (
    MaxPrefixSubnetAllocationError,
    MinPrefixSubnetAllocationError,
    NetworkAddressScopeAffinityError,
    NetworkSubnetPoolAffinityError,
    SubnetAllocationError,
    SubnetPoolNotFound,
    SubnetPoolQuotaExceeded,
)
from quantumd.model.addresses import prefix_of
from quantumd.model.context import Context
from quantumd.model.delegation import PREFIX_DELEGATION
from quantumd.model.subnet_pool import choose_prefix, is_free, quota_units
from quantumd.store.scope import visible
from quantumd.store.tables import subnets
from quantumd.store.tables.subnets import subnetpools
from quantumd.store.transaction import Transaction

_POOL = select(
    subnetpools.c.id,
    subnetpools.c.ip_version,
    subnetpools.c.prefixes,
    subnetpools.c.default_prefixlen,
    subnetpools.c.min_prefixlen,
    subnetpools.c.max_prefixlen,
    subnetpools.c.default_quota,
    subnetpools.c.address_scope_id,
)
_OF_POOL = select(subnets.c.cidr, subnets.c.project_id).where(subnets.c.subnetpool_id == bindparam("wanted"))
_OF_NETWORK = (
    select(subnets.c.subnetpool_id, subnetpools.c.address_scope_id)
    .select_from(subnets.outerjoin(subnetpools, subnetpools.c.id == subnets.c.subnetpool_id))
    .where(subnets.c.network_id == bindparam("wanted"), subnets.c.ip_version == bindparam("version"))
)


@frozen
class PoolFacts:
    """What of a subnet pool matters to its subnets."""

    id: str
    ip_version: int
    prefixes: tuple[str, ...]
    default_prefixlen: int
    min_prefixlen: int
    max_prefixlen: int
    default_quota: int | None
    address_scope_id: str | None


def lock_pool(tx: Transaction, subnetpool_id: str) -> None:
    """Keep every other transaction from taking of the pool, changing or deleting it, until this one ends."""
    tx.lock(f"subnetpool:{subnetpool_id}")


def allocated_cidrs(tx: Transaction, subnetpool_id: str) -> list[str]:
    """Return the prefixes of the subnets that come from the pool."""
    return list(tx.connection.execute(_OF_POOL, {"wanted": subnetpool_id}).scalars())


def placed(
    tx: Transaction, context: Context, network: NetworkFacts, body: Mapping[str, Any], is_delegated: bool = False
) -> dict[str, Any]:
    """Return the body of a new subnet with its ``cidr`` and ``subnetpool_id``.

    :param is_delegated: whether the default pool of IPv6 is delegation from outside.
    :raises BadRequest: the request does not say where the prefix is to come from, or says it twice.
    :raises SubnetPoolNotFound, SubnetAllocationError, SubnetPoolQuotaExceeded: the pool cannot give it. Also
        MinPrefixSubnetAllocationError, MaxPrefixSubnetAllocationError.
    :raises NetworkSubnetPoolAffinityError, NetworkAddressScopeAffinityError: the network has subnets from elsewhere.
    """
    cidr = body.get("cidr")
    if cidr is not None and body.get("prefixlen") is not None:
        raise BadRequest("subnets", "cidr and prefixlen must not be supplied together")
    is_meant = delegation.is_meant(body, is_delegated)
    if is_meant and cidr is None:
        _require_affinity(tx, network, 6, PREFIX_DELEGATION, None)
        return delegation.provisional(body)
    # As in Neutron who names a prefix has that one.
    pool = None if is_meant else _pool_for(tx, context, body)
    if pool is None:
        if cidr is None:
            raise BadRequest("subnets", "a subnetpool must be specified in the absence of a cidr")
        _require_affinity(tx, network, body["ip_version"], None, None)
        return {**body, "cidr": cidr, "subnetpool_id": None}
    if cidr is None and "allocation_pools" in body:
        raise BadRequest("subnets", "allocation_pools allowed only for specific subnet requests")
    if pool.ip_version != body["ip_version"]:
        reason = f"Cannot allocate IPv{body['ip_version']} subnet from IPv{pool.ip_version} subnet pool"
        raise BadRequest("subnets", reason)
    taken = _taken(tx, pool, body["project_id"], cidr, body.get("prefixlen"))
    _require_affinity(tx, network, pool.ip_version, pool.id, pool.address_scope_id)
    return {**body, "cidr": taken, "subnetpool_id": pool.id}


def _pool_for(tx: Transaction, context: Context, body: Mapping[str, Any]) -> PoolFacts | None:
    """Return the pool that the request names or that is the default, locked; None when it wants none."""
    subnetpool_id = body.get("subnetpool_id")
    if body.get("use_default_subnetpool"):
        subnetpool_id = _default_pool_id(tx, context, body)
    if subnetpool_id is None:
        return None
    lock_pool(tx, subnetpool_id)
    statement = _POOL.where(
        subnetpools.c.id == subnetpool_id, *visible(subnetpools, "subnetpool", context.scope_of("subnetpool"))
    )
    row = tx.connection.execute(statement).first()
    if row is None:
        raise SubnetPoolNotFound(subnetpool_id)
    return PoolFacts(**{**row._mapping, "prefixes": tuple(orjson.loads(row.prefixes))})


def _default_pool_id(tx: Transaction, context: Context, body: Mapping[str, Any]) -> str:
    cidr = body.get("cidr")
    ip_version = body["ip_version"] if cidr is None else prefix_of(cidr).version
    statement = select(subnetpools.c.id).where(
        subnetpools.c.is_default.is_(True),
        subnetpools.c.ip_version == ip_version,
        *visible(subnetpools, "subnetpool", context.scope_of("subnetpool")),
    )
    found: str | None = tx.connection.execute(statement).scalar()
    if found is None:
        raise BadRequest("subnets", f"No default subnetpool found for IPv{ip_version}")
    return found


def _taken(tx: Transaction, pool: PoolFacts, project_id: str, cidr: str | None, prefixlen: int | None) -> str:
    """Return the prefix that the pool gives."""
    length = _length(pool, cidr, prefixlen)
    rows = tx.connection.execute(_OF_POOL, {"wanted": pool.id}).all()
    _require_quota(pool, [row.cidr for row in rows if row.project_id == project_id], length)
    others = [row.cidr for row in rows]
    if cidr is not None:
        if not is_free(pool.prefixes, others, cidr):
            raise SubnetAllocationError("Cannot allocate requested subnet from the available set of prefixes")
        return cidr
    chosen = choose_prefix(pool.ip_version, pool.prefixes, others, length)
    if chosen is None:
        raise SubnetAllocationError(f"Insufficient prefix space to allocate subnet size /{length}")
    return chosen


def _length(pool: PoolFacts, cidr: str | None, prefixlen: int | None) -> int:
    if cidr is not None:
        prefixlen = prefix_of(cidr).prefixlen
    elif prefixlen is None:
        prefixlen = pool.default_prefixlen
    if prefixlen > pool.max_prefixlen:
        raise MaxPrefixSubnetAllocationError(prefixlen, pool.max_prefixlen)
    if prefixlen < pool.min_prefixlen:
        raise MinPrefixSubnetAllocationError(prefixlen, pool.min_prefixlen)
    return prefixlen


def _require_quota(pool: PoolFacts, own_cidrs: list[str], prefixlen: int) -> None:
    # As today a quota of 0 is none.
    if not pool.default_quota:
        return
    used = sum(quota_units(pool.ip_version, prefix_of(cidr).prefixlen) for cidr in own_cidrs)
    if used + quota_units(pool.ip_version, prefixlen) > pool.default_quota:
        raise SubnetPoolQuotaExceeded


def _require_affinity(
    tx: Transaction, network: NetworkFacts, ip_version: int, pool_id: str | None, pool_scope_id: str | None
) -> None:
    """Refuse to mix pools, or address scopes where there are some, among a network's subnets of one IP version."""
    if not any(subnet.ip_version == ip_version for subnet in network.subnets):
        return
    rows = tx.connection.execute(_OF_NETWORK, {"wanted": network.id, "version": ip_version}).all()
    scope_id = next((row.address_scope_id for row in rows if row.address_scope_id is not None), None)
    if pool_id is not None and scope_id is not None:
        if pool_scope_id != scope_id:
            raise NetworkAddressScopeAffinityError
        return
    if any(row.subnetpool_id != pool_id for row in rows):
        raise NetworkSubnetPoolAffinityError
