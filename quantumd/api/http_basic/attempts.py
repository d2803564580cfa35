"""How often callers may fail: counted by whatever they are known by, in memory that does not grow. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from attrs import define, field

WINDOW_SECONDS: Final = 60.0
"""How long a failure counts."""

MOST_KEYS: Final = 10_000
"""Of how many users and addresses failures are remembered; those of the one that failed longest ago go first."""

_SITE_PREFIX: Final = 64


@define(eq=False)
class Failures:
    """Lets ``limit`` failures within a minute pass for each key. ``now_seconds`` never goes back."""

    _limit: int
    _failed: OrderedDict[str, deque[float]] = field(factory=OrderedDict, init=False)

    def wait_seconds(self, key: str, now_seconds: float) -> int:
        """Return after how many seconds the next attempt is looked at, 0 meaning now."""
        times = self._failed.get(key)
        if times is None:
            return 0
        while times and times[0] <= now_seconds - WINDOW_SECONDS:
            times.popleft()
        return ceil(times[0] + WINDOW_SECONDS - now_seconds) if len(times) >= self._limit else 0

    def add(self, key: str, now_seconds: float) -> None:
        """Note a failure."""
        times = self._failed.setdefault(key, deque(maxlen=self._limit))
        times.append(now_seconds)
        self._failed.move_to_end(key)
        while len(self._failed) > MOST_KEYS:
            self._failed.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Take the newest failure back: it was none."""
        times = self._failed.get(key)
        if times:
            times.pop()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._failed)


def peer_key(peer: str) -> str:
    """Return by what the caller at an address is known: an IPv6 caller has all of its /64."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None or address.version == 4:
        return str(mapped or address)
    return str(ip_network((address, _SITE_PREFIX), strict=False))
