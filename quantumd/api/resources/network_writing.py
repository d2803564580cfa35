"""Writing that a network changed, for itself and for its segments that change it from outside."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from quantumd.api.resources.facts import forget_network
from quantumd.api.resources.network_values import SEGMENT_NAMES
from quantumd.api.resources.network_views import network_row, segment_columns
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.model.network import Segment, is_host_content
from quantumd.store.tables import networks
from quantumd.store.transaction import Transaction

_UPDATE = update(networks).where(networks.c.id == bindparam("wanted"))


def journal_network(
    tx: Transaction,
    context: Context,
    operation: str,
    network: View,
    before: View | None = None,
    after: View | None = None,
) -> int:
    """Write the journal row of a change of a network and return its position."""
    return tx.journal(
        resource="network",
        resource_id=network["id"],
        project_id=network["project_id"],
        request_id=context.request_id,
        operation=operation,
        before=before,
        after=after,
    )


def rewrite_network(tx: Transaction, context: Context, before: View, after: View, first: Segment | None = None) -> View:
    """Write what a network shows from now on as a new revision, and its journal row; return the new view.

    :param first: the network's first segment, when it has others than before: hosts may carry it by those.
    """
    after = {**after, "revision_number": before["revision_number"] + 1, "updated_at": tx.now}
    position = journal_network(tx, context, "update", after, before=before, after=after)
    changed = {name: value for name, value in after.items() if name not in SEGMENT_NAMES and before.get(name) != value}
    row = network_row(changed if first is None else {**changed, **segment_columns(first)})
    if is_host_content(row):
        row["record_version"] = position
    tx.connection.execute(_UPDATE.values(row), {"wanted": before["id"]})
    forget_network(tx, before["id"])
    return after
