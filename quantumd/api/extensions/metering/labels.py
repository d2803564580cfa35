"""Metering labels: names under which traffic of a project's routers is counted."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.errors import HTTPMethodNotAllowed
from quantumd.api.extensions.metering.errors import MeteringLabelNotFound
from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.chance import Chance
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


@implementer(IOperations)
@frozen
class Labels:
    """Operations on metering labels."""

    chance: Chance

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations."""
        return [self._create(tx, context, body) for body in bodies]

    def _create(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        view = {"id": self.chance.new_id(), **{name: body[name] for name in _GIVEN}}
        LABELS.insert(tx, context, {**view, "created_at": tx.now})
        return view

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations; not served: a label stays what it is."""
        raise HTTPMethodNotAllowed("PUT", ("GET", "DELETE"))

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations. Its rules go with it."""
        before = LABELS.show(tx.connection, context, resource_id)
        LABELS.remove(tx, context, before)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return LABELS.show(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        return LABELS.list(connection, context, query)
