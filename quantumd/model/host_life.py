"""How long a host counts as alive after its last report."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen


@frozen
class HostLife:
    """A host is alive for ``down_seconds`` after its last report, and ``here``, the host of this process, always is.

    While somebody asks this process, its roles run, however old their last report is: after the process was off or the
    machine was suspended, after a stall, or when the clock was set.
    """

    down_seconds: int
    here: str = ""

    def oldest(self, now: datetime) -> datetime:
        """Return the oldest report by which another host is alive."""
        return now - timedelta(seconds=self.down_seconds)

    def is_alive(self, host: str, reported_at: datetime, now: datetime) -> bool:
        """Return whether a host is alive that reported last at that time."""
        return host == self.here or reported_at >= self.oldest(now)
