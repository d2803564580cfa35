"""Whose resources a caller may change; what it may see is a matter of quantumd.store.scope."""

from __future__ import annotations

from quantumd.model.context import Context


def is_owner(context: Context, project_id: str) -> bool:
    """Whether the caller may change what belongs to the project: its own callers and administrators may."""
    return context.is_admin or context.project_id == project_id
