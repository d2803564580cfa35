"""The paths of the OpenAPI document: what can be asked at each, and what comes back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.query import CHANGED_SINCE, TAG_FILTERS
from quantumd.api.resource import Action, Resource

Schema = Mapping[str, Any]

_ERROR_STATUSES: Final = {
    "400": "The request is wrong.",
    "401": "Nobody is known by the token.",
    "403": "The caller's roles do not allow it.",
    "404": "There is none that the caller may see.",
    "409": "It is in use, or clashes with something that is.",
    "412": "It was changed since the caller looked.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "503": "Try again.",
}
_TEXT: Final[Schema] = {"type": "string"}


def resource_paths(resource: Resource, name: str) -> dict[str, Any]:
    """Return the paths of a resource; ``name`` is that of its schemas."""
    many, one = f"/v2.0/{_template(resource.path)}", f"/v2.0/{_template(resource.path)}/{{id}}"
    above = [_in_path(part) for part in _parts(resource.path)]
    paths: dict[str, Any] = {}
    for path, verb, method, operation in _verbs(resource, name, many, one):
        if verb in resource.verbs:
            named = [*above, _in_path("id")] if path == one else above
            paths.setdefault(path, {"parameters": named} if named else {})[method] = operation
    return paths


def _verbs(resource: Resource, name: str, many: str, one: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    member, collection = resource.member, resource.collection
    shown, listed = _wrapped(member, _reference(name)), _wrapped(collection, _list_of(name))
    created = _wrapped(member, _reference(f"{name}_create"))
    either = {"oneOf": [created, _wrapped(collection, _list_of(f"{name}_create"))]}
    plural = name if name != member else collection
    yield many, "list", "get", _operation(f"list_{plural}", 200, listed, parameters=_list_parameters(resource))
    yield many, "create", "post", _operation(f"create_{name}", 201, {"oneOf": [shown, listed]}, body=either)
    yield one, "show", "get", _operation(f"show_{name}", 200, shown, parameters=[_fields(resource), _KNOWN])
    update = _wrapped(member, _reference(f"{name}_update"))
    yield one, "update", "put", _operation(f"update_{name}", 200, shown, parameters=[_REVISION], body=update)
    deleting = [_REVISION] if resource.cascade is None else [_REVISION, _CASCADE]
    yield one, "delete", "delete", _operation(f"delete_{name}", 204, None, parameters=deleting)


def action_path(action: Action) -> tuple[str, dict[str, Any]]:
    """Return the path of a request and what the document says there."""
    name = f"{action.method.lower()}_{re.sub(r'[^A-Za-z0-9]+', '_', action.path).strip('_')}"
    operation = _operation(name, action.status, action.answer_schema, body=action.body_schema)
    operation["parameters"] = [_in_path(part) for part in _parts(action.path)]
    return f"/v2.0/{_template(action.path)}", {action.method.lower(): operation}


def _parts(path: str) -> list[str]:
    return re.findall(r"<(?:[a-z]+:)?([a-z_]+)>", path)


def _template(path: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", path)


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _reference(name)}


def _wrapped(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: schema}, "required": [key]}


def _content(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _operation(
    name: str,
    status: int,
    answer: Schema | None,
    *,
    parameters: Sequence[Schema] = (),
    body: Schema | None = None,
) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        done["content"] = _content(answer)
    responses: dict[str, Any] = {str(status): done}
    if any(each["name"] == "If-None-Match" for each in parameters):
        responses["304"] = {"description": "The caller has it."}
    for code, sentence in _ERROR_STATUSES.items():
        responses[code] = {"description": sentence, "content": _content(_reference("NeutronError"))}
    operation: dict[str, Any] = {"operationId": name, "parameters": list(parameters), "responses": responses}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _content(body)}
    return operation


def _list_parameters(resource: Resource) -> list[Schema]:
    attributes = resource.attributes
    filters = [each.name for each in attributes if each.filter_convert is not None]
    sorts = [each.name for each in attributes if each.sorts]
    if PROJECT in filters:
        filters.append(TENANT)
    if resource.is_taggable:
        filters = [*(name for name in filters if name not in TAG_FILTERS), *TAG_FILTERS]
    if any(each.name == "updated_at" for each in attributes):
        filters.append(CHANGED_SINCE)
    return [
        *(_repeated(name, _TEXT) for name in filters),
        *((_repeated("sort_key", {"enum": sorts}), _repeated("sort_dir", {"enum": ["asc", "desc"]})) if sorts else ()),
        *_PAGES,
        _fields(resource),
        _KNOWN,
    ]


def _fields(resource: Resource) -> Schema:
    return _repeated("fields", {"enum": [each.name for each in resource.attributes if each.is_visible]})


def _repeated(name: str, item: Schema) -> Schema:
    return {"name": name, "in": "query", "explode": True, "schema": {"type": "array", "items": item}}


def _in_path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


_PAGES: Final[tuple[Schema, ...]] = (
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 0}},
    {"name": "marker", "in": "query", "schema": _TEXT},
    {"name": "page_reverse", "in": "query", "schema": {"type": "boolean"}},
)
_KNOWN: Final[Schema] = {"name": "If-None-Match", "in": "header", "schema": _TEXT}
_REVISION: Final[Schema] = {
    "name": "If-Match",
    "in": "header",
    "description": "revision_number=N: only when that is its revision",
    "schema": _TEXT,
}
_CASCADE: Final[Schema] = {
    "name": "cascade",
    "in": "query",
    "description": "Whether all that is on it goes too",
    "schema": {"type": "boolean"},
}
