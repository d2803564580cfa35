"""Metering labels: names under which traffic of a project's routers is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from quantumd.api.extensions.metering.errors import MeteringLabelNotFound
from quantumd.api.resources.chance import Chance
from quantumd.api.resources.kept import KeptAsRows
from quantumd.api.resources.rows import Rows, of_project
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.tables.metering import metering_labels
from quantumd.store.transaction import Transaction

_GIVEN = ("name", "description", "project_id", "shared")

LABELS = Rows(
    "metering_label",
    metering_labels,
    MeteringLabelNotFound,
    of_project(metering_labels),
    hidden=frozenset({"created_at"}),
)


@frozen
class Labels(KeptAsRows):
    """Operations on metering labels. One stays what it is; its rules go with it."""

    rows: ClassVar = LABELS
    chance: Chance

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """See KeptAsRows."""
        view = {"id": self.chance.new_id(), **{name: body[name] for name in _GIVEN}}
        LABELS.insert(tx, context, {**view, "created_at": tx.now})
        return view
