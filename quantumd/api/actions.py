"""Requests beside the verbs of resources: what an Action says, done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from attrs import frozen

from quantumd.api.body import check_content_type, parse_json
from quantumd.api.errors import HTTPNotFound
from quantumd.api.policy.guard import Guard, Question, guard_of
from quantumd.api.policy.rules import Policy
from quantumd.api.query import parameters
from quantumd.api.request import ApiRequest
from quantumd.api.resource import Action, Resource
from quantumd.store.transaction import asked_by

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from quantumd.model.context import Context
    from quantumd.store.transaction import Transaction


@frozen
class Requested:
    """Serves one action."""

    action: Action
    store: Any
    policy: Policy
    guard: Guard | None

    async def answer(self, request: ApiRequest, **parts: str) -> bytes | None:
        """Do what is asked and return the body of the answer; None for an answer without one."""
        action, context = self.action, self.policy.bind(request.context)
        request.resource_label = action.path.partition("/")[0]
        if any("\x00" in part for part in parts.values()):
            raise HTTPNotFound()
        self._refuse(context, Question(action.rule))
        body = _body(request)
        answer = self._refuse(context, self._asked(body))

        def write(tx: Transaction) -> Any:
            if answer is None:
                self.require(tx.connection, context, parts, body)
            return action.operation(tx, context, parts, body)

        def read(connection: Connection) -> Any:
            if answer is None:
                self.require(connection, context, parts, body)
            return action.operation(connection, context, parts, body)

        done = await (self.store.write(asked_by(context, write)) if action.writes else self.store.read(read))
        if done is None and action.status == 200:
            request.setResponseCode(204)
            return None
        return request.show(action.status, orjson.dumps(done))

    def _asked(self, body: Any) -> Question:
        action = self.action
        if self.guard is None or not action.ruled_attribute:
            return Question(action.rule)
        return self.guard.question_of_action(action.rule, action.ruled_attribute, body)

    def _refuse(self, context: Context, asked: Question) -> bool | None:
        """Return whether the caller may, None when the rows decide. PolicyNotAuthorized when it may not at all."""
        answer = self._may(context, asked)
        if answer is False:
            raise asked.refusal
        return answer

    def _may(self, context: Context, asked: Question) -> bool | None:
        if self.action.asks_itself or not self.action.rule:
            return True
        answers = [self.policy.decide(rule, context) for rule in asked.rules]
        if False in answers:
            return False
        return None if None in answers else True

    def require(self, connection: Connection, context: Context, parts: Mapping[str, str], body: Any = None) -> None:
        """Refuse what may not be done to the resource that the path names. PolicyNotAuthorized, NotFound."""
        asked = self._asked(body)
        answer = self._may(context, asked)
        if answer:
            return
        if answer is False or self.guard is None:
            raise asked.refusal
        resource, resource_id = self.guard.resource, next(iter(parts.values()))

        def show() -> Mapping[str, Any]:
            try:
                view: Mapping[str, Any] = resource.operations.show(connection, context, resource_id)
            except resource.not_found as error:
                raise error if self.action.not_found is None else self.action.not_found(resource_id) from None
            return view

        self.guard.require_change(connection, context, asked, resource_id, {}, show)


def requested(action: Action, resources: Sequence[Resource], policy: Policy, store: Any) -> Requested:
    """Make an action ready to be served, with the resource that its path begins with."""
    path = action.path.partition("/<")[0]
    found = (each for each in resources if path in (each.path, each.path.rpartition("/")[2]) and not each.is_nested)
    resource = next(found, None)
    return Requested(action, store, policy, None if resource is None else guard_of(resource, policy))


def _body(request: ApiRequest) -> Any:
    if request.method in (b"GET", b"HEAD"):
        return parameters(request.query_string)
    body = request.body()
    if not body:
        return None
    check_content_type(request.getHeader(b"content-type"))
    return parse_json(body)
