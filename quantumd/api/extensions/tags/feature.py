"""Tags: ``/tags`` beside every resource that can be tagged, and the ``tags`` attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve

from quantumd.api.attributes import Attribute
from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature
from quantumd.api.extensions.tags.operations import Tags
from quantumd.api.extensions.tags.values import TAG_LIST, TAGS_BODY
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
    for_reader: dict[str, Any] = {"writes": False, "rule": tags.resource.read_rule, "extension": ALIAS}
    for_writer: dict[str, Any] = {"rule": tags.resource.update_rule, "extension": ALIAS}
    listed: dict[str, Any] = {"answer_schema": TAGS_BODY}
    yield Action("GET", many, tags.listed, **for_reader, **listed)
    yield Action("GET", one, tags.has, **for_reader)
    yield Action("PUT", many, tags.replace, body_schema=TAGS_BODY, **for_writer, **listed)
    yield Action("POST", many, tags.add_several, status=201, body_schema=TAGS_BODY, **for_writer, **listed)
    yield Action("PUT", one, tags.add, status=201, **for_writer)
    yield Action("DELETE", many, tags.remove_all, **for_writer)
    yield Action("DELETE", one, tags.remove, **for_writer)
