"""Reading the journal, and the durable cursors of those who read it. Runs on the store's threads.

Positions are read in commit order: nobody who has read up to a position will later find a row below it, because changes
take turns (quantumd.store.databases.Session). A position may be missing: PostgreSQL and MariaDB do not hand out again
what a change that failed has taken.
"""

from __future__ import annotations

from attrs import frozen
from sqlalchemy import Connection, bindparam, case, delete, func, insert, or_, select, update

from quantumd.store.errors import LeaseLost
from quantumd.store.tables import cursors, journal


@frozen
class JournalRow:
    """One change. ``before`` and ``after`` are JSON text of what the API showed, or None.

    ``user_id`` and ``user_project_id`` are who asked for it, None when nobody did: a host reported something.
    """

    position: int
    at: str
    resource: str
    resource_id: str
    project_id: str
    request_id: str
    operation: str
    before: str | None
    after: str | None
    user_id: str | None = None
    user_project_id: str | None = None


@frozen
class Cursor:
    """How far a named consumer has come, and who holds its lease until when (UTC text)."""

    name: str
    position: int
    lease_holder: str | None
    lease_expires_at: str | None


_AFTER = (
    select(*(journal.c[name] for name in JournalRow.__annotations__))
    .where(journal.c.position > bindparam("after"))
    .order_by(journal.c.position)
    .limit(bindparam("row_limit"))
)
_LAST = select(func.max(journal.c.position))
_CURSORS = select(cursors.c.name, cursors.c.position, cursors.c.lease_holder, cursors.c.lease_expires_at)
_MINE = cursors.c.name == bindparam("cursor_name")


def read_after(connection: Connection, position: int, limit: int) -> tuple[JournalRow, ...]:
    """Return at most ``limit`` rows after a position, in commit order."""
    return tuple(JournalRow(*row) for row in connection.execute(_AFTER, {"after": position, "row_limit": limit}))


def last_position(connection: Connection) -> int:
    """Return the position of the newest row; 0 while there is none."""
    return int(connection.execute(_LAST).scalar() or 0)


def all_cursors(connection: Connection) -> tuple[Cursor, ...]:
    """Return every cursor, by name."""
    return tuple(Cursor(*row) for row in connection.execute(_CURSORS.order_by(cursors.c.name)))


def find_cursor(connection: Connection, name: str) -> Cursor | None:
    """Return a cursor, None when nobody has made it."""
    row = connection.execute(_CURSORS.where(_MINE), {"cursor_name": name}).first()
    return None if row is None else Cursor(*row)


def add_cursor(connection: Connection, name: str, position: int = 0) -> None:
    """Make a cursor unless it exists. From then on the journal keeps every row after it."""
    if find_cursor(connection, name) is None:
        connection.execute(insert(cursors), {"name": name, "position": position})


def drop_cursor(connection: Connection, name: str) -> None:
    """Forget the cursor of a consumer that is gone for good, so that it no longer holds the journal."""
    connection.execute(delete(cursors).where(_MINE), {"cursor_name": name})


def take_lease(connection: Connection, name: str, holder: str, now: str, expires_at: str) -> Cursor | None:
    """Take or renew the lease of a cursor and return the cursor; None while somebody else holds it.

    A holder takes its own lease again at once: under the same name a restarted process need not wait.
    """
    free = or_(
        cursors.c.lease_holder.is_(None),
        cursors.c.lease_holder == bindparam("holder"),
        cursors.c.lease_expires_at <= bindparam("now"),
    )
    taken = connection.execute(
        update(cursors)
        .where(_MINE, free)
        .values(lease_holder=bindparam("holder"), lease_expires_at=bindparam("until")),
        {"cursor_name": name, "holder": holder, "now": now, "until": expires_at},
    )
    return find_cursor(connection, name) if taken.rowcount else None


def advance(connection: Connection, name: str, holder: str, position: int, expires_at: str) -> None:
    """Move a cursor forward (never back) and renew its lease.

    :raises LeaseLost: somebody else has taken the lease since.
    """
    moved = connection.execute(
        update(cursors)
        .where(_MINE, cursors.c.lease_holder == bindparam("holder"))
        .values(
            position=case((cursors.c.position < bindparam("reached"), bindparam("reached")), else_=cursors.c.position),
            lease_expires_at=bindparam("until"),
        ),
        {"cursor_name": name, "holder": holder, "reached": position, "until": expires_at},
    )
    if not moved.rowcount:
        raise LeaseLost(name)


def release_lease(connection: Connection, name: str, holder: str) -> None:
    """Give a lease back, if it is still ours."""
    connection.execute(
        update(cursors)
        .where(_MINE, cursors.c.lease_holder == bindparam("holder"))
        .values(lease_holder=None, lease_expires_at=None),
        {"cursor_name": name, "holder": holder},
    )
