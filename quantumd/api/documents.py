"""The documents by which clients find their way: versions, resources, extensions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quantumd.api.extensions.aliases import Extension
from quantumd.api.resource import Resource


def versions(base: str) -> dict[str, Any]:
    """Return the document at ``/``."""
    links = [{"rel": "self", "href": f"{base}/v2.0/"}]
    return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}


def resources(base: str, served: Sequence[Resource]) -> dict[str, Any]:
    """Return the document at ``/v2.0/``."""
    return {
        "resources": [
            {
                "name": resource.member,
                "collection": resource.collection,
                "links": [{"rel": "self", "href": f"{base}/v2.0/{resource.path}"}],
            }
            for resource in served
            if not resource.is_nested
        ]
    }


def extension(announced: Extension) -> dict[str, Any]:
    """Return one extension as clients see it."""
    return {
        "name": announced.name,
        "alias": announced.alias,
        "description": announced.description,
        "updated": announced.updated,
        "links": [],
    }
