"""Times as the tables keep them: UTC text, whose order is the order of time."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(at: datetime) -> str:
    """Return a time as the tables keep it, ``YYYY-MM-DDTHH:MM:SSZ``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_now() -> str:
    """Return the present as the tables keep it."""
    return utc_text(datetime.now(UTC))
