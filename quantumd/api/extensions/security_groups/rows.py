"""Rows of groups and rules, and what their views take from other tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, false, or_, select

from quantumd.api.extensions.rbac.shared import whether_shared
from quantumd.api.extensions.security_groups.errors import SecurityGroupNotFound, SecurityGroupRuleNotFound
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import IDS, View
from quantumd.model.context import OWN, PARENT, Context, Scope
from quantumd.store.scope import Conditions, visible
from quantumd.store.tables.security import (
    default_security_groups,
    security_group_rules,
    security_groups,
)

GROUP_TYPE = "security_group"
"""The name of groups in the journal and in RBAC entries."""

_RULES = security_group_rules.c
_RULES_OF = select(security_group_rules).where(_RULES.security_group_id.in_(IDS)).order_by(_RULES.created_at, _RULES.id)
# Names of columns are a kind of text of SQLAlchemy's own, which JSON does not take as keys.
_RULE_NAMES = tuple(str(column.name) for column in _RULES)
_DEFAULTS_AMONG = select(default_security_groups.c.security_group_id).where(
    default_security_groups.c.security_group_id.in_(IDS)
)


def visible_rules(scope: Scope) -> Conditions:
    """The rules of the groups that the project owns."""
    if scope.is_everything:
        return ()
    if scope.grants.isdisjoint((OWN, PARENT)):
        return (false(),)
    own = select(security_groups.c.id).where(security_groups.c.project_id == scope.project_id)
    return (_RULES.security_group_id.in_(own),)


def defaults_among(connection: Connection, group_ids: Sequence[str]) -> set[str]:
    """Return those of the groups that are the default group of their project."""
    return set(connection.execute(_DEFAULTS_AMONG, {"ids": group_ids}).scalars()) if group_ids else set()


def _of_default_groups(alternatives: tuple[Any, ...]) -> ColumnElement[bool]:
    defaults = select(default_security_groups.c.security_group_id)
    return or_(
        *(
            _RULES.security_group_id.in_(defaults) if wanted else _RULES.security_group_id.not_in(defaults)
            for wanted in alternatives
        )
    )


def _whether_default(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    defaults = defaults_among(connection, sorted({view["security_group_id"] for view in views.values()}))
    for view in views.values():
        view["belongs_to_default_sg"] = view["security_group_id"] in defaults


RULES = Rows(
    "security_group_rule",
    security_group_rules,
    SecurityGroupRuleNotFound,
    visible_rules,
    children=_whether_default,
    special={"belongs_to_default_sg": _of_default_groups},
    first_revision=0,
)


def rules_of(connection: Connection, group_ids: Sequence[str]) -> Mapping[str, list[View]]:
    """Return the groups' rules as groups show them, oldest first; a group without any is an empty list."""
    rows = connection.execute(_RULES_OF, {"ids": group_ids}).all()
    defaults = defaults_among(connection, group_ids)
    found: defaultdict[str, list[View]] = defaultdict(list)
    for row in rows:
        view = dict(zip(_RULE_NAMES, row, strict=True))
        view["belongs_to_default_sg"] = row.security_group_id in defaults
        found[row.security_group_id].append(embedded(view))
    return found


def embedded(rule: View) -> View:
    """Return the view of a rule as its group shows it: there with both names of the project, and with tags."""
    return {**rule, "tenant_id": rule["project_id"], "tags": []}


WHETHER_SHARED = whether_shared(GROUP_TYPE)


def _with_rules(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
    WHETHER_SHARED(connection, context, views)
    rules = rules_of(connection, list(views))
    for group_id, view in views.items():
        view["security_group_rules"] = rules[group_id]


def visible_groups(scope: Scope) -> Conditions:
    """The groups of the project, and those that are shared with it."""
    return visible(security_groups, GROUP_TYPE, scope)


GROUPS = Rows(
    GROUP_TYPE, security_groups, SecurityGroupNotFound, visible_groups, children=_with_rules, is_taggable=True
)
