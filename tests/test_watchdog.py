"""The watchdog: measures turns of the reactor exactly, says where a long one was."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from quantumd.watchdog import StallWatchdog, seconds_since_process_start


@define
class FakePoller:
    """An epoll object on which nothing ever happens."""

    polls: int = 0

    def poll(self, *_arguments: Any) -> list[Any]:
        self.polls += 1
        return []

    def fileno(self) -> int:
        return 7


@define
class FakeEpollReactor:
    """A reactor that turns when it is told to."""

    _poller: Any = field(factory=FakePoller)

    def callWhenRunning(self, work: Callable[[], None]) -> None:
        work()

    def turn(self) -> None:
        self._poller.poll(0.1, 10)


class WatchdogTests(SynchronousTestCase):
    """What is counted."""

    def setUp(self) -> None:
        """A watchdog on a reactor of ours, with a limit of 20 ms."""
        self.reactor = FakeEpollReactor()
        self.stalls: list[float] = []
        self.events: list[dict[str, Any]] = []
        globalLogPublisher.addObserver(self.events.append)  # type: ignore[arg-type]
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)  # type: ignore[arg-type]
        self.watchdog = StallWatchdog(self.reactor, 0.02, on_stall=self.stalls.append)
        self.watchdog.startService()
        self.addCleanup(self.watchdog.stopService)

    def test_short_turns_are_no_stalls(self) -> None:
        """They are counted only."""
        for _ in range(3):
            self.reactor.turn()
        self.assertEqual((self.watchdog.turns.count, self.watchdog.turns.stalls, self.stalls), (3, 0, []))

    def test_a_long_turn_is_counted_once_with_its_duration(self) -> None:
        """And the service that counts is told."""
        time.sleep(0.04)
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual(self.watchdog.turns.stalls, 1)
        self.assertEqual(len(self.stalls), 1)
        self.assertGreaterEqual(self.stalls[0], 0.04)
        self.assertEqual(self.watchdog.turns.longest_seconds, self.stalls[0])

    def test_a_turn_that_waits_uses_no_cpu_time(self) -> None:
        """So a busy machine can be told from our own slowness."""
        time.sleep(0.04)
        self.reactor.turn()
        self.assertLess(self.watchdog.turns.longest_cpu_seconds, 0.02)

    def test_where_a_long_turn_was_is_logged(self) -> None:
        """The thread that looks in has seen it there."""
        slow_thing()
        self.reactor.turn()
        told = [event for event in self.events if event.get("log_namespace") == "quantumd.watchdog"]
        self.assertEqual(len(told), 1)
        self.assertIn("slow_thing", told[0]["where"])

    def test_the_poller_is_given_back(self) -> None:
        """A stopped watchdog leaves the reactor as it was."""
        self.watchdog.stopService()
        self.assertIsInstance(self.reactor._poller, FakePoller)

    def test_everything_else_of_the_poller_is_passed_on(self) -> None:
        """The reactor registers descriptors with it."""
        self.assertEqual(self.reactor._poller.fileno(), 7)


def slow_thing() -> None:
    """Take long enough to be seen."""
    time.sleep(0.2)


class AgeTests(SynchronousTestCase):
    """The age of the process."""

    def test_it_grows(self) -> None:
        """And was not born in the future."""
        first = seconds_since_process_start()
        self.assertGreaterEqual(seconds_since_process_start(), first)
        self.assertGreater(first, 0)


class OtherReactorTests(SynchronousTestCase):
    """A reactor without epoll."""

    def test_nothing_is_measured(self) -> None:
        """And nothing breaks."""
        watchdog = StallWatchdog(OtherReactor(), 0.02)
        watchdog.startService()
        watchdog.stopService()
        self.assertEqual(watchdog.turns.count, 0)


class OtherReactor:
    """Runs, and has no poller."""

    def callWhenRunning(self, work: Callable[[], None]) -> None:
        work()
