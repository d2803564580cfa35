"""Requests beside the verbs of resources: what an Action says, done."""

from __future__ import annotations

from typing import Any

import orjson
from attrs import frozen

from quantumd.api.body import check_content_type, parse_json
from quantumd.api.errors import HTTPNotFound, PolicyNotAuthorized
from quantumd.api.policy import allows, may_write
from quantumd.api.query import parameters
from quantumd.api.request import ApiRequest
from quantumd.api.resource import Action
from quantumd.store.transaction import asked_by


@frozen
class Requested:
    """Serves one action."""

    action: Action
    store: Any

    async def answer(self, request: ApiRequest, **parts: str) -> bytes | None:
        """Do what is asked and return the body of the answer; None for an answer without one."""
        action, context = self.action, request.context
        request.resource_label = action.path.partition("/")[0]
        if any("\x00" in part for part in parts.values()):
            raise HTTPNotFound()
        if not allows(action.rule, context) or (action.method != "GET" and not may_write(context)):
            raise PolicyNotAuthorized(f"rule:{action.method.lower()}_{request.resource_label}")
        body = _body(request)
        if action.writes:
            write = asked_by(context, lambda tx: action.operation(tx, context, parts, body))
            answer = await self.store.write(write)
        else:
            answer = await self.store.read(lambda connection: action.operation(connection, context, parts, body))
        if answer is None and action.status == 200:
            request.setResponseCode(204)
            return None
        return request.show(action.status, orjson.dumps(answer))


def _body(request: ApiRequest) -> Any:
    if request.method in (b"GET", b"HEAD"):
        return parameters(request.query_string)
    body = request.body()
    if not body:
        return None
    check_content_type(request.getHeader(b"content-type"))
    return parse_json(body)
