"""Who asks, and what of a query they may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

from attrs import Factory, evolve, field, frozen

NO_PROJECT: Final = "(none)"
"""The project of callers who have none; no project has this id."""

OWN: Final = "own"
"""Rows of the caller's project."""
SHARED: Final = "shared"
"""Rows that are shared with it."""
EXTERNAL: Final = "external"
"""Networks that are external for it, and what is on them."""
PARENT: Final = "parent"
"""Rows inside what the project owns: ports on its networks."""
GRANTS: Final = frozenset({OWN, SHARED, EXTERNAL, PARENT})


@frozen
class Scope:
    """What of a query may be seen; the store turns it into SQL, nothing is filtered afterwards.

    ``project_id`` of ``None`` means every row; otherwise the rows that ``grants`` name, which may be none.
    """

    project_id: str | None
    grants: frozenset[str] = GRANTS

    @property
    def is_everything(self) -> bool:
        """Whether every row may be seen."""
        return self.project_id is None


class IPolicy(Protocol):
    """The rules that a context is bound to."""

    def scope(self, context: Context, resource: str) -> Scope:
        """Return what of a resource the caller may see."""

    def decide(self, rule: str, context: Context, target: Callable[[str], Any]) -> bool | None:
        """Return whether the rule lets the caller pass; None when that depends on what is not known of the target."""


def _has_admin(context: Any) -> bool:
    return "admin" in context.roles


Caller: TypeAlias = tuple[str | None, str | None, frozenset[str], str | None, frozenset[str], bool]
"""User, project, roles, system scope, roles of the service that asks for the user, and whether an administrator."""


@frozen
class Context:
    """Who asks: immutable, made once a request from its identity, passed to everything the request does.

    ``policy`` are the rules that it is bound to; without any, as in the service's own work, everything of the caller's
    project and what is shared with it is seen. ``is_admin``: whether the caller may see and change what belongs to
    other projects.
    """

    request_id: str
    user_id: str | None = None
    project_id: str | None = None
    roles: frozenset[str] = frozenset()
    system_scope: str | None = None
    global_request_id: str | None = None
    service_roles: frozenset[str] = frozenset()
    policy: IPolicy | None = field(default=None, eq=False, repr=False)
    is_admin: bool = Factory(_has_admin, takes_self=True)

    @property
    def elevated(self) -> Context:
        """The same caller as administrator, for what the service does by itself on the caller's behalf."""
        return evolve(self, roles=self.roles | {"admin"}, is_admin=True)

    @property
    def caller(self) -> Caller:
        """All of who asks that rules can be about: the same for each of a caller's requests."""
        return self.user_id, self.project_id, self.roles, self.system_scope, self.service_roles, self.is_admin

    def bound_to(self, policy: IPolicy, is_admin: bool) -> Context:
        """The same caller by these rules, written out: attrs.evolve takes five times as long, for every request."""
        return Context(
            self.request_id,
            self.user_id,
            self.project_id,
            self.roles,
            self.system_scope,
            self.global_request_id,
            self.service_roles,
            policy,
            is_admin,
        )

    @property
    def scope(self) -> Scope:
        """The rows the caller may see. A caller with no project and no admin role sees what everybody sees.

        Rows of project '' are those of administrators who are in none, and nobody else's.
        """
        return Scope(None) if self.is_admin else Scope(self.project_id or NO_PROJECT)

    def scope_of(self, resource: str) -> Scope:
        """The rows of a resource, named by its member, that the caller may see by the rules."""
        return self.scope if self.policy is None else self.policy.scope(self, resource)
