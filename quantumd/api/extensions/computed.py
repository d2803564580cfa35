"""Short lists that no table holds, as the zones that agents are in: read whole, then searched here.

They hold what everybody may see, so nothing of a scope is left to filter.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection
from zope.interface import implementer

from quantumd.api.errors import HTTPMethodNotAllowed, UnknownMarker
from quantumd.api.resource import IOperations, Page, Query
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction

View = dict[str, Any]
Read = Callable[[Connection, Context, Query], list[View]]


@implementer(IOperations)
@frozen
class Computed:
    """Operations on a list that ``read`` returns; ``key`` is the attribute that names one.

    ``flags`` are filters that ``read`` obeys itself.
    """

    read: Read
    not_found: Callable[[str], ApiError]
    key: str = "name"
    flags: frozenset[str] = frozenset()

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        filters = [(name, wanted) for name, wanted in query.filters if name not in self.flags]
        views = [
            view
            for view in self.read(connection, context, query)
            if all(view[name] in alternatives for name, alternatives in filters)
        ]
        for sort in reversed(query.sorts):
            views.sort(key=lambda view, name=sort.name: view[name], reverse=sort.is_descending)  # type: ignore[misc]
        yield self._page(views, query.page)

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        for view in self.read(connection, context, Query()):
            if view[self.key] == resource_id:
                return view
        raise self.not_found(resource_id)

    def _page(self, views: builtins.list[View], page: Page) -> builtins.list[View]:
        if page.limit is None:
            return views
        views = views[::-1] if page.is_reverse else views
        if page.marker is not None:
            keys = [view[self.key] for view in views]
            if page.marker not in keys:
                raise UnknownMarker(page.marker)
            views = views[keys.index(page.marker) + 1 :]
        views = views[: page.limit]
        return views[::-1] if page.is_reverse else views

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> builtins.list[View]:
        """See IOperations; not served."""
        raise HTTPMethodNotAllowed("POST", ("GET",))

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations; not served."""
        raise HTTPMethodNotAllowed("PUT", ("GET",))

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations; not served."""
        raise HTTPMethodNotAllowed("DELETE", ("GET",))
