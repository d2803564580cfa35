"""One collection of the API: from requests to operations on the store and back."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from quantumd.api.attribute_map import AttributeMap, attribute_map_of
from quantumd.api.body import check_content_type, member_to_update, members_to_create
from quantumd.api.errors import (
    BadRequest,
    HTTPNotFound,
    RevisionNumberConstraintFailed,
    UnknownMarker,
)
from quantumd.api.etags import is_known, wanted_revision
from quantumd.api.extensions.feature import Admit
from quantumd.api.extensions.network_cascade_delete.cascade import is_cascade
from quantumd.api.links import PageLinks
from quantumd.api.listing import answer_stream, list_chunks
from quantumd.api.policy.guard import Guard, Question, guard_of
from quantumd.api.policy.rules import Policy
from quantumd.api.query import Language, parameters, parse_list_request, refuse_hidden
from quantumd.api.request import ApiRequest
from quantumd.api.resource import Query, Resource
from quantumd.api.views import Views, views_of
from quantumd.store.transaction import asked_by

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from quantumd.model.context import Context
    from quantumd.store.transaction import Transaction

NO_ID = "None"
"""The id that today's servers name when a request that needs one has none."""


@frozen
class Collection:
    """The verbs of one resource. Each takes a request and returns the body of its answer."""

    resource: Resource
    attributes: AttributeMap
    views: Views
    store: Any
    bulk_limit: int
    admit: Admit
    language: Language
    guard: Guard
    link_prefix: str = ""

    async def create(self, request: ApiRequest, parent_id: str = "") -> bytes:
        """Create one, or all or none of several."""
        resource, context = self._begin(request, parent_id)
        asked = self.guard.question("create", {}, ())
        if self.guard.ask(asked, context) is False:
            raise asked.refusal
        given, is_bulk = members_to_create(_json(request), resource.member, resource.collection, self.bulk_limit)
        bodies, open_questions = to_create(self.attributes, self.guard, context, given)
        operations = self._operations(parent_id)

        def write(tx: Transaction) -> list[dict[str, Any]]:
            for question, body in open_questions:
                self.guard.require_create(tx, context, question, body, parent_id)
            self.admit(tx, context, resource, bodies)
            created: list[dict[str, Any]] = operations.create(tx, context, bodies)
            return created

        views = await self.store.write(asked_by(context, write))
        if is_bulk:
            return request.show(201, self.views.many(context, views))
        return request.show(201, self.views.one(context, views[0]))

    async def list(self, request: ApiRequest, parent_id: str = "") -> None:
        """Answer with those that the query selects, of those that the caller may see."""
        resource, context = self._begin(request, parent_id)
        operations = self._operations(parent_id)
        wanted = parse_list_request(self.language, request.query_string)
        shape = self.views.shape(context, wanted.fields)
        refuse_hidden(wanted.query, self.views.hidden(context))
        page = wanted.query.page
        links = None
        if page.limit is not None:
            url = request.base_url(self.link_prefix) + request.path.decode("ascii", "replace")
            links = PageLinks(url, wanted.parameters, page.limit, page.is_reverse)
        is_seen = self.guard.may_see(context)
        if resource.before_list is not None and is_seen:
            await self._write_first(resource.before_list, context, wanted.query)

        def work(connection: Connection) -> Iterator[bytes]:
            found = operations.list(connection, context, wanted.query)
            is_shown = self.guard.may_see_inside(connection, context, parent_id) if is_seen is None else is_seen
            batches = self._found(found) if is_shown else self._hidden(found, wanted.query)
            return list_chunks(resource.collection, batches, shape, links)

        await answer_stream(request, self.store.stream(work))

    async def _write_first(self, before_list: Any, context: Context, query: Query) -> None:
        missing = await self.store.read(lambda connection: before_list(connection, context, query))
        if missing is not None:
            await self.store.write(asked_by(context, missing))

    def _found(self, batches: Iterator[builtins.list[dict[str, Any]]]) -> Iterator[builtins.list[dict[str, Any]]]:
        try:
            yield from batches
        except UnknownMarker as unknown:
            raise self.resource.not_found(unknown.marker) from None

    def _hidden(
        self, batches: Iterator[builtins.list[dict[str, Any]]], query: Query
    ) -> Iterator[builtins.list[dict[str, Any]]]:
        """Tell of none to a caller who may see none, as today; what the list is in may not be found either."""
        if query.page.marker is not None:
            raise self.resource.not_found(query.page.marker)
        if self.resource.is_nested:
            next(batches, None)
        yield []

    async def show(self, request: ApiRequest, resource_id: str, parent_id: str = "") -> bytes | None:
        """Show one."""
        resource, context = self._begin(request, resource_id, parent_id)
        if self.guard.may_see(context) is False:
            raise resource.not_found(resource_id)
        fields = frozenset(text for key, text in parameters(request.query_string) if key == "fields" and text)
        view = await self.store.read(lambda connection: self._visible(connection, context, resource_id, parent_id))
        body = self.views.one(context, view, fields)
        return None if is_known(request, body) else request.show(200, body)

    async def update(self, request: ApiRequest, resource_id: str, parent_id: str = "") -> bytes:
        """Change one."""
        resource, context = self._begin(request, resource_id, parent_id)
        operations = self._operations(parent_id)
        asked = self.guard.question("update", {}, ())
        if self.guard.ask(asked, context) is False:
            await self._refuse(asked, context, resource_id, parent_id)
        changes = self.attributes.for_update(member_to_update(_json(request), resource.member))
        asked = self.guard.question("update", changes, tuple(changes))
        answer = self.guard.ask(asked, context)
        if answer is False:
            await self._refuse(asked, context, resource_id, parent_id)
        revision = wanted_revision(request)

        def write(tx: Transaction) -> dict[str, Any]:
            if answer is None:
                self._require(tx, context, asked, changes, resource_id, parent_id)
            if revision is not None:
                self._require_revision(tx, context, operations, resource_id, revision)
            updated: dict[str, Any] = operations.update(tx, context, resource_id, changes)
            return updated

        view = await self.store.write(asked_by(context, write))
        return request.show(200, self.views.one(context, view))

    async def delete(self, request: ApiRequest, resource_id: str, parent_id: str = "") -> None:
        """Delete one."""
        resource, context = self._begin(request, resource_id, parent_id)
        operations = self._operations(parent_id)
        asked = self.guard.question("delete", {}, ())
        answer = self.guard.ask(asked, context)
        if answer is False:
            await self._refuse(asked, context, resource_id, parent_id)
        revision = wanted_revision(request)
        delete = operations.delete
        if resource.cascade is not None and is_cascade(request.query_string):
            delete = resource.cascade

        def write(tx: Transaction) -> None:
            if answer is None:
                self._require(tx, context, asked, {}, resource_id, parent_id)
            if revision is not None:
                self._require_revision(tx, context, operations, resource_id, revision)
            delete(tx, context, resource_id)

        await self.store.write(asked_by(context, write))
        request.setResponseCode(204)

    def _require_revision(
        self, tx: Transaction, context: Context, operations: Any, resource_id: str, wanted: int
    ) -> None:
        """Refuse to change what was changed since the caller looked, in the transaction that changes it."""
        tx.lock(f"revision {resource_id}")
        current = operations.show(tx.connection, context, resource_id).get("revision_number")
        if current is None:
            raise BadRequest(self.resource.collection, "Revision matching not supported for this resource")
        if current != wanted:
            raise RevisionNumberConstraintFailed(wanted, current)

    def refuse_without_id(self, request: ApiRequest, parent_id: str = "") -> bytes:
        """Answer a change or deletion of the collection itself as today's servers do."""
        request.resource_label = self.resource.collection
        raise self.resource.not_found(NO_ID)

    def _begin(self, request: ApiRequest, *ids: str) -> tuple[Resource, Context]:
        """Label the request and refuse ids that nothing has; return what every verb needs."""
        request.resource_label = self.resource.collection
        # Not every database takes NUL in text; no id holds it.
        if any("\x00" in each for each in ids):
            raise HTTPNotFound()
        return self.resource, self.guard.policy.bind(request.context)

    def _visible(self, connection: Connection, context: Context, resource_id: str, parent_id: str) -> dict[str, Any]:
        """Return the view of one. NotFound also for what the caller may not see."""
        view: dict[str, Any] = self._operations(parent_id).show(connection, context, resource_id)
        if self.guard.may_see(context) is None and not self.guard.may_see_inside(
            connection, context, parent_id or resource_id
        ):
            raise self.resource.not_found(resource_id)
        return view

    def _require(
        self,
        tx: Transaction,
        context: Context,
        asked: Question,
        changes: Mapping[str, Any],
        resource_id: str,
        parent_id: str,
    ) -> None:
        """Refuse a change, in the transaction that would make it. PolicyNotAuthorized, NotFound."""

        def show() -> dict[str, Any]:
            return self._visible(tx.connection, context, resource_id, parent_id)

        self.guard.require_change(tx.connection, context, asked, resource_id, changes, show, parent_id)

    async def _refuse(self, asked: Question, context: Context, resource_id: str, parent_id: str) -> None:
        """Refuse a change: what the caller cannot even see is not found, the rest is forbidden."""
        if self.guard.may_see(context) is False:
            raise self.resource.not_found(resource_id)
        await self.store.read(lambda connection: self._visible(connection, context, resource_id, parent_id))
        raise asked.refusal

    def _operations(self, parent_id: str) -> Any:
        return self.resource.operations.under(parent_id) if self.resource.is_nested else self.resource.operations


