"""Address scopes: creating, changing and deleting them by the rules."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from quantumd.api.extensions.rbac.shared import forget_grants, found_by_sharing, set_shared, whether_shared
from quantumd.api.extensions.subnetpools.associations import SCOPE_TYPE, lock_scope
from quantumd.api.resource import Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.pool_errors import AddressScopeInUse, AddressScopeNotFound, AddressScopeUpdateError
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.scope import visible
from quantumd.store.tables.subnets import address_scopes, subnetpools
from quantumd.store.transaction import Transaction

_POOL = select(subnetpools.c.id).where(subnetpools.c.address_scope_id == bindparam("wanted")).limit(1)

SCOPES = Rows(
    SCOPE_TYPE,
    address_scopes,
    AddressScopeNotFound,
    lambda scope: visible(address_scopes, SCOPE_TYPE, scope),
    hidden=frozenset({"created_at"}),
    children=whether_shared(SCOPE_TYPE),
)


@frozen
class AddressScopes(KeptAsRows):
    """Operations on address scopes."""

    rows: ClassVar = SCOPES
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        view = SCOPES.insert(
            tx,
            context,
            {
                "id": self.chance.new_id(),
                "name": body["name"],
                "project_id": body["project_id"],
                "ip_version": body["ip_version"],
                "shared": body["shared"],
                "created_at": tx.now,
            },
        )
        del view["created_at"]
        if body["shared"]:
            set_shared(tx, context, SCOPE_TYPE, view["id"], view["project_id"], True)
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. What is shared stays shared."""
        before = SCOPES.show(tx.connection, context, resource_id)
        if before["shared"] and changes.get("shared") is False:
            raise AddressScopeUpdateError(resource_id, "Shared address scope can't be unshared")
        if changes.get("shared"):
            set_shared(tx, context, SCOPE_TYPE, resource_id, before["project_id"], True)
        return SCOPES.change(tx, context, before, changes)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. AddressScopeInUse while subnet pools are in it."""
        before = SCOPES.show(tx.connection, context, resource_id)
        lock_scope(tx, resource_id)
        if tx.connection.execute(_POOL, {"wanted": resource_id}).first() is not None:
            raise AddressScopeInUse(resource_id)
        forget_grants(tx, context, SCOPE_TYPE, resource_id)
        SCOPES.remove(tx, context, before)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        return found_by_sharing(SCOPES, SCOPE_TYPE, context).list(connection, context, query)
