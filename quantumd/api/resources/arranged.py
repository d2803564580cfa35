"""Lists of what is not rows of one table: filtered, put in order and cut into pages in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quantumd.api.errors import UnknownMarker
from quantumd.api.resource import Page, Query, Sort
from quantumd.api.resources.views import View


def arranged(views: Sequence[View], query: Query) -> list[View]:
    """Return those of the views that the query asks for, as ``matching_ids`` does for rows. UnknownMarker.

    For lists that are short whatever is stored: availability zones, types of rules, service providers.
    """
    found = [view for view in views if _matches(view, query)]
    sorts = query.sorts or ((Sort("id"),) if query.page.limit is not None and _have(found, "id") else ())
    for sort in reversed(sorts):
        found.sort(key=lambda view, name=sort.name: _rank(view.get(name)), reverse=sort.is_descending)  # type: ignore[misc]
    return found if query.page.limit is None else _page(found, query.page, query.page.limit)


def _matches(view: View, query: Query) -> bool:
    return all(view.get(name) in alternatives for name, alternatives in query.filters)


def _have(views: Sequence[View], name: str) -> bool:
    return all(name in view for view in views)


def _rank(value: Any) -> tuple[bool, Any]:
    return value is not None, value


def _page(found: list[View], page: Page, limit: int) -> list[View]:
    if page.marker is None:
        return found[-limit:] if page.is_reverse else found[:limit]
    at = next((at for at, view in enumerate(found) if view.get("id") == page.marker), None)
    if at is None:
        raise UnknownMarker(page.marker)
    return found[max(at - limit, 0) : at] if page.is_reverse else found[at + 1 : at + 1 + limit]
