"""What a change may use inside its savepoint."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection


class Transaction(Protocol):
    """One change's share of a write transaction. ``now`` is UTC text as the tables keep it."""

    connection: Connection
    now: str

    def journal(
        self,
        *,
        resource: str,
        resource_id: str,
        project_id: str,
        request_id: str,
        operation: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> int:
        """Append to the journal and return the position, which is also the version of records this change touches."""

    def savepoint(self) -> AbstractContextManager[None]:
        """A savepoint inside the change: an error inside undoes only what is inside, and flies on."""
