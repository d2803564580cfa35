"""Where Nova is, as Keystone's catalogue says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from quantumd.edge.http.messages import target_of
from quantumd.errors import EdgeUnavailable

COMPUTE: Final = "compute"


def compute_endpoint(body: bytes, interface: str, region: str) -> str:
    """Return the root of Nova's API from the document of a token.

    :param interface: public, internal or admin.
    :param region: '' is any.
    :raises EdgeUnavailable: the catalogue has no such endpoint, or makes no sense.
    Source: Identity API v3, the catalog of a token.
    """
    for endpoint in _endpoints(orjson.loads(body)):
        if endpoint.get("interface") == interface and region in ("", endpoint.get("region_id"), endpoint.get("region")):
            url = endpoint.get("url")
            if isinstance(url, str) and _is_url(url):
                return url
    where = f" in the region {region}" if region else ""
    raise EdgeUnavailable(f"Keystone's catalogue has no {interface} endpoint of the compute service{where}")


def _is_url(text: str) -> bool:
    try:
        target_of(text.encode())
    except ValueError:
        return False
    return True


def _endpoints(document: Any) -> Iterator[Mapping[str, Any]]:
    token = document.get("token") if isinstance(document, dict) else None
    for service in _objects(token, "catalog"):
        if service.get("type") == COMPUTE:
            yield from _objects(service, "endpoints")


def _objects(document: Any, name: str) -> list[Mapping[str, Any]]:
    found = document.get(name) if isinstance(document, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
