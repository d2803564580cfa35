"""``GET /v2.0/journal``: what changed, when, by whose request; for administrators.

quantumd's own: no other Networking API has it. Rows are kept as long as ``database.journal_keep_seconds`` says.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from attrs import evolve, frozen
from sqlalchemy import Connection, Select, select
from zope.interface import implementer

from quantumd.api.attributes import Attribute
from quantumd.api.errors import HTTPBadRequest, InvalidInput, UnknownMarker
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts
from quantumd.api.resource import IOperations, Page, Query, Resource
from quantumd.api.resources.matching import Filterable, matching_ids
from quantumd.api.resources.views import IDS, View, in_batches
from quantumd.api.values import OBJECT_OR_NONE, filter_integer, filter_text, integer, string
from quantumd.errors import ApiError
from quantumd.model.context import Context
from quantumd.store.tables import journal
from quantumd.store.transaction import Transaction

ALIAS = "journal"

EXTENSION = Extension(
    ALIAS,
    "Journal of changes",
    "Lists what changed, in the order in which it was committed.",
    "2026-11-21T00:00:00-00:00",
)


class JournalEntryNotFound(ApiError):
    """The journal has no such position, or no longer."""

    status = 404

    def __init__(self, position: str) -> None:
        super().__init__(f"Journal entry {position} could not be found.")


def _text(name: str, size: int) -> Attribute:
    return Attribute(name, *string(size), filter_convert=filter_text, extension=ALIAS)


ATTRIBUTES = (
    Attribute("id", *integer(0), filter_convert=filter_integer, extension=ALIAS),
    _text("at", 20),
    _text("resource", 32),
    _text("resource_id", 36),
    _text("project_id", 255),
    _text("request_id", 64),
    _text("operation", 16),
    Attribute("before", *OBJECT_OR_NONE, extension=ALIAS),
    Attribute("after", *OBJECT_OR_NONE, extension=ALIAS),
)
"""``id`` is the position: it grows in the order of commits, and so do pages."""

_FILTERABLE = Filterable(journal, {"id": "position"}, key="position")
_ROWS: Select[Any] = select(journal).where(journal.c.position.in_(IDS))


@implementer(IOperations)
@frozen
class Entries:
    """Reads the journal; nobody writes it but the changes themselves."""

    def create(self, tx: Transaction, context: Context, bodies: Sequence[Mapping[str, Any]]) -> list[View]:
        """See IOperations: refused."""
        raise HTTPBadRequest("The journal is written by changes")

    def update(self, tx: Transaction, context: Context, resource_id: str, changes: Mapping[str, Any]) -> View:
        """See IOperations: refused."""
        raise HTTPBadRequest("The journal is never changed")

    def delete(self, tx: Transaction, context: Context, resource_id: str) -> None:
        """See IOperations: refused."""
        raise HTTPBadRequest("The journal is pruned by age and size")

    def show(self, connection: Connection, context: Context, resource_id: str) -> View:
        """See IOperations."""
        position = _position(resource_id)
        found = [] if position is None else _views(connection, [position])
        if not found:
            raise JournalEntryNotFound(resource_id)
        return found[0]

    def list(self, connection: Connection, context: Context, query: Query) -> Iterator[builtins.list[View]]:
        """See IOperations."""
        for batch in in_batches(_positions(connection, query)):
            yield _views(connection, batch)


def _positions(connection: Connection, query: Query) -> list[Any]:
    marker = query.page.marker
    if marker is None:
        return matching_ids(connection, _FILTERABLE, (), query)
    position = _position(marker)
    if position is None:
        raise UnknownMarker(marker)
    page = Page(query.page.limit, position, query.page.is_reverse)
    return matching_ids(connection, _FILTERABLE, (), evolve(query, page=page))


def _position(text: str) -> int | None:
    try:
        return filter_integer(text)
    except InvalidInput:
        return None


def _views(connection: Connection, positions: Sequence[Any]) -> list[View]:
    rows = {int(row["position"]): row for row in connection.execute(_ROWS, {"ids": positions}).mappings()}
    return [_view({**rows[each]}) for each in positions if each in rows]


def _view(row: Mapping[str, Any]) -> View:
    view = {each.name: row["position" if each.name == "id" else each.name] for each in ATTRIBUTES}
    for name in ("before", "after"):
        view[name] = None if view[name] is None else orjson.loads(view[name])
    return view


def feature(parts: Parts) -> Feature:
    """Return the family."""
    entries = Resource(
        "journal_entry",
        "journal",
        ATTRIBUTES,
        Entries(),
        JournalEntryNotFound,
        verbs=frozenset({"list", "show"}),
        extension=ALIAS,
    )
    return Feature(extensions=(EXTENSION,), resources=(entries,))
