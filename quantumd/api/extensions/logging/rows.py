"""Rows of logs, and what becomes of them when what they log goes."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from quantumd.api.extensions.logging.errors import LogResourceNotFound
from quantumd.api.resources.prepared import Prepared
from quantumd.api.resources.rows import Rows, of_project
from quantumd.model.context import Context
from quantumd.store.tables.security import logs
from quantumd.store.transaction import Transaction

LOGS = Rows("log", logs, LogResourceNotFound, of_project(logs))

_OF_GROUP = select(logs.c.id).where(logs.c.resource_id == bindparam("wanted"))
_OF_PORT = Prepared(select(logs.c.id).where(logs.c.target_id == bindparam("wanted")))


def forget_logs_of_group(tx: Transaction, context: Context, group_id: str) -> None:
    """Remove the logs of a security group, before it goes."""
    found = tx.connection.execute(_OF_GROUP, {"wanted": group_id}).scalars().all()
    _remove(tx, context, list(found))


def forget_logs_of_port(tx: Transaction, context: Context, port_id: str) -> None:
    """Remove the logs of a port, before it goes."""
    _remove(tx, context, [row[0] for row in _OF_PORT.rows(tx, {"wanted": port_id})])


def _remove(tx: Transaction, context: Context, log_ids: list[str]) -> None:
    if log_ids:
        for view in LOGS.views(tx.connection, context, log_ids):
            LOGS.remove(tx, context, view)
