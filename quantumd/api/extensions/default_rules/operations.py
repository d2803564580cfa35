"""Templates of rules that new groups get, and whether new groups are stateful."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError
from zope.interface import implementer

from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.extensions.default_rules.errors import (
    DefaultSecurityGroupRuleExists,
    DefaultSecurityGroupRuleNotFound,
    DuplicateDefaultSgRuleInPost,
    SecurityGroupDefaultStatefulnessAlreadyExists,
    SecurityGroupDefaultStatefulnessNotFound,
)
from quantumd.api.extensions.default_rules.templates import EVERY_PROJECT
from quantumd.api.extensions.security_groups.errors import InvalidRule
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.rows import Rows, for_everybody
from quantumd.api.resources.views import View
from quantumd.model.context import Context, Scope
from quantumd.model.security import canonical, repeated, rule_fault, rule_key
from quantumd.store.scope import Conditions, visible_own
from quantumd.store.tables.security import default_security_group_rules, default_statefulness
from quantumd.store.transaction import Transaction

USES = ("used_in_default_sg", "used_in_non_default_sg")

TEMPLATES = Rows(
    "default_security_group_rule",
    default_security_group_rules,
    DefaultSecurityGroupRuleNotFound,
    for_everybody,
    hidden=frozenset({"created_at"}),
    seen_as="security_groups_default_statefulness",
)


@frozen
class Templates(KeptAsRows):
    """Operations on templates; administrators write them, everybody sees them."""

    rows: ClassVar = TEMPLATES
    chance: Chance

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        rules = [canonical({name: value for name, value in body.items() if name != "project_id"}) for body in bodies]
        for rule in rules:
            fault = rule_fault(rule)
            if fault is not None:
                raise InvalidRule(fault)
        tx.lock("default_security_group_rules")
        for use in USES:
            _require_new(tx.connection, use, [rule for rule in rules if rule[use]])
        return [self._insert(tx, context, rule) for rule in rules]

    def _insert(self, tx: Transaction, context: Context, rule: Mapping[str, Any]) -> View:
        view = TEMPLATES.insert(tx, context, {"id": self.chance.new_id(), **rule, "created_at": tx.now})
        return {name: value for name, value in view.items() if name != "created_at"}

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. Groups that have their rules keep them."""
        TEMPLATES.remove(tx, context, TEMPLATES.show(tx.connection, context, resource_id))


def _require_new(connection: Connection, use: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Refuse templates that say what others for the same groups say; the errors name which."""
    if repeated(rules) is not None:
        raise DuplicateDefaultSgRuleInPost()
    keys = {rule_key(rule) for rule in rules}
    if not keys:
        return
    statement = select(default_security_group_rules).where(default_security_group_rules.c[use].is_(True))
    for row in connection.execute(statement).all():
        if rule_key(row._asdict()) in keys:
            raise DefaultSecurityGroupRuleExists(row.id)


def _visible_settings(scope: Scope) -> Conditions:
    return visible_own(default_statefulness, scope)


SETTINGS = Rows(
    "default_statefulness",
    default_statefulness,
    SecurityGroupDefaultStatefulnessNotFound,
    _visible_settings,
    hidden=frozenset({"created_at"}),
    seen_as="security_groups_default_statefulness",
)


@implementer(IOperations)
@frozen
class Settings:
    """Operations on default statefulness: an administrator's for every project, a manager's for its own."""

    chance: Chance

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> builtins.list[View]:
        """See IOperations."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        project_id = body["project_id"]
        if project_id == EVERY_PROJECT and not context.is_admin:
            raise PolicyNotAuthorized("rule:create_security_groups_default_statefulness")
        view = {"id": self.chance.new_id(), "project_id": project_id, "stateful": body["stateful"]}
        try:
            with tx.savepoint():
                SETTINGS.insert(tx, context, {**view, "created_at": tx.now})
        except IntegrityError:
            raise SecurityGroupDefaultStatefulnessAlreadyExists(project_id) from None
        return _shown(view)

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = SETTINGS.show(tx.connection, context, resource_id)
        return _shown(SETTINGS.change(tx, context, before, changes))

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        before = SETTINGS.show(tx.connection, context, resource_id)
        SETTINGS.remove(tx, context, before)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return _shown(SETTINGS.show(connection, context, resource_id))

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        for batch in SETTINGS.list(connection, context, query):
            yield [_shown(view) for view in batch]


def _shown(view: View) -> View:
    return {**view, "project_id": view["project_id"] or None}
