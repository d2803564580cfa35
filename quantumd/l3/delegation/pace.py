"""How often a message is sent until it is answered. Pure. Source: RFC 8415, 7.6 and 15."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from quantumd.edge.dhcpv6.messages import MessageType6

SPREAD: Final = 0.1
"""By which part a time is longer or shorter than it would be, by chance."""
SOLICIT_DELAY_SECONDS: Final = 1.0
"""Up to how long the first SOLICIT waits, so that not all clients speak at once."""


@frozen
class Pace:
    """The first time to wait, the longest one (0: any), and how often it is sent at most (0: for ever)."""

    first_seconds: float
    most_seconds: float
    most_tries: int = 0

    def wait(self, before: float, chance: float) -> float:
        """Return how long to wait after a message for its answer.

        :param before: how long was waited before that; 0 for the first.
        :param chance: between 0 and 1.
        """
        spread = (chance * 2 - 1) * SPREAD
        if not before:
            # Never shorter: of a SOLICIT that is forbidden, so that servers have their time.
            return self.first_seconds * (1 + abs(spread))
        waited = before * (2 + spread)
        return self.most_seconds * (1 + spread) if 0 < self.most_seconds < waited else waited


PACES: Final[Mapping[MessageType6, Pace]] = {
    MessageType6.SOLICIT: Pace(1.0, 3600.0),
    MessageType6.REQUEST: Pace(1.0, 30.0, 10),
    MessageType6.RENEW: Pace(10.0, 600.0),
    MessageType6.REBIND: Pace(10.0, 600.0),
    MessageType6.RELEASE: Pace(1.0, 0.0, 4),
}
