"""Tags: ``/tags`` beside every resource that can be tagged, and the ``tags`` attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from attrs import evolve

from quantumd.api.attributes import Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature
from quantumd.api.extensions.tags.operations import TagResourceNotFound, Tags
from quantumd.api.extensions.tags.values import TAG_LIST, TAGS_BODY
from quantumd.api.policy.defaults import DEFAULTS
from quantumd.api.resource import Action, Resource

ALIAS = "standard-attr-tag"

TAG_EXTENSIONS = (
    Extension(
        ALIAS,
        "Tag support for resources with standard attribute",
        "Enables to set tag on resources with standard attribute.",
        "2017-01-01T00:00:00-00:00",
    ),
    Extension(
        "tag-creation",
        "Tag creation extension",
        "Allow to create multiple tags for a resource",
        "2024-23-07T10:00:00-00:00",
    ),
)

TAGS = Attribute("tags", *TAG_LIST, extension=ALIAS)
"""The attribute of what is tagged by ``/tags`` only. Its filters are a part of the query language."""


def with_tags(resource: Resource) -> Resource:
    """Return the resource with the attribute ``tags`` when it can be tagged and does not have it yet."""
    if not resource.is_taggable or any(each.name == TAGS.name for each in resource.attributes):
        return resource
    return evolve(resource, attributes=(*resource.attributes, TAGS))


def tags_feature(served: Iterable[Resource]) -> Feature:
    """Return the requests on the tags of every served resource that can be tagged."""
    return Feature(
        extensions=TAG_EXTENSIONS,
        actions=tuple(action for resource in served if resource.is_taggable for action in _actions(resource)),
    )


def _actions(resource: Resource) -> Iterator[Action]:
    # What is served under a prefix (qos/policies) is tagged without it too, as today.
    for path in (resource.path, resource.path.rpartition("/")[2]) if "/" in resource.path else (resource.path,):
        yield from _actions_under(f"{path}/<resource_id>/tags", Tags(resource))


def _actions_under(many: str, tags: Tags) -> Iterator[Action]:
    one = f"{many}/<tag>"
    resource = tags.resource

    def ruled(verb: str) -> dict[str, Any]:
        rule = f"{verb}_{resource.ruled_as}:tags"
        if rule not in DEFAULTS:
            rule = f"{verb if verb == 'get' else 'update'}_{resource.ruled_as}"
        not_found = partial(TagResourceNotFound, resource.collection)
        return {"rule": rule, "not_found": not_found, "extension": ALIAS, "writes": verb != "get"}

    listed: dict[str, Any] = {"answer_schema": TAGS_BODY}
    yield Action("GET", many, tags.listed, **ruled("get"), **listed)
    yield Action("GET", one, tags.has, **ruled("get"))
    yield Action("PUT", many, tags.replace, body_schema=TAGS_BODY, **ruled("update"), **listed)
    yield Action("POST", many, tags.add_several, status=201, body_schema=TAGS_BODY, **ruled("create"), **listed)
    yield Action("PUT", one, tags.add, status=201, **ruled("update"))
    yield Action("DELETE", many, tags.remove_all, **ruled("delete"))
    yield Action("DELETE", one, tags.remove, **ruled("delete"))
