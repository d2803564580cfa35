"""The OpenAPI 3.1 document, made from the attribute maps. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from quantumd.api.attribute_map import PROJECT, TENANT
from quantumd.api.attributes import REQUIRED, UNSET, Attribute
from quantumd.api.openapi_paths import action_path, resource_paths
from quantumd.api.policy.rules import Policy
from quantumd.api.resource import Action, Resource


@frozen
class Rules:
    """The rules of a policy about the attributes of one resource."""

    policy: Policy
    ruled_as: str

    def of(self, attribute: str) -> dict[str, str]:
        """Return the check strings about an attribute, by verb."""
        names = {verb: f"{verb}_{self.ruled_as}:{attribute}" for verb in ("get", "create", "update")}
        return {verb: self.policy.texts[name] for verb, name in names.items() if self.policy.has(name)}


def openapi_document(
    served: Sequence[Resource], actions: Sequence[Action], version: str, policy: Policy
) -> dict[str, Any]:
    """Return the document that describes the served resources and requests, with the rules of attributes."""
    schemas: dict[str, Any] = {"NeutronError": _error_schema()}
    paths: dict[str, dict[str, Any]] = {}
    for resource in served:
        name = resource.member if resource.member not in schemas else _name_of(resource.path)
        schemas |= _schemas(resource, name, Rules(policy, resource.ruled_as))
        for path, operations in resource_paths(resource, name).items():
            paths.setdefault(path, {}).update(operations)
    for action in actions:
        path, operations = action_path(action)
        paths.setdefault(path, {}).update(operations)
    return {
        "openapi": "3.1.0",
        "info": {"title": "quantumd: OpenStack Networking API", "version": version},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _name_of(path: str) -> str:
    """Return a name for what is at a path: two resources may have members of one name."""
    return re.sub(r"<[^>]*>|[^a-z0-9]+", "_", path).strip("_")


def _error_schema() -> dict[str, Any]:
    members = {name: {"type": "string"} for name in ("type", "message", "detail")}
    body = {"type": "object", "properties": members, "required": list(members)}
    return {"type": "object", "properties": {"NeutronError": body}, "required": ["NeutronError"]}


def _schemas(resource: Resource, name: str, rules: Rules) -> dict[str, Any]:
    shown = [each for each in resource.attributes if each.is_visible]
    created = [each for each in resource.attributes if each.in_post]
    updated = [each for each in resource.attributes if each.in_put]
    required = [each.name for each in created if each.default is REQUIRED]
    return {
        name: _object(shown, rules),
        f"{name}_create": {**_object(created, rules, with_defaults=True), "required": required},
        f"{name}_update": _object(updated, rules),
    }


def _object(attributes: Sequence[Attribute], rules: Rules, with_defaults: bool = False) -> dict[str, Any]:
    properties = {each.name: _property(each, rules, with_defaults) for each in attributes}
    if PROJECT in properties:
        properties[TENANT] = {**properties[PROJECT], "deprecated": True}
    return {"type": "object", "properties": properties}


def _property(attribute: Attribute, rules: Rules, with_default: bool) -> dict[str, Any]:
    schema = dict(attribute.schema)
    if with_default and attribute.default not in (REQUIRED, UNSET):
        schema["default"] = attribute.default
    if attribute.extension is not None:
        schema["x-extension"] = attribute.extension
    found = rules.of(attribute.name)
    if found:
        schema["x-rules"] = found
    return schema
