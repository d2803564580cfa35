"""What a change may use inside its savepoint."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection

from quantumd.store.engine import raw_connection

# Written out: each change runs these, and sqlite3 alone takes a quarter of the time that SQLAlchemy's layer adds.
_APPEND = (
    'INSERT INTO journal (at, resource, resource_id, project_id, request_id, operation, "before", "after")'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class Transaction:
    """One change's share of a write transaction. ``now`` is UTC text as the tables keep it.

    ``cache`` is for what several changes committed together would each read (a network and its subnets, say). It is
    empty at the start of each commit, and emptied whenever a savepoint is undone, because what it holds may have been
    read after the change that was undone. A change that writes what may be in it removes the entry.
    """

    __slots__ = ("_raw", "cache", "connection", "now", "position")

    def __init__(self, connection: Connection, now: str) -> None:
        self.connection = connection
        self.now = now
        self.cache: dict[Hashable, Any] = {}
        self.position = 0
        """The position of the last journal row written in this transaction; 0 while there is none."""
        self._raw = raw_connection(connection)

    @property
    def is_open(self) -> bool:
        """Whether the database still has the transaction; after a full disk, say, it has ended it by itself."""
        return self._raw.in_transaction

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

        ``before`` and ``after`` are kept as JSON text; the caller leaves secrets out.
        """
        row = (self.now, resource, resource_id, project_id, request_id, operation, _text(before), _text(after))
        position = self._raw.execute(_APPEND, row).lastrowid
        if position is None:
            raise TypeError("an insert into the journal gave no position")
        self.position = position
        return position

    def lock(self, name: str) -> None:
        """Keep out, until this transaction ends, every other one that locks the same name.

        For what must be counted before it grows (a quota), in whichever process. SQLite has one writer: nothing to do.
        """

    def savepoint(self) -> AbstractContextManager[None]:
        """A savepoint inside the change: an error inside undoes only what is inside, and flies on."""
        return self._savepoint()

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        position = self.position
        # Names may repeat: ROLLBACK TO and RELEASE take the innermost of the name (sqlite.org/lang_savepoint.html).
        self._raw.execute("SAVEPOINT q")
        try:
            yield
        except BaseException:
            self._undo(position)
            raise
        self._raw.execute("RELEASE q")

    def _undo(self, position: int) -> None:
        self.cache.clear()
        self.position = position
        # After an error such as a full disk SQLite has ended the whole transaction, and there is nothing left to undo.
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK TO q")
            self._raw.execute("RELEASE q")


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
