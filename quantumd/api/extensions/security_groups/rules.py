"""Rules of security groups: creating and deleting them by the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, select

from quantumd.api.extensions.address_groups.errors import AddressGroupNotFound
from quantumd.api.extensions.security_groups.errors import (
    DuplicateSecurityGroupRuleInPost,
    InvalidRule,
    SecurityGroupNotFound,
    SecurityGroupNotSingleGroupRules,
    SecurityGroupRuleExists,
    SecurityGroupRulesNotSingleProject,
)
from quantumd.api.extensions.security_groups.making import GroupMaker
from quantumd.api.extensions.security_groups.rows import GROUPS, RULES, defaults_among, visible_groups
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.views import View
from quantumd.model.context import Context, Scope
from quantumd.model.security import canonical, repeated, rule_fault, rule_key
from quantumd.store.scope import visible
from quantumd.store.tables.security import address_groups, security_group_rules, security_groups
from quantumd.store.transaction import Transaction


@frozen
class Rules(KeptAsRows):
    """Operations on rules of security groups."""

    rows: ClassVar = RULES
    maker: GroupMaker

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations. All are of one group and one project."""
        if len({body["security_group_id"] for body in bodies}) > 1:
            raise SecurityGroupNotSingleGroupRules()
        if len({body["project_id"] for body in bodies}) > 1:
            raise SecurityGroupRulesNotSingleProject()
        rules = [_checked(body) for body in bodies]
        group_id = rules[0]["security_group_id"]
        for rule in rules:
            _require_remotes(tx.connection, context, rule)
        self._require_group(tx.connection, context, group_id)
        # Whether a rule exists is only known while nobody adds another.
        tx.lock(f"security_group:{group_id}")
        _require_new(tx.connection, group_id, rules)
        is_default = bool(defaults_among(tx.connection, (group_id,)))
        made = [self.maker.make_rule(tx, context, rule, is_default) for rule in rules]
        GROUPS.touch(tx, group_id)
        return made

    def _require_group(self, connection: Connection, context: Context, group_id: str) -> None:
        columns = security_groups.c
        row = connection.execute(
            select(columns.project_id).where(
                columns.id == group_id, *visible_groups(context.scope_of("security_group"))
            )
        ).first()
        if row is None:
            raise SecurityGroupNotFound(group_id)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        before = RULES.show(tx.connection, context, resource_id)
        RULES.remove(tx, context, before)
        GROUPS.touch(tx, before["security_group_id"])


def _checked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule as it is kept. InvalidRule."""
    rule = canonical(body)
    fault = rule_fault(rule)
    if fault is not None:
        raise InvalidRule(fault)
    return rule


def _require_remotes(connection: Connection, context: Context, rule: Mapping[str, Any]) -> None:
    """Refuse a rule about a group that its project may not see. SecurityGroupNotFound, AddressGroupNotFound."""
    scope = context.scope_of("security_group") if context.is_admin else Scope(rule["project_id"])
    group_id, address_group_id = rule["remote_group_id"], rule["remote_address_group_id"]
    if group_id is not None and group_id != rule["security_group_id"]:
        statement = select(security_groups.c.id).where(security_groups.c.id == group_id, *visible_groups(scope))
        if connection.execute(statement).first() is None:
            raise SecurityGroupNotFound(group_id)
    if address_group_id is not None:
        conditions = visible(address_groups, "address_group", scope)
        statement = select(address_groups.c.id).where(address_groups.c.id == address_group_id, *conditions)
        if connection.execute(statement).first() is None:
            raise AddressGroupNotFound(address_group_id)


def _require_new(connection: Connection, group_id: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Refuse rules that say what others say. DuplicateSecurityGroupRuleInPost, SecurityGroupRuleExists."""
    if repeated(rules) is not None:
        raise DuplicateSecurityGroupRuleInPost()
    keys = {rule_key(rule) for rule in rules}
    statement = select(security_group_rules).where(security_group_rules.c.security_group_id == group_id)
    for row in connection.execute(statement).all():
        if rule_key(row._asdict()) in keys:
            raise SecurityGroupRuleExists(row.id)
