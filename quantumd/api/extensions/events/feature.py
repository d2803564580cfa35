"""``GET /v2.0/events``: the journal as a stream; see quantumd.api.events. quantumd's own."""

from __future__ import annotations

from quantumd.api.extensions.aliases import Extension
from quantumd.api.extensions.feature import Feature, Parts

ALIAS = "events"

EXTENSION = Extension(
    ALIAS,
    "Stream of changes",
    "Tells of what changed as it is committed, by Server-Sent Events.",
    "2026-11-26T00:00:00-00:00",
)


def feature(parts: Parts) -> Feature:
    """Return the family."""
    return Feature(extensions=(EXTENSION,))
