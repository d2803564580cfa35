"""Security groups: creating, changing and deleting them by the rules."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError
from zope.interface import implementer

from quantumd.api.extensions.logging.rows import forget_logs_of_group
from quantumd.api.extensions.rbac.shared import forget_grants, found_by_sharing, seen_by
from quantumd.api.extensions.security_groups.errors import (
    SecurityGroupCannotRemoveDefault,
    SecurityGroupCannotUpdateDefault,
    SecurityGroupInUse,
)
from quantumd.api.extensions.security_groups.making import GroupMaker, default_group_of, forget_default
from quantumd.api.extensions.security_groups.rows import (
    GROUP_TYPE,
    GROUPS,
    RULES,
    WHETHER_SHARED,
    defaults_among,
)
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.ownership import is_owner
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables.security import port_security_groups, security_group_rules
from quantumd.store.transaction import Transaction

_USER = select(port_security_groups.c.port_id).where(port_security_groups.c.security_group_id == bindparam("wanted"))
_RULES_ABOUT = select(security_group_rules.c.id, security_group_rules.c.security_group_id).where(
    (security_group_rules.c.security_group_id == bindparam("wanted"))
    | (security_group_rules.c.remote_group_id == bindparam("wanted"))
)

LONGEST_PROJECT_ID: Final = 255
"""How long the id of a project may be; more is that of none."""


@implementer(IOperations)
@frozen
class Groups:
    """Operations on security groups."""

    maker: GroupMaker

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations. The project's default group is made first."""
        for project_id in {body["project_id"]: None for body in bodies}:
            self.maker.default_group(tx, context, project_id)
        return [self.maker.make(tx, context, body) for body in bodies]

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        before = GROUPS.show(tx.connection, context, resource_id)
        if changes.get("stateful", before["stateful"]) != before["stateful"]:
            _require_unused(tx, resource_id)
        if "name" in changes and defaults_among(tx.connection, (resource_id,)):
            raise SecurityGroupCannotUpdateDefault()
        tx.cache.pop(seen_by(GROUP_TYPE), None)
        return GROUPS.change(tx, context, before, changes)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. Its rules go with it, and so do the rules of other groups that name it."""
        before = GROUPS.show(tx.connection, context, resource_id)
        _require_unused(tx, resource_id)
        if defaults_among(tx.connection, (resource_id,)) and not context.is_admin:
            raise SecurityGroupCannotRemoveDefault()
        _remove_rules_about(tx, context, resource_id)
        forget_logs_of_group(tx, context, resource_id)
        forget_grants(tx, context, GROUP_TYPE, resource_id)
        try:
            with tx.savepoint():
                GROUPS.remove(tx, context, before)
        except IntegrityError:
            # A port of another process has come to have it since it was found unused.
            raise SecurityGroupInUse(resource_id) from None
        tx.cache.pop(seen_by(GROUP_TYPE), None)
        forget_default(tx, before["project_id"])

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return GROUPS.show(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        rows = found_by_sharing(GROUPS, GROUP_TYPE, context)
        if query.fields and "security_group_rules" not in query.fields:
            rows = evolve(rows, children=WHETHER_SHARED)
        return rows.list(connection, context, query)

    def before_list(
        self, connection: Connection, context: Context, query: Query
    ) -> Callable[[Transaction], Any] | None:
        """Return what makes the default group of the project whose groups or rules are asked for, None if it is there.

        A caller makes it for its own project, an administrator for any.
        """
        named = dict(query.filters).get("project_id")
        project_id = str(named[0]) if named else context.project_id
        if not project_id or len(project_id) > LONGEST_PROJECT_ID:
            return None
        if not context.project_id or not is_owner(context, project_id):
            return None
        if default_group_of(connection, project_id) is not None:
            return None
        return lambda tx: self.maker.default_group(tx, context, project_id)


def _require_unused(tx: Transaction, group_id: str) -> None:
    if tx.connection.execute(_USER.limit(1), {"wanted": group_id}).first() is not None:
        raise SecurityGroupInUse(group_id)


def _remove_rules_about(tx: Transaction, context: Context, group_id: str) -> None:
    rows = tx.connection.execute(_RULES_ABOUT, {"wanted": group_id}).all()
    for rule in RULES.views(tx.connection, context, [row.id for row in rows]):
        RULES.remove(tx, context, rule)
    for other in sorted({row.security_group_id for row in rows} - {group_id}):
        GROUPS.touch(tx, other)
