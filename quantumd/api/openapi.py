"""The OpenAPI 3.1 document, made from the attribute maps. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.attributes import REQUIRED, UNSET, Attribute
from quantumd.api.policy import ANY
from quantumd.api.resource import Resource

_ERROR_STATUSES = {
    "400": "The request is wrong.",
    "403": "The caller's roles do not allow it.",
    "404": "There is none that the caller may see.",
    "409": "It is in use, or clashes with something that is.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "503": "Try again.",
}


def openapi_document(served: Sequence[Resource], version: str) -> dict[str, Any]:
    """Return the document that describes the served resources."""
    schemas: dict[str, Any] = {"NeutronError": _error_schema()}
    paths: dict[str, Any] = {}
    for resource in served:
        schemas |= _schemas(resource)
        paths |= _paths(resource)
    return {
        "openapi": "3.1.0",
        "info": {"title": "quantumd: OpenStack Networking API", "version": version},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _error_schema() -> dict[str, Any]:
    members = {name: {"type": "string"} for name in ("type", "message", "detail")}
    body = {"type": "object", "properties": members, "required": list(members)}
    return {"type": "object", "properties": {"NeutronError": body}, "required": ["NeutronError"]}


def _schemas(resource: Resource) -> dict[str, Any]:
    shown = [each for each in resource.attributes if each.is_visible]
    created = [each for each in resource.attributes if each.in_post]
    updated = [each for each in resource.attributes if each.in_put]
    required = [each.name for each in created if each.default is REQUIRED]
    return {
        resource.member: _object(shown),
        f"{resource.member}_create": {**_object(created, with_defaults=True), "required": required},
        f"{resource.member}_update": _object(updated),
    }


def _object(attributes: Sequence[Attribute], with_defaults: bool = False) -> dict[str, Any]:
    properties = {each.name: _property(each, with_defaults) for each in attributes}
    if PROJECT in properties:
        properties[TENANT] = {**properties[PROJECT], "deprecated": True}
    return {"type": "object", "properties": properties}


def _property(attribute: Attribute, with_default: bool) -> dict[str, Any]:
    schema = dict(attribute.schema)
    if with_default and attribute.default not in (REQUIRED, UNSET):
        schema["default"] = attribute.default
    if attribute.extension is not None:
        schema["x-extension"] = attribute.extension
    rules = {"read": attribute.read_rule, "create": attribute.create_rule, "update": attribute.update_rule}
    if any(rule != ANY for rule in rules.values()):
        schema["x-rules"] = rules
    return schema


def _paths(resource: Resource) -> dict[str, Any]:
    member, collection = resource.member, resource.collection
    one, many = _wrapped(member, _reference(member)), _wrapped(collection, _list_of(member))
    either = {
        "oneOf": [
            _wrapped(member, _reference(f"{member}_create")),
            _wrapped(collection, _list_of(f"{member}_create")),
        ]
    }
    resource_id = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        f"/v2.0/{collection}": {
            "get": _operation(f"list_{collection}", "200", many, parameters=_filters(resource)),
            "post": _operation(f"create_{member}", "201", {"oneOf": [one, many]}, body=either),
        },
        f"/v2.0/{collection}/{{id}}": {
            "parameters": [resource_id],
            "get": _operation(f"show_{member}", "200", one, parameters=[_fields(resource)]),
            "put": _operation(f"update_{member}", "200", one, body=_wrapped(member, _reference(f"{member}_update"))),
            "delete": _operation(f"delete_{member}", "204", None),
        },
    }


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _reference(name)}


def _wrapped(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: schema}, "required": [key]}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _operation(
    name: str,
    status: str,
    answer: dict[str, Any] | None,
    *,
    parameters: Sequence[dict[str, Any]] = (),
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        done["content"] = _content(answer)
    responses: dict[str, Any] = {status: done}
    for code, sentence in _ERROR_STATUSES.items():
        responses[code] = {"description": sentence, "content": _content(_reference("NeutronError"))}
    operation: dict[str, Any] = {"operationId": name, "parameters": list(parameters), "responses": responses}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _content(body)}
    return operation


def _filters(resource: Resource) -> list[dict[str, Any]]:
    names = [each.name for each in resource.attributes if each.filter_convert is not None]
    if PROJECT in names:
        names.append(TENANT)
    filters = [_repeated(name, {"type": "string"}) for name in names]
    return [*filters, _fields(resource)]


def _fields(resource: Resource) -> dict[str, Any]:
    return _repeated("fields", {"enum": [each.name for each in resource.attributes if each.is_visible]})


def _repeated(name: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "explode": True, "schema": {"type": "array", "items": item}}
