"""What hosts have counted, asked of all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from quantumd.errors import EdgeError

AT_ONCE: Final = 8
"""How many hosts are asked at a time."""

log = Logger()

Counted = TypeVar("Counted")


class Counting(Protocol[Counted]):
    """Knows what ports have sent and received, or what else hosts count."""

    def hosts(self) -> Deferred[Sequence[str]]:
        """Return the hosts that can be asked. EdgeError."""

    def read(self, host: str) -> Deferred[Sequence[Counted]]:
        """Return what a host has counted. EdgeError."""


async def counted_by_hosts(counting: Counting[Counted]) -> AsyncIterator[tuple[str, Sequence[Counted]]]:
    """Yield each host that answers, with what it has counted. EdgeError when it is not known whom to ask."""
    hosts = await counting.hosts()
    for start in range(0, len(hosts), AT_ONCE):
        asked = hosts[start : start + AT_ONCE]
        read = await DeferredList([counting.read(host) for host in asked], consumeErrors=True)
        for host, (is_told, outcome) in zip(asked, read, strict=True):
            if is_told:
                yield host, outcome
            else:
                _note(host, outcome)


def _note(host: str, failure: Any) -> None:
    failure.trap(EdgeError)
    log.warn("what {host} counted is not told: {why}", host=host, why=failure.getErrorMessage())
