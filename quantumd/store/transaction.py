"""What a change may use inside its savepoint."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection

from quantumd.model.context import Context
from quantumd.store.engine import session_of

T = TypeVar("T")


class Transaction:
    """One change's share of a write transaction. ``now`` is UTC text as the tables keep it.

    ``cache`` is for what several changes committed together would each read (a network and its subnets, say). It is
    empty at the start of each commit, and emptied whenever a savepoint is undone, because what it holds may have been
    read after the change that was undone. A change that writes what may be in it removes the entry.
    """

    __slots__ = ("_depth", "_session", "asker", "cache", "connection", "now", "position")

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
        return self.position

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
        position, depth = self.position, self._depth + 1
        self._session.save(depth)
        self._depth = depth
        try:
            yield
            # An error that was caught without a savepoint may have left nothing that can be kept.
            self._session.keep(depth)
        except BaseException:
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
