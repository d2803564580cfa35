"""Rules of QoS policies: inside their policy, and under their own ids."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError
from zope.interface import implementer

from quantumd.api.errors import HTTPMethodNotAllowed
from quantumd.api.extensions.qos.errors import QosRuleNotFound, QoSRuleParameterConflict, QoSRulesConflict
from quantumd.api.extensions.qos.policies import POLICIES, QOS_POLICY_TYPE, rules_of
from quantumd.api.extensions.qos.support import Support
from quantumd.api.resource import INestedOperations, IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.guarantees import require_kept
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View
from quantumd.model.bandwidth import beyond
from quantumd.model.context import Context
from quantumd.model.qos import MINIMUM_BANDWIDTH, RuleType, clash_with, twin_of
from quantumd.store.guarantee_nouns import places_of_policy
from quantumd.store.scope import visible
from quantumd.store.tables.services import qos_policies, qos_rules
from quantumd.store.transaction import Transaction


@implementer(INestedOperations)
@frozen
class NestedRules:
    """The rules of one type, by policy."""

    rule_type: RuleType
    chance: Chance
    support: Support

    def under(self, parent_id: str) -> Rules:
        """See INestedOperations."""
        return Rules(self.rule_type, self.chance, self.support, parent_id)


@implementer(IOperations)
@frozen
class Rules:
    """Operations on the rules of one type inside one policy."""

    rule_type: RuleType
    chance: Chance
    support: Support
    policy_id: str

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        POLICIES.show(tx.connection, context, self.policy_id)
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        rule = {"id": self.chance.new_id(), **{name: body[name] for name in self.rule_type.parameters}}
        self._require_fitting(tx, rule)
        self.support.require_for_users(tx.connection, self.policy_id, self.rule_type.name)
        hidden = {
            "policy_id": self.policy_id,
            "rule_type": self.rule_type.name,
            "direction": "",
            "created_at": tx.now,
        }
        try:
            with tx.savepoint():
                self._rows.insert(tx, context, hidden | rule)
        except IntegrityError:
            # Another process was faster.
            raise QoSRulesConflict(self.rule_type.name, rule["id"], self.policy_id) from None
        POLICIES.touch(tx, self.policy_id)
        self._require_kept(tx, rule, None)
        return rule

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        POLICIES.show(tx.connection, context, self.policy_id)
        before = self._rows.show(tx.connection, context, resource_id)
        self._require_fitting(tx, {**before, **changes})
        # What reads the journal looks for the policy: rules are nothing without theirs.
        after = self._rows.change(tx, context, before | self._of_policy, changes)
        del after["policy_id"]
        if after != before:
            POLICIES.touch(tx, self.policy_id)
            self._require_kept(tx, after, before)
        return after

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        POLICIES.show(tx.connection, context, self.policy_id)
        self._rows.remove(tx, context, self._rows.show(tx.connection, context, resource_id) | self._of_policy)
        POLICIES.touch(tx, self.policy_id)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        POLICIES.show(connection, context, self.policy_id)
        return self._rows.show(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        POLICIES.show(connection, context, self.policy_id)
        return self._rows.list(connection, context, query)

    def _require_kept(self, tx: Transaction, rule: View, before: View | None) -> None:
        """Refuse a guarantee that hosts of ports cannot give beside what they give already. HostBandwidthExceeded."""
        if self.rule_type.name != MINIMUM_BANDWIDTH:
            return
        had = {before["direction"]: before["min_kbps"]} if before is not None else {}
        grown = beyond({rule["direction"]: rule["min_kbps"]}, had)
        require_kept(tx, places_of_policy(tx.connection, self.policy_id) if grown else (), grown)

    @property
    def _of_policy(self) -> View:
        return {"policy_id": self.policy_id}

    @property
    def _rows(self) -> Rows:
        columns = qos_rules.c
        return Rows(
            f"{self.rule_type.name}_rule",
            qos_rules,
            lambda rule_id: QosRuleNotFound(rule_id, self.policy_id),
            lambda scope: (columns.policy_id == self.policy_id, columns.rule_type == self.rule_type.name),
            hidden=frozenset(columns.keys()) - {"id", *self.rule_type.parameters},
        )

    def _require_fitting(self, tx: Transaction, rule: Mapping[str, Any]) -> None:
        """Refuse a rule that the others of the policy do not allow. QoSRuleParameterConflict, QoSRulesConflict."""
        others = rules_of(tx.connection, (self.policy_id,))[self.policy_id]
        typed = {**rule, "type": self.rule_type.name}
        clash = clash_with(typed, others)
        if clash is not None:
            raise QoSRuleParameterConflict(clash.value, self.policy_id, clash.rule_type, clash.existing)
        twin = twin_of(typed, others)
        if twin is not None:
            raise QoSRulesConflict(self.rule_type.name, twin["id"], self.policy_id)


@implementer(IOperations)
@frozen
class AliasRules:
    """Operations on the rules of one type under their own ids."""

    rule_type: RuleType
    chance: Chance
    support: Support

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        return self._inside(tx.connection, context, resource_id).update(tx, context, resource_id, changes)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        self._inside(tx.connection, context, resource_id).delete(tx, context, resource_id)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return self._inside(connection, context, resource_id).show(connection, context, resource_id)

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations; not served: a rule is made inside its policy."""
        raise HTTPMethodNotAllowed("POST", ("GET", "PUT", "DELETE"))

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations; not served."""
        raise HTTPMethodNotAllowed("GET", ("GET", "PUT", "DELETE"))

    def _inside(self, connection: Connection, context: Context, rule_id: str) -> Rules:
        """Return the operations inside the rule's policy. QosRuleNotFound."""
        statement = (
            select(qos_rules.c.policy_id)
            .join(qos_policies, qos_policies.c.id == qos_rules.c.policy_id)
            .where(
                qos_rules.c.id == rule_id,
                qos_rules.c.rule_type == self.rule_type.name,
                *visible(qos_policies, QOS_POLICY_TYPE, context.scope_of("policy")),
            )
        )
        policy_id = connection.execute(statement).scalar()
        if policy_id is None:
            raise QosRuleNotFound(rule_id)
        return Rules(self.rule_type, self.chance, self.support, policy_id)


def owner_of_rule(connection: Connection, rule_id: str) -> str | None:
    """Return the project of the policy that a rule is in."""
    statement = (
        select(qos_policies.c.project_id)
        .join(qos_rules, qos_policies.c.id == qos_rules.c.policy_id)
        .where(qos_rules.c.id == rule_id)
    )
    owner: str | None = connection.execute(statement).scalar()
    return owner
