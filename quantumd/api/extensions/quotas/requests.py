"""Requests about quotas: limits of projects, their defaults and what of them is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, delete, insert, select

from quantumd.api.errors import HTTPBadRequest, InvalidValue, PolicyNotAuthorized
from quantumd.api.extensions.quotas.counts import Countable, forget_limits
from quantumd.api.extensions.quotas.errors import (
    AdminRequired,
    LimitBelowUse,
    QuotaMissingTenant,
    TenantQuotaNotFound,
)
from quantumd.api.policy.rules import may
from quantumd.api.values import BOOLEAN, integer, shown
from quantumd.model.context import Context
from quantumd.model.quota import UNLIMITED, limits_of, too_low
from quantumd.store.tables.services import quota_limits
from quantumd.store.transaction import Transaction

View = dict[str, Any]
Parts = Mapping[str, str]

_LIMIT = integer(UNLIMITED, 2**31 - 1)
_OF_OTHERS = "Only admin is authorized to access quotas for another tenant"


@frozen
class Quotas:
    """The operations of actions. ``defaults`` are the limits of projects that have none of their own."""

    defaults: Mapping[str, int]
    counted: Mapping[str, Countable]

    def listed(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the limits of every project that has some of its own. PolicyNotAuthorized."""
        require(context, "get_quota", "")
        own: dict[str, dict[str, int]] = {}
        for row in connection.execute(select(quota_limits).order_by(quota_limits.c.project_id)):
            own.setdefault(row.project_id, {})[row.resource] = row.maximum
        return {
            "quotas": [
                {**limits_of(self.defaults, limits), "project_id": project_id, "tenant_id": project_id}
                for project_id, limits in own.items()
            ]
        }

    def shown(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the limits of a project. PolicyNotAuthorized."""
        require(context, "get_quota", parts["project_id"])
        return {"quota": self._limits(connection, parts["project_id"])}

    def default(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the limits of projects that have none of their own. PolicyNotAuthorized."""
        require(context, "get_quota", parts["project_id"])
        return {"quota": dict(self.defaults)}

    def details(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return a project's limits and what of them is used. AdminRequired.

        Nothing is ever reserved: what is counted and what is made are one transaction.
        """
        project_id = parts["project_id"]
        if not may(context, "get_quota", {"project_id": project_id}):
            raise AdminRequired(_OF_OTHERS)
        limits = self._limits(connection, project_id)
        used = self._used(connection, project_id, limits)
        return {"quota": {name: {"limit": limits[name], "used": used[name], "reserved": 0} for name in limits}}

    def own_project(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the caller's project. QuotaMissingTenant."""
        return {"project": {"project_id": _project_of(context)}}

    def own_tenant(self, connection: Connection, context: Context, parts: Parts, query: Any) -> View:
        """Return the caller's project under its old name. QuotaMissingTenant."""
        return {"tenant": {"tenant_id": _project_of(context)}}

    def update(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> View:
        """Set some limits of a project and return all. PolicyNotAuthorized, HTTPBadRequest, LimitBelowUse.

        A limit below what is used is refused, unless the body says ``force``.
        """
        project_id = parts["project_id"]
        require(context, "update_quota", project_id)
        limits, is_forced = self._asked(body)
        if not is_forced:
            self._require_enough(tx.connection, project_id, limits)
        before = self._limits(tx.connection, project_id)
        for name, limit in limits.items():
            tx.connection.execute(delete(quota_limits).where(*_of(project_id), quota_limits.c.resource == name))
            tx.connection.execute(insert(quota_limits), {"project_id": project_id, "resource": name, "maximum": limit})
        forget_limits(tx, project_id)
        after = self._limits(tx.connection, project_id)
        if after != before:
            _journal(tx, context, project_id, "update", before, after)
        return {"quota": after}

    def delete(self, tx: Transaction, context: Context, parts: Parts, body: Any) -> None:
        """Give a project the default limits again. PolicyNotAuthorized, TenantQuotaNotFound."""
        project_id = parts["project_id"]
        require(context, "delete_quota", project_id)
        before = self._limits(tx.connection, project_id)
        if tx.connection.execute(delete(quota_limits).where(*_of(project_id))).rowcount == 0:
            raise TenantQuotaNotFound(project_id)
        forget_limits(tx, project_id)
        _journal(tx, context, project_id, "delete", before, None)

    def _limits(self, connection: Connection, project_id: str) -> dict[str, int]:
        rows = connection.execute(select(quota_limits).where(*_of(project_id)))
        return limits_of(self.defaults, {row.resource: row.maximum for row in rows})

    def _used(self, connection: Connection, project_id: str, names: Mapping[str, int]) -> dict[str, int]:
        return {name: self.counted[name].used(connection, project_id) if name in self.counted else 0 for name in names}

    def _require_enough(self, connection: Connection, project_id: str, limits: Mapping[str, int]) -> None:
        bounded = {name: limit for name, limit in limits.items() if limit > UNLIMITED}
        used = self._used(connection, project_id, bounded)
        name = too_low(bounded, used)
        if name is not None:
            raise LimitBelowUse(name, bounded[name], used[name])

    def _asked(self, body: Any) -> tuple[dict[str, int], bool]:
        if not isinstance(body, dict) or not isinstance(body.get("quota"), dict):
            raise HTTPBadRequest("Unable to find 'quota' in request body")
        asked = dict(body["quota"])
        force = asked.pop("force", None)
        # Use is checked anyway; the key is what clients sent when that was not yet the rule.
        asked.pop("check_limit", None)
        unknown = [name for name in asked if name not in self.defaults]
        if unknown:
            raise HTTPBadRequest(f"Unrecognized attribute(s) '{shown(', '.join(unknown))}'")
        return {name: _limit(name, value) for name, value in asked.items()}, bool(force and BOOLEAN.convert(force))


def _limit(name: str, value: Any) -> int:
    try:
        limit: int = _LIMIT.convert(value)
    except InvalidValue as refusal:
        raise refusal.of_attribute(name) from None
    return limit


def _of(project_id: str) -> tuple[Any, ...]:
    return (quota_limits.c.project_id == project_id,)


def require(context: Context, rule: str, project_id: str) -> None:
    """Refuse what the rule does not let the caller do to the quotas of a project. PolicyNotAuthorized."""
    if not may(context, rule, {"project_id": project_id}):
        raise PolicyNotAuthorized(f"rule:{rule}")


def _project_of(context: Context) -> str:
    if not context.project_id:
        raise QuotaMissingTenant()
    return context.project_id


def _journal(
    tx: Transaction, context: Context, project_id: str, operation: str, before: View, after: View | None
) -> None:
    tx.journal(
        resource="quota",
        resource_id=project_id[:36],
        project_id=project_id,
        request_id=context.request_id,
        operation=operation,
        before=before,
        after=after,
    )
