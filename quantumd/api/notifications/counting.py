"""What hosts have counted, asked of all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.errors import EdgeError
from quantumd.model.counters import PortCounters

AT_ONCE: Final = 8
"""How many hosts are asked at a time."""

log = Logger()


class Counting(Protocol):
    """Knows what ports have sent and received, or what else hosts count."""

    def hosts(self) -> Deferred[Sequence[str]]:
        """Return the hosts that can be asked. EdgeError."""

    def read(self, host: str) -> Deferred[Mapping[str, PortCounters]]:
        """Return the counters of a host by the ids of what they are of. EdgeError."""


async def counted_by_hosts(counting: Counting) -> AsyncIterator[tuple[str, Mapping[str, PortCounters]]]:
    """Yield each host that answers, with what it has counted. EdgeError when it is not known whom to ask."""
    hosts = await counting.hosts()
    for start in range(0, len(hosts), AT_ONCE):
        asked = hosts[start : start + AT_ONCE]
        read = await DeferredList([counting.read(host) for host in asked], consumeErrors=True)
        for host, (_, outcome) in zip(asked, read, strict=True):
            if isinstance(outcome, Failure):
                outcome.trap(EdgeError)
                log.warn("what {host} counted is not told: {why}", host=host, why=outcome.getErrorMessage())
            else:
                yield host, outcome
