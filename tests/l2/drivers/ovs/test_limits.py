"""How many connections a network may have, when the switch refuses to be told."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.tracked.memory import MemoryConnections
from quantumd.errors import EdgeUnavailable
from quantumd.l2.drivers.ovs.limits import RETRY_SECONDS, Limits


@define(eq=False)
class _Unwilling(MemoryConnections):
    """Refuses while it is told to."""

    is_unwilling: bool = True
    told: list[tuple[frozenset[int], int]] = field(factory=list)

    def limit(self, zones: frozenset[int], most: int) -> Deferred[None]:
        """Refuse, or note."""
        if self.is_unwilling:
            return fail(EdgeUnavailable("no"))
        self.told.append((zones, most))
        return succeed(None)


class LimitsTests(SynchronousTestCase):
    """What is asked for is done some day."""

    def test_what_fails_is_said_and_tried_again(self) -> None:
        """With what was asked for meanwhile."""
        clock, connections = Clock(), _Unwilling(MemorySwitch())
        limits = Limits(connections, clock, 7)
        limits.take({1})
        limits.take({2})
        self.assertEqual(limits.trouble, "no")
        connections.is_unwilling = False
        clock.advance(RETRY_SECONDS)
        self.assertEqual((connections.told, limits.trouble), ([(frozenset({1, 2}), 7)], ""))
        limits.take({3})
        self.assertEqual(connections.told[1:], [(frozenset({3}), 7)])
