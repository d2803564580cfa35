"""Grants of what a project owns to others, as the resources that show ``shared`` read and write them.

What a caller finds and sorts by ``shared`` is what answers to this caller show. Which rows a caller may see by grants
is a matter of quantumd.store.scope; here is what is shown and changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from attrs import evolve
from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, insert, or_, select

from quantumd.api.resources.rows import Children, Rows
from quantumd.api.resources.views import IDS, View
from quantumd.model.context import Context
from quantumd.store.scope import EVERYBODY, granted
from quantumd.store.tables import rbac_entries
from quantumd.store.transaction import Transaction

ACCESS_AS_SHARED = "access_as_shared"
ACCESS_AS_EXTERNAL = "access_as_external"

_COLUMNS = rbac_entries.c
_GRANTED_AMONG = (
    select(_COLUMNS.object_id)
    .where(
        _COLUMNS.object_id.in_(IDS),
        _COLUMNS.action == bindparam("wanted_action"),
        _COLUMNS.target_project.in_(bindparam("targets", expanding=True)),
        _COLUMNS.object_type == bindparam("wanted_type"),
    )
    .distinct()
)
_ENTRY = select(rbac_entries).where(
    _COLUMNS.object_id == bindparam("wanted"),
    _COLUMNS.action == bindparam("wanted_action"),
    _COLUMNS.target_project == bindparam("target"),
    _COLUMNS.object_type == bindparam("wanted_type"),
)
_ENTRIES = select(rbac_entries).where(
    _COLUMNS.object_id == bindparam("wanted"), _COLUMNS.object_type == bindparam("wanted_type")
)
_REMOVE = delete(rbac_entries).where(_COLUMNS.id == bindparam("wanted"))


def seen_by(object_type: str) -> tuple[str, str]:
    """Return the key under which a transaction's cache holds what scopes see of these objects.

    Whoever keeps something under it takes it out when an object changes; changes of grants take it out too.
    """
    return ("seen", object_type)


def shared_with(
    connection: Connection,
    context: Context,
    object_type: str,
    ids: Sequence[str],
    action: str = ACCESS_AS_SHARED,
) -> set[str]:
    """Return those of the ids that are granted to the caller's project or to everybody, in one query.

    That a project owns an object, or that an administrator sees it, is no grant: ``shared`` is false for those.
    """
    if not ids:
        return set()
    targets = (EVERYBODY,) if context.project_id is None else (EVERYBODY, context.project_id)
    wanted = {"ids": ids, "targets": targets, "wanted_action": action, "wanted_type": object_type}
    return set(connection.execute(_GRANTED_AMONG, wanted).scalars())


def whether_shared(object_type: str) -> Children:
    """Return what adds ``shared`` to views: whether the object is granted to the caller's project."""

    def add(connection: Connection, context: Context, views: Mapping[str, View]) -> None:
        shared = shared_with(connection, context, object_type, list(views))
        for object_id, view in views.items():
            view["shared"] = object_id in shared

    return add


def found_by_sharing(rows: Rows, object_type: str, context: Context) -> Rows:
    """Return the rows as the caller can filter and sort them by ``shared``."""
    shared = rows.table.c.id.in_(granted(object_type, context.project_id))

    def condition(alternatives: tuple[Any, ...]) -> ColumnElement[bool]:
        return or_(*(shared if wanted else ~shared for wanted in set(alternatives)))

    return evolve(
        rows,
        special={**rows.special, "shared": condition},
        computed={**rows.computed, "shared": case((shared, 1), else_=0)},
    )


def is_granted(connection: Connection, object_type: str, object_id: str, target: str | None = EVERYBODY) -> bool:
    """Return whether the object is granted to this very target, by default everybody, as shared.

    That is what changes of ``shared`` are about: who sees something as shared may do so by a grant of its own.
    """
    keys = {"wanted": object_id, "wanted_action": ACCESS_AS_SHARED, "target": target, "wanted_type": object_type}
    return connection.execute(_ENTRY, keys).first() is not None


def set_shared(
    tx: Transaction,
    context: Context,
    object_type: str,
    object_id: str,
    project_id: str,
    is_shared: bool,
    action: str = ACCESS_AS_SHARED,
) -> bool:
    """Grant the object to everybody, or take that grant away; return whether anything changed.

    The caller has checked that it may, and that nobody depends on a grant that goes.

    :param project_id: the owner of the object, and so of the grant.
    """
    keys = {"wanted": object_id, "wanted_action": action, "target": EVERYBODY, "wanted_type": object_type}
    row = tx.connection.execute(_ENTRY, keys).first()
    if is_shared == (row is not None):
        return False
    if row is not None:
        _remove(tx, context, dict(row._mapping))
        return True
    entry = {
        # The entry of an object for everybody can only be there once, so its id follows from what it grants.
        "id": str(uuid5(UUID(object_id), f"{object_type}:{action}:{EVERYBODY}")),
        "project_id": project_id,
        "object_type": object_type,
        "object_id": object_id,
        "action": action,
        "target_project": EVERYBODY,
        "created_at": tx.now,
    }
    tx.cache.pop(seen_by(object_type), None)
    _journal(tx, context, "create", entry)
    tx.connection.execute(insert(rbac_entries), entry)
    return True


def forget_grants(
    tx: Transaction, context: Context, object_type: str, object_id: str, action: str | None = None
) -> None:
    """Remove every grant of an object, as when it goes, or only those of an action."""
    for row in tx.connection.execute(_ENTRIES, {"wanted": object_id, "wanted_type": object_type}).all():
        if action in (None, row.action):
            _remove(tx, context, dict(row._mapping))


def _remove(tx: Transaction, context: Context, entry: Mapping[str, Any]) -> None:
    tx.cache.pop(seen_by(entry["object_type"]), None)
    _journal(tx, context, "delete", entry)
    tx.connection.execute(_REMOVE, {"wanted": entry["id"]})


def _journal(tx: Transaction, context: Context, operation: str, entry: Mapping[str, Any]) -> None:
    view = shown_entry(entry)
    tx.journal(
        resource="rbac_policy",
        resource_id=view["id"],
        project_id=view["project_id"],
        request_id=context.request_id,
        operation=operation,
        before=view if operation == "delete" else None,
        after=view if operation == "create" else None,
    )


def shown_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of grants as the API shows it."""
    return {
        "id": entry["id"],
        "project_id": entry["project_id"],
        "object_type": entry["object_type"],
        "object_id": entry["object_id"],
        "action": entry["action"],
        "target_tenant": entry["target_project"],
    }
