"""How long a host counts as alive after its last report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen

MOST_REPORT_SECONDS = 60.0
"""The longest time between two reports of a host."""

_REPORTS_IN_TIME = 3
"""How many reports of a host can come before it counts as silent."""


def report_seconds(down_seconds: float) -> float:
    """Return how often a host must report so that two reports in a row may be late or lost before it seems silent."""
    return min(down_seconds / _REPORTS_IN_TIME, MOST_REPORT_SECONDS)


@frozen
class Deafness:
    """A time in which no report could be heard: the server side was off, or the broker away. ``ended``: it is over."""

    began: datetime
    ended: datetime


@frozen
class HostLife:
    """A host is alive for ``down_seconds`` after its last report, and ``here``, the host of this process, always is.

    While somebody asks this process, its roles run, however old their last report is: after the process was off or the
    machine was suspended, after a stall, or when the clock was set.

    ``deafness`` returns the last time in which nothing could be heard, or None. Who was alive when it began has
    ``down_seconds`` from its end to report.
    """

    down_seconds: int
    here: str = ""
    deafness: Callable[[], Deafness | None] = lambda: None

    def oldest(self, now: datetime) -> datetime:
        """Return the oldest report by which another host is alive."""
        limit = timedelta(seconds=self.down_seconds)
        deaf = self.deafness()
        since = now if deaf is None or now - deaf.ended > limit else min(now, deaf.began)
        return since - limit

    def is_alive(self, host: str, reported_at: datetime, now: datetime) -> bool:
        """Return whether a host is alive that reported last at that time."""
        return host == self.here or reported_at >= self.oldest(now)
