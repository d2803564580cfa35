"""What Nova says to events. Pure: from status and body to what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from quantumd.api.nova.events import Event
from quantumd.errors import EdgeUnavailable

TAKEN: Final = "taken"
GONE: Final = "gone"
"""Nova knows no such server, or not any more."""
UNPLACED: Final = "unplaced"
"""The server has no host at the moment that could be told."""
REFUSED: Final = "refused"
UNCLEAR: Final = "unclear"
"""Nova has taken the request, and said nothing that can be read of the event."""

_BY_CODE: Final = {200: TAKEN, 404: GONE, 422: UNPLACED}


class BadEvents(Exception):
    """Nova does not understand the request: as it is, it will never take it."""


class TokenRefused(Exception):
    """Nova does not take our token, or not any more."""


def outcomes(status: int, body: bytes, events: Sequence[Event]) -> tuple[str, ...]:
    """Return what became of each event of a request that Nova has acknowledged.

    200 and 207 carry a code for each event; 404 with Nova's own document says that it knows none of the servers.

    :raises BadEvents: the request makes no sense to Nova, or is too large.
    :raises TokenRefused: the token has ended.
    :raises EdgeUnavailable: anything else, which may pass.
    Source: Compute API, os-server-external-events.
    """
    if status in (200, 207):
        return _codes(body, len(events))
    if status == 404 and "itemNotFound" in _document(body):
        return (GONE,) * len(events)
    if status in (400, 413):
        raise BadEvents(f"Nova answers {status}")
    if status == 401:
        raise TokenRefused("Nova answers 401")
    raise EdgeUnavailable(f"Nova answers events with {status}")


def _codes(body: bytes, count: int) -> tuple[str, ...]:
    said = _document(body).get("events")
    if not isinstance(said, list) or len(said) != count:
        return (UNCLEAR,) * count
    return tuple(_outcome(each) for each in said)


def _outcome(said: Any) -> str:
    code = said.get("code") if isinstance(said, dict) else None
    return _BY_CODE.get(code, REFUSED) if isinstance(code, int) else UNCLEAR


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
