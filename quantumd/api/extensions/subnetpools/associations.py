"""What keeps subnet pools and address scopes together: one IP version, no shared address, whole networks."""

from __future__ import annotations

import orjson
from sqlalchemy import bindparam, select

from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.pool_errors import (
    AddressScopeNotFound,
    AddressScopePrefixConflict,
    IllegalSubnetPoolIpVersionAssociationToAddressScope,
    IllegalSubnetPoolUpdate,
    NetworkAddressScopeAffinityError,
)
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.subnet_pool import is_overlapping
from quantumd.store.scope import visible
from quantumd.store.tables import subnets
from quantumd.store.tables.subnets import address_scopes, subnetpools
from quantumd.store.transaction import Transaction

SCOPE_TYPE = "address_scope"
"""The name of address scopes in the journal and in RBAC entries."""

_OTHERS = select(subnetpools.c.prefixes).where(
    subnetpools.c.address_scope_id == bindparam("scope"), subnetpools.c.id != bindparam("pool")
)
_OWNER = select(address_scopes.c.project_id).where(address_scopes.c.id == bindparam("wanted"))
_NETWORKS_OF_POOL = select(subnets.c.network_id).where(subnets.c.subnetpool_id == bindparam("pool"))
_STRANGER = (
    select(subnets.c.id)
    .where(
        subnets.c.network_id.in_(_NETWORKS_OF_POOL),
        subnets.c.ip_version == bindparam("version"),
        subnets.c.subnetpool_id.is_distinct_from(bindparam("pool")),
    )
    .limit(1)
)


def lock_scope(tx: Transaction, address_scope_id: str) -> None:
    """Keep every other transaction from changing which pools are in the scope, until this one ends."""
    tx.lock(f"address_scope:{address_scope_id}")


def require_association(tx: Transaction, context: Context, pool: View, before: View | None = None) -> None:
    """Refuse a pool that cannot be in its address scope; one without any is fine.

    :param before: the pool until now; None for a new one.
    :raises AddressScopeNotFound, IllegalSubnetPoolIpVersionAssociationToAddressScope, AddressScopePrefixConflict:
    :raises NetworkAddressScopeAffinityError: a network would be in two scopes.
    """
    scope_id = pool["address_scope_id"]
    if scope_id is None:
        return
    lock_scope(tx, scope_id)
    statement = select(address_scopes.c.ip_version).where(
        address_scopes.c.id == scope_id, *visible(address_scopes, SCOPE_TYPE, context.scope_of("address_scope"))
    )
    ip_version = tx.connection.execute(statement).scalar()
    if ip_version is None:
        raise AddressScopeNotFound(scope_id)
    if ip_version != pool["ip_version"]:
        raise IllegalSubnetPoolIpVersionAssociationToAddressScope(pool["id"], scope_id, ip_version)
    if before is not None and before["address_scope_id"] != scope_id:
        _require_whole_networks(tx, pool)
    others = tx.connection.execute(_OTHERS, {"scope": scope_id, "pool": pool["id"]}).scalars()
    if any(is_overlapping(orjson.loads(prefixes), pool["prefixes"]) for prefixes in others):
        raise AddressScopePrefixConflict


def require_own_scope(tx: Transaction, context: Context, pool: View) -> None:
    """Refuse to change a pool that is in an address scope of another project. IllegalSubnetPoolUpdate."""
    scope_id = pool["address_scope_id"]
    if scope_id is None:
        return
    owner = tx.connection.execute(_OWNER, {"wanted": scope_id}).scalar()
    if owner is None or not is_owner(context, owner):
        raise IllegalSubnetPoolUpdate(
            f"subnetpool {pool['id']} cannot be updated when associated with shared address scope {scope_id}"
        )


def _require_whole_networks(tx: Transaction, pool: View) -> None:
    """Refuse when a network of the pool has subnets from elsewhere: those would stay in another scope."""
    wanted = {"pool": pool["id"], "version": pool["ip_version"]}
    if tx.connection.execute(_STRANGER, wanted).first() is not None:
        raise NetworkAddressScopeAffinityError
