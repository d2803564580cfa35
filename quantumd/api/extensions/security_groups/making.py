"""Making groups: with the rules of the templates, and the default group of each project when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from attrs import frozen
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from quantumd.api.extensions.default_rules.templates import rules_for_new_group, stateful_by_default
from quantumd.api.extensions.quotas.admission import Admission
from quantumd.api.extensions.quotas.counts import forget_count
from quantumd.api.extensions.security_groups.rows import GROUPS, RULES, embedded
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.security import DEFAULT_DESCRIPTION, DEFAULT_NAME, normalized_cidr
from quantumd.store.tables.security import default_security_groups
from quantumd.store.transaction import Transaction

_DEFAULT_OF = select(default_security_groups.c.security_group_id).where(
    default_security_groups.c.project_id == bindparam("project")
)
# Once a commit, and most commits that make ports ask.
_DEFAULT_OF_PROJECT = Prepared(_DEFAULT_OF)


def default_group_of(connection: Any, project_id: str) -> str | None:
    """Return the id of the project's default group, None while it has none."""
    found: str | None = connection.execute(_DEFAULT_OF, {"project": project_id}).scalar()
    return found


def forget_default(tx: Transaction, project_id: str) -> None:
    """Take the project's default group out of the transaction's cache, as when it goes."""
    tx.cache.pop(("default_security_group", project_id), None)


@frozen
class GroupMaker:
    """Makes groups. ``admission`` bounds how many rules a project has."""

    chance: Chance
    admission: Admission

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any], is_default: bool = False) -> View:
        """Write a new group with the rules that the templates give it; return its view. OverQuota.

        A project's default group counts as one of its groups, yet no limit keeps it from being made; only its rules
        are bounded, as those of every group.
        :param body: ``name``, ``description``, ``project_id``, and ``stateful`` when it is said.
        """
        group_id, project_id = self.chance.new_id(), body["project_id"]
        stateful = body["stateful"] if "stateful" in body else stateful_by_default(tx.connection, project_id)
        view = {
            "id": group_id,
            "name": body["name"],
            "project_id": project_id,
            "description": body["description"],
            "stateful": stateful,
            "shared": False,
        }
        group = GROUPS.insert(tx, context, view)
        if is_default:
            row = {"project_id": project_id, "security_group_id": group_id}
            tx.connection.execute(insert(default_security_groups), row)
            forget_count(tx, "security_group", project_id)
        of_group = {"project_id": project_id, "security_group_id": group_id, "description": None}
        rules = rules_for_new_group(tx.connection, group_id, is_default)
        self.admission.require_room(tx, "security_group_rule", project_id, len(rules))
        made = [embedded(self.make_rule(tx, context, {**said, **of_group}, is_default)) for said in rules]
        # All of one moment, so they come in the order in which a later look at the group finds them.
        group["security_group_rules"] = sorted(made, key=itemgetter("id"))
        return group

    def make_rule(self, tx: Transaction, context: Context, rule: Mapping[str, Any], is_of_default_group: bool) -> View:
        """Write a new rule, already checked; return its view. The caller touches the group."""
        view = {
            "id": self.chance.new_id(),
            **rule,
            "normalized_cidr": normalized_cidr(rule["remote_ip_prefix"]),
            "belongs_to_default_sg": is_of_default_group,
        }
        return RULES.insert(tx, context, view)

    def default_group(self, tx: Transaction, context: Context, project_id: str) -> str:
        """Return the id of the project's default group, made now when it has none; looked up once a commit."""
        key = ("default_security_group", project_id)
        found: str | None = tx.cache.get(key)
        if found is None:
            rows = _DEFAULT_OF_PROJECT.rows(tx, {"project": project_id})
            found = rows[0][0] if rows else self._make_default(tx, context, project_id)
            tx.cache[key] = found
        return found

    def _make_default(self, tx: Transaction, context: Context, project_id: str) -> str:
        tx.lock(f"default_security_group:{project_id}")
        found = default_group_of(tx.connection, project_id)
        if found is not None:
            return found
        body = {"name": DEFAULT_NAME, "description": DEFAULT_DESCRIPTION, "project_id": project_id}
        try:
            with tx.savepoint():
                return str(self.make(tx, context, body, is_default=True)["id"])
        except IntegrityError:
            # Another process was faster, and a database that keeps no name locked let both come this far.
            found = default_group_of(tx.connection, project_id)
            if found is None:
                raise
            return found
