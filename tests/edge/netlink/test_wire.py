"""A netlink socket and the reactor that it shares with everything else."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netlink.wire import ACK, NetlinkWire
from quantumd.edge.netns import messages as m
from tests.edge.test_descriptors import WatchingReactor

_ROUTE: Final = 0
_EACH_SECONDS: Final = 0.003
_ASKED: Final = 8


class TurnTests(SynchronousTestCase):
    """One after the other is asked, each as soon as the one before is answered, and the kernel takes its time."""

    def setUp(self) -> None:
        self.reactor = WatchingReactor()
        self.wire = NetlinkWire(self.reactor, _ROUTE)
        self.wire.open()
        self.addCleanup(self.reactor.advance, 0)
        self.addCleanup(self.wire.close)
        self.answered = 0

    async def ask(self) -> None:
        """Ask for one device again and again."""
        for _ in range(_ASKED):
            await self.wire.request(m.GET_LINK, ACK, m.named("lo"))
            self.answered += 1
            self.reactor.advance(_EACH_SECONDS)

    def test_others_get_their_turn_in_between(self) -> None:
        """After two of 3 ms each: more than 5 ms no socket has at once. None of it is lost."""
        done: Deferred[None] = ensureDeferred(self.ask())
        self.wire.doRead()
        self.assertEqual(self.answered, 2)
        for _ in range(_ASKED):
            self.wire.doRead()
        self.successResultOf(done)
