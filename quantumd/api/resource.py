"""What a resource is to the API: its names, its attribute map, and its operations on the store.

Operations run on the store's threads, inside one transaction; values and errors travel back to the reactor thread.
Mechanics (paths, bodies, validation by the attribute map, policy of attributes, ``tenant_id``, ``fields``) are done
before and after by the API application: operations see converted values only, ``project_id`` always present on create.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import Factory, field, frozen
from zope.interface import Interface

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from quantumd.api.attributes import Attribute
    from quantumd.model.context import Context
    from quantumd.store.transaction import Transaction


@frozen
class Sort:
    """One key of an order: the attribute's name and its direction."""

    name: str
    is_descending: bool = False


@frozen
class Page:
    """A part of a list: at most ``limit`` rows after the row whose id is ``marker`` (before it when reversed)."""

    limit: int | None = None
    marker: Any = None
    is_reverse: bool = False


@frozen
class TagFilter:
    """Tags that rows must all have, have one of, and the two negated: ``tags``, ``tags-any``, ``not-tags`` …"""

    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    not_every: tuple[str, ...] = ()
    not_some: tuple[str, ...] = ()


@frozen
class Query:
    """A list request: ``filters`` are (attribute name, alternatives): OR inside, AND between.

    ``fields`` are the attribute names that the caller wants (empty: all); operations may leave out work for others.
    ``changed_since`` is UTC text as the tables keep it. Operations pass the query on to ``matching_ids``, which obeys
    all of it.
    """

    filters: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    fields: frozenset[str] = frozenset()
    sorts: tuple[Sort, ...] = ()
    page: Page = Page()
    tags: TagFilter = TagFilter()
    changed_since: str | None = None


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


class INestedOperations(Interface):
    """The operations of a resource that lives inside another one, as a rule inside a policy."""

    def under(parent_id: str) -> IOperations:
        """Return the operations on what is inside the parent. Those refuse a parent that the caller may not see."""


EVERY_VERB = frozenset({"create", "list", "show", "update", "delete"})


@frozen
class Resource:
    """A collection of the API: ``member`` is the key of one (``network``), ``collection`` of many (``networks``).

    ``path`` is its path below ``/v2.0`` when that is not the collection's name; for a nested resource it holds
    ``<parent_id>`` and ``operations`` are INestedOperations. ``verbs`` are those that are served. Its rules are
    named after ``ruled_as`` (``create_port``); ``owner_above`` returns the project of what it is in, given the id
    of that, or its own id when it is not nested. ``is_taggable``: whether it has ``/tags``. ``quota`` names the
    quota that bounds how many a project has. ``extension`` is the alias that brings it; None for the core.
    ``before_list`` is asked before a list, on a reader, and returns what must be written first (a project's default
    security group); None when nothing must. ``table`` is where it is kept, with the revision number that grows when
    its tags change. ``cascade`` deletes one with all that hangs on it, as the operation ``delete`` deletes one alone;
    None when that cannot be asked. ``journal_name`` is what the journal calls it, when that is not the key of one.
    """

    member: str
    collection: str
    attributes: tuple[Attribute, ...]
    operations: Any
    not_found: type[Exception]
    path: str = field(default=Factory(lambda self: self.collection, takes_self=True))
    verbs: frozenset[str] = EVERY_VERB
    ruled_as: str = field(default=Factory(lambda self: self.member, takes_self=True))
    owner_above: Callable[[Connection, str], str | None] | None = None
    is_taggable: bool = False
    quota: str | None = None
    extension: str | None = None
    before_list: Callable[[Connection, Context, Query], Callable[[Transaction], Any] | None] | None = None
    table: Table | None = None
    cascade: Callable[[Transaction, Context, str], None] | None = None
    journal_name: str = field(default=Factory(lambda self: self.member, takes_self=True))

    @property
    def is_nested(self) -> bool:
        """Whether it lives inside another resource."""
        return "<parent_id>" in self.path

    @property
    def has_project(self) -> bool:
        """Whether each belongs to a project."""
        return any(attribute.name == "project_id" for attribute in self.attributes)


@frozen
class Action:
    """A request beside the verbs of a resource, as ``PUT /v2.0/trunks/<resource_id>/add_subports``.

    ``path`` is below ``/v2.0`` and names its parts in angle brackets. ``operation(tx or connection, context, parts,
    body)`` runs on a thread of the store: with a Transaction when ``writes``, else with a Connection. It gets the
    decoded JSON body (None when there is none), checks it itself, and returns what is answered as JSON; None is
    answered by 204, or by ``null`` when ``status`` is another than 200. ``query`` actions (GET) get the decoded query
    parameters as ``body``: a list of (key, text). ``rule`` names the rule that is asked first, about the resource whose
    path this one continues; the operation itself asks when ``asks_itself``, and nobody does when there is none.
    ``ruled_attribute`` is one that the body has, inside of the resource, and that has rules of its own, as have the
    keys of what it holds. ``not_found`` makes the error for a resource that the caller does not see. ``body_schema``
    and ``answer_schema`` are JSON schemas for the OpenAPI document.
    """

    method: str
    path: str
    operation: Callable[[Any, Context, Mapping[str, str], Any], Any]
    writes: bool = True
    status: int = 200
    rule: str = ""
    asks_itself: bool = False
    ruled_attribute: str = ""
    not_found: Callable[[str], Exception] | None = None
    extension: str | None = None
    body_schema: Mapping[str, Any] | None = None
    answer_schema: Mapping[str, Any] | None = None
