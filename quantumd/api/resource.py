"""What a resource is to the API: its names, its attribute map, and its operations on the store.

Operations run on the store's threads, inside one transaction; values and errors travel back to the reactor thread.
Mechanics (paths, bodies, validation by the attribute map, policy of attributes, ``tenant_id``, ``fields``) are done
before and after by the API application: operations see converted values only, ``project_id`` always present on create.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from zope.interface import Interface

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from quantumd.api.attributes import Attribute
    from quantumd.model.context import Context
    from quantumd.store.transaction import Transaction


@frozen
class Query:
    """A list request: ``filters`` are (attribute name, alternatives): OR inside, AND between.

    ``fields`` are the attribute names that the caller wants (empty: all); operations may leave out work for others.
    """

    filters: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    fields: frozenset[str] = frozenset()


class IOperations(Interface):
    """What can be done to the resources of one collection. Views are plain dicts of every visible attribute."""

    def create(tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Create all or none and return the views, in order. ApiError."""

    def update(tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change one and return its view. ApiError; NotFound also for what the context may not see."""

    def delete(tx: Transaction, context: Context, resource_id: str) -> None:
        """Delete one. ApiError; NotFound also for what the context may not see."""

    def show(connection: Connection, context: Context, resource_id: str) -> dict[str, Any]:
        """Return the view of one. NotFound (the resource's own class) when there is none in the context's scope."""

    def list(connection: Connection, context: Context, query: Query) -> Iterator[list[dict[str, Any]]]:
        """Yield views in batches (about 500), oldest first, ties by id; rows outside the scope stay in the database."""


@frozen
class Resource:
    """A collection of the API: ``member`` is the key of one (``network``), ``collection`` of many (``networks``)."""

    member: str
    collection: str
    attributes: tuple[Attribute, ...]
    operations: IOperations
    not_found: type[Exception]
