"""Adding to what is kept count of, on a server; SQLite has a statement of its own for it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, update

from quantumd.store.tables.tallies import tallies

_ADD = (
    update(tallies)
    .where(tallies.c.project_id == bindparam("project"), tallies.c.resource == bindparam("of"))
    .values(number=tallies.c.number + bindparam("step"))
)
_FIRST = insert(tallies)


def add_up(connection: Connection, project_id: str, resource: str, step: int) -> None:
    """Add to the number of what a project has of a resource. Whoever writes is alone, so nobody comes in between."""
    found = connection.execute(_ADD, {"project": project_id, "of": resource, "step": step})
    if found.rowcount == 0:
        connection.execute(_FIRST, {"project_id": project_id, "resource": resource, "number": step})
