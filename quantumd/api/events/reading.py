"""Reading the journal for streams. What a scope may see is decided in SQL. Runs on the store's threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, select

from quantumd.model.context import Scope
from quantumd.store.journal import JournalRow
from quantumd.store.tables import journal

WINDOW_ROWS: Final = 2000
"""How many rows of the journal one read for one stream looks over."""

PAGE_ROWS: Final = 100
"""How many rows it returns at most."""

LIVE_ROWS: Final = 200
"""How many rows one read for all streams looks over."""

_COLUMNS: Final = tuple(journal.c[name] for name in JournalRow.__annotations__)
_ENDS: Final = select(func.min(journal.c.position), func.max(journal.c.position))
_AFTER: Final = journal.c.position > bindparam("after")
_WINDOW: Final = (
    select(journal.c.position).where(_AFTER).order_by(journal.c.position).limit(bindparam("window_rows")).subquery()
)
_WINDOW_END: Final = select(func.max(_WINDOW.c.position))
_OF_PROJECTS: Final = journal.c.project_id.in_(bindparam("projects", expanding=True))


def _rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .where(_AFTER, journal.c.position <= bindparam("up_to"), *conditions)
        .order_by(journal.c.position)
        .limit(bindparam("row_limit"))
    )


_EVERY_ROW: Final = _rows()
_ROWS_OF_PROJECTS: Final = _rows(_OF_PROJECTS)


@frozen
class Ends:
    """The oldest and the newest position that the journal holds; both 0 while it holds none."""

    first: int
    last: int

    def reach(self, position: int) -> bool:
        """Whether everything after the position is there. A position that is yet to come is another journal's."""
        return self.first - 1 <= position <= self.last


@frozen
class Page:
    """What one read for one stream found: the rows of its scope after a position and up to ``up_to``.

    ``is_complete``: nothing after the position was missing. When something was there are no rows, and ``up_to`` is the
    newest position.
    """

    rows: tuple[JournalRow, ...]
    up_to: int
    is_complete: bool = True


@frozen
class News:
    """What one read for all streams found up to ``up_to``.

    ``everything`` is for those who may see all, ``by_project`` for others; ``is_whole``: nothing newer was there.
    """

    up_to: int
    is_whole: bool
    everything: tuple[JournalRow, ...]
    by_project: Mapping[str, list[JournalRow]]


def read_ends(connection: Connection) -> Ends:
    """Return how far the journal reaches."""
    first, last = connection.execute(_ENDS).one()
    return Ends(int(first or 0), int(last or 0))


def read_page(connection: Connection, scope: Scope, after: int) -> Page:
    """Return the next rows of a scope after a position; none with ``up_to`` the position itself: there are none."""
    ends = read_ends(connection)
    if not ends.reach(after):
        return Page((), ends.last, is_complete=False)
    up_to = _window_end(connection, after, WINDOW_ROWS)
    if scope.is_everything:
        rows = _found(connection, _EVERY_ROW, after, up_to, PAGE_ROWS)
    else:
        rows = _found(connection, _ROWS_OF_PROJECTS, after, up_to, PAGE_ROWS, projects=[scope.project_id])
    return Page(rows, rows[-1].position if len(rows) == PAGE_ROWS else up_to)


def read_news(connection: Connection, after: int, projects: Collection[str], is_everything: bool) -> News:
    """Return the next rows for everybody who listens: those of the projects, and all of them if somebody may."""
    up_to = _window_end(connection, after, LIVE_ROWS)
    is_whole = up_to == after
    if is_whole:
        return News(up_to, is_whole, (), {})
    everything = _found(connection, _EVERY_ROW, after, up_to, LIVE_ROWS) if is_everything else ()
    by_project: dict[str, list[JournalRow]] = {}
    if projects:
        for row in _found(connection, _ROWS_OF_PROJECTS, after, up_to, LIVE_ROWS, projects=sorted(projects)):
            by_project.setdefault(row.project_id, []).append(row)
    return News(up_to, is_whole, everything, by_project)


def _window_end(connection: Connection, after: int, rows: int) -> int:
    return int(connection.execute(_WINDOW_END, {"after": after, "window_rows": rows}).scalar() or after)


def _found(
    connection: Connection, statement: Select[Any], after: int, up_to: int, limit: int, **more: Any
) -> tuple[JournalRow, ...]:
    given = {"after": after, "up_to": up_to, "row_limit": limit, **more}
    return tuple(JournalRow(*row) for row in connection.execute(statement, given))
