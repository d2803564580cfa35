"""Subnet pools: creating, changing and deleting them by the rules."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, bindparam, select
from zope.interface import implementer

from quantumd.api.errors import InvalidInput
from quantumd.api.extensions.rbac.shared import forget_grants, found_by_sharing, set_shared
from quantumd.api.extensions.subnetpools.associations import require_association, require_own_scope
from quantumd.api.extensions.subnetpools.rows import POOL_TYPE, POOLS, shown_pool
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.pool_errors import (
    EmptySubnetPoolPrefixList,
    IllegalSubnetPoolPrefixBounds,
    IllegalSubnetPoolPrefixUpdate,
    PrefixVersionMismatch,
    SubnetPoolDeleteError,
)
from quantumd.api.resources.subnet_pools import allocated_cidrs, lock_pool
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.subnet import version_of
from quantumd.model.subnet_pool import Bounds, bounds_fault, bounds_of, compacted, covers
from quantumd.store.tables.subnets import subnetpools
from quantumd.store.transaction import Transaction

_DEFAULT = select(subnetpools.c.id).where(
    subnetpools.c.is_default.is_(True), subnetpools.c.ip_version == bindparam("version")
)


@implementer(IOperations)
@frozen
class SubnetPools:
    """Operations on subnet pools."""

    chance: Chance

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        return [shown_pool(self._create(tx, context, body)) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        ip_version = _version_of(body["prefixes"])
        bounds = _checked_bounds(ip_version, body)
        if body["is_default"]:
            _require_no_default(tx, ip_version)
        view = {
            "id": self.chance.new_id(),
            "name": body["name"],
            "project_id": body["project_id"],
            "prefixes": compacted(ip_version, body["prefixes"]),
            "ip_version": ip_version,
            "default_prefixlen": bounds.default,
            "min_prefixlen": bounds.minimum,
            "max_prefixlen": bounds.maximum,
            "default_quota": body.get("default_quota"),
            "is_default": body["is_default"],
            "shared": body["shared"],
            "address_scope_id": body.get("address_scope_id"),
            "description": body["description"],
        }
        require_association(tx, context, view)
        view = POOLS.insert(tx, context, view)
        if body["shared"]:
            set_shared(tx, context, POOL_TYPE, view["id"], view["project_id"], True)
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. Prefixes only grow; taking some away is a request of its own."""
        before = locked_pool(tx, context, resource_id)
        return shown_pool(change_pool(tx, context, before, changes))

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. SubnetPoolDeleteError while subnets come from it."""
        before = locked_pool(tx, context, resource_id)
        if allocated_cidrs(tx, resource_id):
            raise SubnetPoolDeleteError
        forget_grants(tx, context, POOL_TYPE, resource_id)
        POOLS.remove(tx, context, before)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return shown_pool(POOLS.show(connection, context, resource_id))

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        for batch in found_by_sharing(POOLS, POOL_TYPE, context).list(connection, context, query):
            yield [shown_pool(view) for view in batch]


def locked_pool(tx: Transaction, context: Context, subnetpool_id: str) -> View:
    """Return a pool that the caller sees, locked. SubnetPoolNotFound."""
    lock_pool(tx, subnetpool_id)
    return POOLS.show(tx.connection, context, subnetpool_id)


def change_pool(tx: Transaction, context: Context, before: View, changes: Mapping[str, Any]) -> View:
    """Write the changes of a pool that is locked, by the rules; return its view."""
    named = dict(changes)
    if "prefixes" in named:
        named["prefixes"] = _grown(before, named["prefixes"])
    after = {**before, **named}
    _checked_bounds(after["ip_version"], after)
    if after["is_default"] and not before["is_default"]:
        _require_no_default(tx, after["ip_version"])
    require_own_scope(tx, context, before)
    if (after["prefixes"], after["address_scope_id"]) != (before["prefixes"], before["address_scope_id"]):
        require_association(tx, context, after, before)
    return POOLS.change(tx, context, before, named)


def _grown(before: View, prefixes: Sequence[str]) -> list[str]:
    ip_version = _version_of(prefixes)
    if ip_version != before["ip_version"]:
        raise PrefixVersionMismatch
    if not covers(prefixes, before["prefixes"]):
        raise IllegalSubnetPoolPrefixUpdate("Existing prefixes must be a subset of the new prefixes")
    return compacted(ip_version, prefixes)


def _version_of(prefixes: Sequence[str]) -> int:
    """Return the IP version of prefixes, as the API names them."""
    if not prefixes:
        raise EmptySubnetPoolPrefixList
    versions = {version_of(prefix) for prefix in prefixes}
    if len(versions) > 1:
        raise PrefixVersionMismatch
    return versions.pop()


def _checked_bounds(ip_version: int, pool: Mapping[str, Any]) -> Bounds:
    """Return the bounds of a pool: those that are named, automatic ones for the rest."""
    bounds = bounds_of(ip_version, pool.get("min_prefixlen"), pool.get("max_prefixlen"), pool.get("default_prefixlen"))
    fault = bounds_fault(ip_version, bounds)
    if fault is not None:
        raise IllegalSubnetPoolPrefixBounds(fault.name, fault.length, fault.base_name, fault.base_length)
    return bounds


def _require_no_default(tx: Transaction, ip_version: int) -> None:
    tx.lock(f"default-subnetpool:{ip_version}")
    if tx.connection.execute(_DEFAULT, {"version": ip_version}).first() is not None:
        raise InvalidInput(
            "A default subnetpool for this IP family has already been set. Only one default may exist per IP family"
        )
