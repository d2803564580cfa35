"""Operations on resources that are kept as rows: what all of them do alike."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.resource import IOperations, Query
from quantumd.api.resources.rows import Rows
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction


@implementer(IOperations)
@frozen
class KeptAsRows:
    """Makes one after the other, and changes, deletes, shows and lists what its ``rows`` hold.

    Children name the rows, say how one is made, and override what has rules of its own. What a resource has not among
    its verbs no request asks for.
    """

    rows: ClassVar[Rows]

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations. Errors are those of ``make``."""
        return [self.make(tx, context, body) for body in bodies]

    def make(self, tx: Transaction, context: Context, body: Mapping[str, Any]) -> View:
        """Make one of those that a request asks for, and return its view. ApiError."""
        raise NotImplementedError

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations."""
        return self.rows.change(tx, context, self.rows.show(tx.connection, context, resource_id), changes)

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations."""
        self.rows.remove(tx, context, self.rows.show(tx.connection, context, resource_id))

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        return self.rows.show(connection, context, resource_id)

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        return self.rows.list(connection, context, query)
