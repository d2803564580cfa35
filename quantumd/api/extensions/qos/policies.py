"""QoS policies: rules for the traffic of ports and networks, kept by administrators and shared with projects."""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, bindparam, or_, select
from sqlalchemy.exc import IntegrityError

from quantumd.api.extensions.qos.errors import QoSPolicyDefaultAlreadyExists, QosPolicyInUse, QosPolicyNotFound
from quantumd.api.extensions.rbac.errors import RbacPolicyInUse
from quantumd.api.extensions.rbac.objects import projects_using
from quantumd.api.extensions.rbac.shared import forget_grants, found_by_sharing, is_granted, set_shared, shared_with
from quantumd.api.resource import Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.matching import Alternatives
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import IDS, View
from quantumd.model.context import Context
from quantumd.model.qos import RULE_TYPES
from quantumd.model.sharing import depends_on_grant
from quantumd.store.scope import EVERYBODY, visible
from quantumd.store.tables import rbac_entries
from quantumd.store.tables.routers import floating_ip_qos, gateway_qos
from quantumd.store.tables.services import network_qos, port_qos, qos_policies, qos_rules
from quantumd.store.transaction import Transaction

QOS_POLICY_TYPE = "qos_policy"
"""The name of policies in the journal and in RBAC entries."""

_PARAMETERS = {each.name: each.parameters for each in RULE_TYPES}
_RULES = select(qos_rules).where(qos_rules.c.policy_id.in_(IDS)).order_by(qos_rules.c.created_at, qos_rules.c.id)
_USERS = (
    ("port", select(port_qos.c.port_id).where(port_qos.c.policy_id == bindparam("wanted"))),
    ("network", select(network_qos.c.network_id).where(network_qos.c.policy_id == bindparam("wanted"))),
    ("fip", select(floating_ip_qos.c.floatingip_id).where(floating_ip_qos.c.policy_id == bindparam("wanted"))),
    ("router", select(gateway_qos.c.router_id).where(gateway_qos.c.policy_id == bindparam("wanted"))),
)


def rules_of(connection: Connection, policy_ids: Sequence[str]) -> Mapping[str, list[View]]:
    """Return the rules of policies as policies show them, oldest first; a policy without any is an empty list."""
    found: defaultdict[str, list[View]] = defaultdict(list)
    for row in connection.execute(_RULES, {"ids": policy_ids}).all():
        found[row.policy_id].append(rule_view(row._mapping))
    return found


def rule_view(row: Any) -> View:
    """Return a row of rules, by its columns, as policies show it."""
    view = {"id": row["id"], "qos_policy_id": row["policy_id"], "type": row["rule_type"]}
    return view | {name: row[name] for name in _PARAMETERS[row["rule_type"]]}


def _with_rules(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    rules = rules_of(connection, list(views))
    shared = shared_with(connection, context, QOS_POLICY_TYPE, list(views))
    for policy_id, view in views.items():
        view["is_default"] = view.pop("default_for") is not None
        view["shared"] = policy_id in shared
        view["rules"] = rules[policy_id]


def _any_of(alternatives: Alternatives, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    wanted = [condition if each else ~condition for each in set(alternatives)]
    return or_(*wanted)


POLICIES = Rows(
    QOS_POLICY_TYPE,
    qos_policies,
    QosPolicyNotFound,
    lambda scope: visible(qos_policies, QOS_POLICY_TYPE, scope),
    children=_with_rules,
    special={
        "is_default": lambda alternatives: _any_of(alternatives, qos_policies.c.default_for.is_not(None)),
    },
    is_taggable=True,
    seen_as="policy",
)


@frozen
class Policies(KeptAsRows):
    """Operations on policies."""

    rows: ClassVar = POLICIES
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        project_id = body["project_id"]
        values = {
            "id": self.chance.new_id(),
            **{name: body[name] for name in ("name", "description", "project_id", "is_default", "shared")},
            "default_for": project_id if body["is_default"] else None,
            "rules": [],
        }
        with _one_default(project_id), tx.savepoint():
            view = POLICIES.insert(tx, context, values)
        if body["shared"]:
            set_shared(tx, context, QOS_POLICY_TYPE, view["id"], project_id, True)
        del view["default_for"]
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = POLICIES.show(tx.connection, context, resource_id)
        changed = dict(changes)
        if "is_default" in changed:
            changed["default_for"] = before["project_id"] if changed["is_default"] else None
            before["default_for"] = before["project_id"] if before["is_default"] else None
        if "shared" in changed:
            changed["shared"] = _share(tx, context, before, changed["shared"])
        with _one_default(before["project_id"]), tx.savepoint():
            after = POLICIES.change(tx, context, before, changed)
        after.pop("default_for", None)
        return after

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. What has the policy keeps it."""
        before = POLICIES.show(tx.connection, context, resource_id)
        for object_type, users in _USERS:
            user = tx.connection.execute(users.limit(1), {"wanted": resource_id}).first()
            if user is not None:
                raise QosPolicyInUse(resource_id, object_type, user[0])
        forget_grants(tx, context, QOS_POLICY_TYPE, resource_id)
        POLICIES.remove(tx, context, before)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        return found_by_sharing(POLICIES, QOS_POLICY_TYPE, context).list(connection, context, query)


@contextmanager
def _one_default(project_id: str) -> Iterator[None]:
    """Tell of a project's second default policy, which the table refuses."""
    try:
        yield
    except IntegrityError:
        raise QoSPolicyDefaultAlreadyExists(project_id) from None


def _share(tx: Transaction, context: Context, policy: View, is_shared: bool) -> bool:
    """Share the policy with everybody, or stop that; return whether the caller sees it as shared from now on.

    :raises RbacPolicyInUse: somebody depends on it.
    """
    policy_id, owner = policy["id"], policy["project_id"]
    if is_shared != is_granted(tx.connection, QOS_POLICY_TYPE, policy_id):
        if not is_shared:
            _require_unused_by_others(tx, policy_id, owner)
        set_shared(tx, context, QOS_POLICY_TYPE, policy_id, owner, is_shared)
    return is_shared or is_granted(tx.connection, QOS_POLICY_TYPE, policy_id, context.project_id)


def _require_unused_by_others(tx: Transaction, policy_id: str, owner: str) -> None:
    statement = select(rbac_entries.c.target_project).where(
        rbac_entries.c.object_id == policy_id, rbac_entries.c.object_type == QOS_POLICY_TYPE
    )
    others = set(tx.connection.execute(statement).scalars()) - {EVERYBODY}
    users = projects_using(tx.connection, QOS_POLICY_TYPE, policy_id)
    if depends_on_grant(EVERYBODY, owner, users, others):
        raise RbacPolicyInUse(policy_id, f"project_id={EVERYBODY}")
