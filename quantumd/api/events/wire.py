"""Server-Sent Events as bytes. Pure.

Source: the HTML standard, 9.2 (server-sent events). Lines end with LF; JSON escapes what would end one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

CONTENT_TYPE: Final = b"text/event-stream"

PRUNED: Final = "journal.pruned"
"""The event that says: what came after your position is gone, list anew."""

HEARTBEAT: Final = b":\n\n"
"""A comment: the connection lives."""


def event(position: int, name: str, data: Mapping[str, Any]) -> bytes:
    """Return one event; ``position`` is its id."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, name.encode(), orjson.dumps(data))


def opening(position: int, retry_seconds: float) -> bytes:
    """Return what a stream begins with: when to come again after its end, and from where.

    A block without data is no event, but its id counts: who has seen no event yet can resume all the same.
    """
    return b"retry: %d\nid: %d\n\n" % (round(retry_seconds * 1000), position)


def comment(text: str) -> bytes:
    """Return a remark for people; ``text`` is one line."""
    return b": %s\n\n" % text.encode()
