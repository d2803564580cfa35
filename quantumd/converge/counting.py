"""A host's answers to what its ports have sent and received, and what its routers have counted.

All is read anew for each question: sums only grow, so a later one is as good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import starmap
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from twisted.internet.defer import Deferred

from quantumd.model.counters import MOST_COUNTED, CountersReply, CountersRequest, PortCount, PortCounters
from quantumd.model.messages import Message
from quantumd.model.meter_counts import MeterCount, MetersReply, MetersRequest

Answers: TypeAlias = Mapping[type[Message], Callable[[Any], Deferred[Message]]]
"""What a role answers by itself, by the kind of question. EdgeError."""

NO_ANSWERS: Final[Answers] = MappingProxyType({})

Counted = TypeVar("Counted", PortCount, MeterCount)


def ports_counted(read: Callable[[], Deferred[Mapping[str, PortCounters]]]) -> Answers:
    """Return the answer of a role that reads the counters of ports by their ids."""

    def answer(request: CountersRequest) -> Deferred[Message]:
        return read().addCallback(lambda found: CountersReply(*page(starmap(PortCount, found.items()), request.after)))

    return {CountersRequest: answer}


def meters_counted(read: Callable[[], Deferred[Iterable[MeterCount]]]) -> Answers:
    """Return the answer of a role that reads what routers have counted."""

    def answer(request: MetersRequest) -> Deferred[Message]:
        return read().addCallback(lambda found: MetersReply(*page(found, request.after)))

    return {MetersRequest: answer}


def page(found: Iterable[Counted], after: Any) -> tuple[tuple[Counted, ...], bool]:
    """Return the first MOST_COUNTED of what comes after a key, in the order of keys, and whether there are more."""
    later = sorted((each for each in found if each.key > after), key=lambda each: each.key)
    return tuple(later[:MOST_COUNTED]), len(later) > MOST_COUNTED