def to_create(
    attributes: AttributeMap, guard: Guard, context: Context, given: Sequence[Mapping[str, Any]]
) -> tuple[builtins.list[dict[str, Any]], builtins.list[tuple[Question, dict[str, Any]]]]:
    """Return the bodies of a create request, converted, and what must yet be asked about some. ApiError."""
    bodies, open_questions = [], []
    for each in given:
        body = attributes.for_create(context, each)
        asked = guard.question("create", body, attributes.set_on_create(each, body))
        if not guard.ask_body(asked, context, body):
            open_questions.append((asked, body))
        bodies.append(body)
    return bodies, open_questions


def collection_of(
    resource: Resource,
    policy: Policy,
    store: Any,
    bulk_limit: int,
    admit: Admit,
    largest_page: int = 0,
    link_prefix: str = "",
) -> Collection:
    """Make a resource ready to be served."""
    attributes, guard = attribute_map_of(resource), guard_of(resource, policy)
    language = Language(attributes, resource.is_taggable, largest_page)
    views = views_of(resource, guard)
    return Collection(resource, attributes, views, store, bulk_limit, admit, language, guard, link_prefix)


def _json(request: ApiRequest) -> bytes:
    body = request.body()
    if body:
        check_content_type(request.getHeader(b"content-type"))
    return body
