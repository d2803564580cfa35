"""Who may see and set what. Today two rules exist; a policy file will name more of them."""

from __future__ import annotations

from quantumd.model.context import Context

ANY = "any"
"""Whoever may see or change the resource."""
ADMIN = "admin"
"""Callers with the admin role."""

RULES = frozenset({ANY, ADMIN})

WRITERS = frozenset({"member", "manager"})
"""Roles in a project that let a caller change what is the project's; readers and callers without a role only look."""


def allows(rule: str, context: Context) -> bool:
    """Return whether the caller passes the rule, one of ``RULES``; a rule of another name lets nobody pass."""
    return rule == ANY or (rule == ADMIN and context.is_admin)


def may_write(context: Context) -> bool:
    """Return whether the caller may change anything at all: administrators, and members of a project, may."""
    return context.is_admin or (bool(context.project_id) and not WRITERS.isdisjoint(context.roles))


def expression(action: str, names: tuple[str, ...]) -> str:
    """Return the policy expression of an action that touches the named attributes, as refusals show it."""
    text = f"rule:{action}"
    for name in names:
        text = f"({text} and rule:{action}:{name})"
    return text
