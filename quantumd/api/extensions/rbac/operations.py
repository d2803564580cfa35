"""RBAC policies: who else may use what a project owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from quantumd.api.errors import InvalidInput
from quantumd.api.extensions.rbac.errors import (
    DuplicateRbacPolicy,
    InvalidActionForType,
    RbacPolicyInitError,
    RbacPolicyInUse,
    RbacPolicyNotFound,
    SharedObjectNotFound,
)
from quantumd.api.extensions.rbac.networks import network_granted_anew, require_no_gateways
from quantumd.api.extensions.rbac.objects import OBJECT_TYPES, owner_of, projects_using
from quantumd.api.extensions.rbac.shared import ACCESS_AS_SHARED, seen_by
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.errors import InvalidSharedSetting
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.rows import Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.sharing import EVERYBODY, depends_on_grant
from quantumd.store.tables import rbac_entries
from quantumd.store.tables.subnets import subnetpools
from quantumd.store.transaction import Transaction

POLICIES = Rows(
    "rbac_policy",
    rbac_entries,
    RbacPolicyNotFound,
    of_project(rbac_entries),
    renamed={"target_tenant": "target_project"},
    hidden=frozenset({"created_at"}),
)

_GIVEN = ("project_id", "object_type", "object_id", "action", "target_tenant")


@frozen
class Policies(KeptAsRows):
    """Operations on RBAC policies."""

    rows: ClassVar = POLICIES
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        object_type = OBJECT_TYPES[body["object_type"]]
        if body["action"] not in object_type.actions:
            raise InvalidActionForType(body["action"], body["object_type"], object_type.actions)
        _require_owned(tx.connection, context, body["object_type"], body["object_id"])
        if body["object_type"] == "subnetpool":
            _require_scope_shared(tx.connection, body["object_id"], body["target_tenant"])
        view = {"id": self.chance.new_id(), **{name: body[name] for name in _GIVEN}}
        try:
            with tx.savepoint():
                POLICIES.insert(tx, context, {**view, "created_at": tx.now})
        except IntegrityError:
            raise DuplicateRbacPolicy() from None
        _granted_anew(tx, view)
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations. Only the target changes."""
        before = POLICIES.show(tx.connection, context, resource_id)
        target = changes.get("target_tenant", before["target_tenant"])
        _require_owned(tx.connection, context, before["object_type"], before["object_id"])
        if target == before["target_tenant"]:
            return before
        _require_unused(tx, before, target)
        try:
            with tx.savepoint():
                after = POLICIES.change(tx, context, before, {"target_tenant": target})
        except IntegrityError:
            raise DuplicateRbacPolicy() from None
        _granted_anew(tx, after)
        return after

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. A policy that somebody depends on stays."""
        before = POLICIES.show(tx.connection, context, resource_id)
        _require_unused(tx, before, None)
        POLICIES.remove(tx, context, before)
        _granted_anew(tx, before)


def _require_owned(connection: Connection, context: Context, object_type: str, object_id: str) -> None:
    """Refuse what is not there and what is not the caller's; those who own nothing cannot tell the two apart."""
    owner = owner_of(connection, object_type, object_id)
    if owner is None and context.is_admin:
        type_name, message = OBJECT_TYPES[object_type].not_found
        raise SharedObjectNotFound(type_name, message.format(object_id))
    if owner is None or not is_owner(context, owner):
        noun = OBJECT_TYPES[object_type].noun
        raise InvalidInput(f"Only admins can manipulate policies on {noun} they do not own")


def _require_scope_shared(connection: Connection, pool_id: str, target: str) -> None:
    """A pool of an address scope is of use to those who may use the scope. RbacPolicyInitError."""
    scope_id = connection.execute(select(subnetpools.c.address_scope_id).where(subnetpools.c.id == pool_id)).scalar()
    if scope_id is None:
        return
    columns = rbac_entries.c
    statement = select(columns.id).where(
        columns.object_id == scope_id,
        columns.object_type == "address_scope",
        columns.target_project.in_((EVERYBODY, target)),
    )
    if connection.execute(statement.limit(1)).first() is None:
        raise RbacPolicyInitError(pool_id, "target project doesn't have access to associated address scope.")


def _require_unused(tx: Transaction, policy: View, new_target: str | None) -> None:
    """Refuse to take away what somebody uses. InvalidSharedSetting for networks, else RbacPolicyInUse.

    :param new_target: whom the policy is for from now on; None when it goes.
    """
    if policy["action"] != ACCESS_AS_SHARED:
        require_no_gateways(tx.connection, policy, new_target)
        return
    object_type, object_id = policy["object_type"], policy["object_id"]
    owner = owner_of(tx.connection, object_type, object_id)
    if owner is None:
        return
    others = _targets(tx.connection, policy) | ({new_target} if new_target is not None else set())
    users = projects_using(tx.connection, object_type, object_id)
    if depends_on_grant(policy["target_tenant"], owner, users, others):
        if object_type == "network":
            raise RbacPolicyInUse(object_id, str(InvalidSharedSetting(object_id)))
        raise RbacPolicyInUse(object_id, f"project_id={policy['target_tenant']}")


def _targets(connection: Connection, policy: View) -> set[str]:
    """Return whom the object's other policies give it to."""
    columns = rbac_entries.c
    statement = select(columns.target_project).where(
        columns.object_id == policy["object_id"],
        columns.object_type == policy["object_type"],
        columns.action == policy["action"],
        columns.id != policy["id"],
    )
    return set(connection.execute(statement).scalars())


def _granted_anew(tx: Transaction, policy: View) -> None:
    """Forget what the transaction has read of who sees the object."""
    tx.cache.pop(seen_by(policy["object_type"]), None)
    if policy["object_type"] == "network":
        network_granted_anew(tx, policy)
