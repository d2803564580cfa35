"""Telling now and then: when, and what happens when it does not work."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.notifications.rounds import Rounds
from quantumd.errors import EdgeUnavailable

PERIOD_SECONDS = 60.0


class RoundsTests(SynchronousTestCase):
    """A round every minute."""

    def setUp(self) -> None:
        """Each round waits until the test says how it ends."""
        self.clock = Clock()
        self.begun: list[Deferred[None]] = []
        self.said: list[Any] = []
        observer: Any = self.said.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.rounds = Rounds(self.clock, PERIOD_SECONDS, self.tell, "what exists")
        self.rounds.startService()
        self.addCleanup(self.rounds.stopService)

    async def tell(self) -> None:
        """One round."""
        self.begun.append(Deferred())
        await self.begun[-1]

    def levels(self) -> list[Any]:
        """How grave what was logged is."""
        return [event["log_level"] for event in self.said if event.get("what") == "what exists"]

    def test_the_first_is_after_the_first_period(self) -> None:
        """Then there is one in each."""
        self.clock.advance(PERIOD_SECONDS - 1)
        self.assertEqual(len(self.begun), 0)
        for number in range(1, 4):
            self.clock.advance(1 if number == 1 else PERIOD_SECONDS)
            self.begun[-1].callback(None)
            self.assertEqual(len(self.begun), number)

    def test_one_that_takes_long_is_waited_for(self) -> None:
        """There are never two at once, and none is made up for."""
        self.clock.pump([PERIOD_SECONDS] * 5)
        self.assertEqual(len(self.begun), 1)
        self.begun[0].callback(None)
        self.clock.advance(PERIOD_SECONDS)
        self.assertEqual(len(self.begun), 2)

    def test_one_that_fails_is_told_and_not_repeated(self) -> None:
        """The next is in its turn."""
        self.clock.advance(PERIOD_SECONDS)
        self.begun[0].errback(EdgeUnavailable("the broker is away"))
        self.assertEqual((self.levels(), self.said[-1]["why"]), ([LogLevel.warn], "the broker is away"))
        self.clock.advance(PERIOD_SECONDS - 1)
        self.assertEqual(len(self.begun), 1)
        self.clock.advance(1)
        self.assertEqual(len(self.begun), 2)

    def test_a_bug_is_told_as_one(self) -> None:
        """It ends no further rounds."""
        self.clock.advance(PERIOD_SECONDS)
        self.begun[0].errback(ValueError("a bug"))
        self.assertEqual((self.levels(), len(self.flushLoggedErrors(ValueError))), ([LogLevel.critical], 1))
        self.clock.advance(PERIOD_SECONDS)
        self.assertEqual(len(self.begun), 2)

    def test_the_end_gives_up_the_one_under_way(self) -> None:
        """Silently, and no other comes."""
        self.clock.advance(PERIOD_SECONDS)
        self.rounds.stopService()
        self.assertTrue(self.begun[0].called)
        self.clock.advance(PERIOD_SECONDS)
        self.assertEqual((len(self.begun), self.levels(), self.clock.getDelayedCalls()), (1, [], []))

    def test_it_may_start_again(self) -> None:
        """As services may."""
        self.rounds.stopService()
        self.rounds.startService()
        self.clock.advance(PERIOD_SECONDS)
        self.assertEqual(len(self.begun), 1)
