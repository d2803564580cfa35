"""How many connections and requests a port may have. Time is passed in."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from attrs import define, field

_MOST_REMEMBERED: Final = 10_000
"""Of how many ports it is known when they last asked: one that is forgotten begins anew."""


@define(eq=False)
class _Bucket:
    tokens: float
    at: float


@define(eq=False)
class Paces:
    """Counts by port. Of ports that are not known together there may be as many connections as of one port."""

    rate_per_second: float
    burst: float
    most_connections: int
    _open: dict[str, int] = field(factory=dict, init=False)
    _buckets: OrderedDict[str, _Bucket] = field(factory=OrderedDict, init=False)

    def enter(self, port_id: str) -> bool:
        """Note a new connection; return whether there may be one more. A port that is not known has none."""
        count = self._open.get(port_id, 0)
        if count >= self.most_connections:
            return False
        if port_id:
            self._open[port_id] = count + 1
        return True

    def leave(self, port_id: str) -> None:
        """Note that a connection has ended."""
        count = self._open.get(port_id, 0) - 1
        if count > 0:
            self._open[port_id] = count
        else:
            self._open.pop(port_id, None)

    def may_ask(self, port_id: str, now: float) -> bool:
        """Note a request; return whether it may be answered."""
        bucket = self._buckets.get(port_id)
        if bucket is None:
            bucket = self._buckets[port_id] = _Bucket(self.burst, now)
            if len(self._buckets) > _MOST_REMEMBERED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(port_id)
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.at) * self.rate_per_second)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
