"""How many of a resource a project has: counted by the index on its project, and no further than the limit.

Within a commit that carries several changes a count is kept, and what is admitted is added to it. When a change is
undone the transaction forgets all that was kept, this too. Whoever makes or removes what quotas count in another way
than by a create request calls ``forget_count``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen
from sqlalchemy import Connection, Table, bindparam, func, literal_column, select

from quantumd.api.resources.prepared import Prepared
from quantumd.store.tables import metadata
from quantumd.store.tables.services import quota_limits
from quantumd.store.transaction import Transaction

_TABLES = {"rbac_policy": "rbac_entries", "subnetpool": "subnet_pools"}
"""Tables whose name is not the quota's with an s."""

_LIMITS = Prepared(
    select(quota_limits.c.resource, quota_limits.c.maximum).where(quota_limits.c.project_id == bindparam("project"))
)


@frozen
class Countable:
    """What a quota counts: the rows of a table that are of a project."""

    table: Table
    bounded: Prepared

    def used(self, connection: Connection, project_id: str) -> int:
        """Return how many there are, all of them counted."""
        statement = select(func.count()).select_from(self.table).where(self.table.c.project_id == project_id)
        return int(connection.execute(statement).scalar_one())

    def used_up_to(self, tx: Transaction, project_id: str, most: int) -> int:
        """Return how many there are, counting no further than ``most``."""
        return int(self.bounded.rows(tx, {"project": project_id, "most": most})[0][0])


def countable(table: Table) -> Countable:
    """Make a table ready to be counted."""
    some = select(literal_column("1").label("one")).where(table.c.project_id == bindparam("project"))
    # SQLAlchemy gives SQLite an offset anyway, as a value that nobody named.
    counted = some.limit(bindparam("most")).offset(literal_column("0")).subquery("counted")
    return Countable(table, Prepared(select(func.count()).select_from(counted)))


def countables(names: Iterable[str]) -> Mapping[str, Countable]:
    """Return what each quota counts; a quota whose resource has no table of its own counts nothing and is left out."""
    found = ((name, metadata.tables.get(_TABLES.get(name, f"{name}s"))) for name in names)
    return {name: countable(table) for name, table in found if table is not None and "project_id" in table.c}


def own_limits(tx: Transaction, project_id: str) -> Mapping[str, int]:
    """Return the project's limits that are not the defaults, read at most once a commit."""
    key = ("quota limits", project_id)
    if key not in tx.cache:
        tx.cache[key] = dict(_LIMITS.rows(tx, {"project": project_id}))
    limits: Mapping[str, int] = tx.cache[key]
    return limits


def forget_limits(tx: Transaction, project_id: str) -> None:
    """Drop what is kept of a project's limits; called by whoever writes them."""
    tx.cache.pop(("quota limits", project_id), None)


def kept_count(tx: Transaction, name: str, project_id: str) -> int | None:
    """Return the count that is kept in this commit; None when there is none."""
    return tx.cache.get(("quota count", name, project_id))


def keep_count(tx: Transaction, name: str, project_id: str, used: int) -> None:
    """Keep a count for the next change of this commit."""
    tx.cache["quota count", name, project_id] = used


def forget_count(tx: Transaction, name: str, project_id: str) -> None:
    """Drop the count that is kept: something was made that no create request asked for."""
    tx.cache.pop(("quota count", name, project_id), None)
