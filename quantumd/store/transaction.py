"""What a change may use inside its savepoint."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection

from quantumd.model.context import Context
from quantumd.store.engine import session_of
from quantumd.store.tables.tallies import TALLIED

_STEPS = {"create": 1, "delete": -1}

T = TypeVar("T")


class Transaction:
    """One change's share of a write transaction. ``now`` is UTC text as the tables keep it.

    ``cache`` is for what several changes committed together would each read (a network and its subnets, say). It is
    empty at the start of each commit, and emptied whenever a savepoint is undone, because what it holds may have been
    read after the change that was undone. A change that writes what may be in it removes the entry.
    """

    __slots__ = ("_depth", "_session", "_steps", "asker", "cache", "connection", "now", "position")

    def __init__(self, connection: Connection, now: str) -> None:
        self.connection = connection
        self.now = now
        self.cache: dict[Hashable, Any] = {}
        self.position = 0
        """The position of the last journal row written in this transaction; 0 while there is none."""
        self.asker: Context | None = None
        """Who asked for the change, as the journal names them; None when nobody did. See ``asked_by``."""
        self._session = session_of(connection)
        self._depth = 0
        self._steps: dict[tuple[str, str], int] = {}

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
        """Append to the journal and return the position, which is also the version of records this change touches.

        ``before`` and ``after`` are kept as JSON text; the caller leaves secrets out. Who asked is ``asker``.
        """
        asker = self.asker
        who = (None, None) if asker is None else (asker.user_id, asker.project_id)
        row = (self.now, resource, resource_id, project_id, request_id, operation, _text(before), _text(after), *who)
        self.position = self._session.append(row)
        if resource in TALLIED and operation in _STEPS:
            self.tally(resource, project_id, _STEPS[operation])
        return self.position

    def tally(self, resource: str, project_id: str, step: int) -> None:
        """Add to how many of a resource a project has. The journal does; say it for what is counted anew."""
        key = project_id, resource
        self._steps[key] = self._steps.get(key, 0) + step

    def untold(self, resource: str, project_id: str) -> int:
        """Return what is to be added to the table of tallies, which is written when all changes have been done."""
        return self._steps.get((project_id, resource), 0)

    def write_tallies(self) -> None:
        """Write what was added up; called once, before the commit."""
        for (project_id, resource), step in self._steps.items():
            if step:
                self._session.add_up(project_id, resource, step)
        self._steps = {}

    def lock(self, name: str) -> None:
        """Keep out, until this transaction ends, every other one that locks the same name.

        For what must be counted before it grows (a quota), in whichever process. Changes take turns, so there is
        nothing to do: see quantumd.store.databases.Session. Say the name nevertheless; it tells the reader what must
        not happen twice at a time.
        """

    def savepoint(self) -> AbstractContextManager[None]:
        """A savepoint inside the change: an error inside undoes only what is inside, and flies on."""
        return self._savepoint()

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        position, depth, steps = self.position, self._depth + 1, dict(self._steps)
        self._session.save(depth)
        self._depth = depth
        try:
            yield
            # An error that was caught without a savepoint may have left nothing that can be kept.
            self._session.keep(depth)
        except BaseException:
            self._steps = steps
            self._undo(position, depth)
            raise
        finally:
            self._depth = depth - 1

    def _undo(self, position: int, depth: int) -> None:
        self.cache.clear()
        self.position = position
        # After an error such as a full disk the database may have ended the whole transaction: nothing is left to undo.
        if self._session.is_open:
            self._session.undo(depth)


def asked_by(context: Context, work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    """Return the change as one that this caller asked for."""

    def asked(transaction: Transaction) -> T:
        transaction.asker = context
        try:
            return work(transaction)
        finally:
            # The next change of the same commit is somebody else's.
            transaction.asker = None

    return asked


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
