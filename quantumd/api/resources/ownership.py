"""Whose resources a caller may change; what it may see is a matter of quantumd.store.scope."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Table, select

from quantumd.model.context import Context


def is_owner(context: Context, project_id: str) -> bool:
    """Whether the caller may change what belongs to the project: its own callers and administrators may."""
    return context.is_admin or context.project_id == project_id


def owner_in(table: Table) -> Callable[[Connection, str], str | None]:
    """Return what finds out whose a row of the table is; None for a row that is not there."""

    def owner(connection: Connection, resource_id: str) -> str | None:
        found: str | None = connection.execute(select(table.c.project_id).where(table.c.id == resource_id)).scalar()
        return found

    return owner
