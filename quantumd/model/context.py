"""Who asks, and what of a query they may see."""

from __future__ import annotations

from typing import Final

from attrs import frozen

NO_PROJECT: Final = "(none)"
"""The project of callers who have none; no project has this id."""


@frozen
class Scope:
    """What of a query may be seen; the store turns it into SQL, nothing is filtered afterwards.

    ``project_id`` of ``None`` means every row; otherwise the rows of that project and those shared with it.
    """

    project_id: str | None

    @property
    def is_everything(self) -> bool:
        """Whether every row may be seen."""
        return self.project_id is None


@frozen
class Context:
    """Who asks: immutable, made once a request from its identity, passed to everything the request does."""

    request_id: str
    user_id: str | None = None
    project_id: str | None = None
    roles: frozenset[str] = frozenset()
    system_scope: str | None = None
    global_request_id: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether the caller may see and change what belongs to other projects."""
        return "admin" in self.roles

    @property
    def scope(self) -> Scope:
        """The rows the caller may see. A caller with no project and no admin role sees what everybody sees.

        Rows of project '' are those of administrators who are in none, and nobody else's.
        """
        return Scope(None) if self.is_admin else Scope(self.project_id or NO_PROJECT)
