"""A host's answer to what its ports have sent and received."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from attrs import frozen
from twisted.internet.defer import Deferred

from quantumd.model.counters import MOST_COUNTED, CountersReply, CountersRequest, PortCount, PortCounters


@frozen
class PortCounting:
    """Reads the counters of the host's ports anew for each request: sums only grow, so a later one is as good."""

    _read: Callable[[], Deferred[Mapping[str, PortCounters]]]

    def answer(self, request: CountersRequest) -> Deferred[CountersReply]:
        """Return those that were asked for. EdgeError."""
        return self._read().addCallback(lambda counters: page(counters, request.after))


def page(counters: Mapping[str, PortCounters], after: str) -> CountersReply:
    """Return the first MOST_COUNTED of what comes after an id, in the order of ids, and whether there are more."""
    ids = sorted(port_id for port_id in counters if port_id > after)
    told = tuple(PortCount(port_id, counters[port_id]) for port_id in islice(ids, MOST_COUNTED))
    return CountersReply(told, len(ids) > MOST_COUNTED)
