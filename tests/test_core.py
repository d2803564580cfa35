"""Where the threads of the process run: together on one core while that is better for them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd import core
from quantumd.core import CORES, LOOK_SECONDS, OneCore, busy_seconds, roam, wanted_core

STAT = """\
cpu  300 0 0 0 0 0 0 0 0 0
cpu0 100 20 30 9000 400 5 6 7 0 0
cpu11 1 2 3 4 5 6 7 8 9 10
intr 12345 0 0
ctxt 99
"""


class BusyTests(SynchronousTestCase):
    """What /proc/stat says."""

    def test_all_but_idling_and_waiting_for_a_disk_counts(self) -> None:
        """Of each core; the sum of all is none."""
        ticks = os.sysconf("SC_CLK_TCK")
        self.assertEqual(busy_seconds(STAT), {0: 168 / ticks, 11: 27 / ticks})

    def test_of_this_machine(self) -> None:
        """The cores that this process may use are among them."""
        with open("/proc/stat") as stat:
            self.assertLessEqual(CORES, set(busy_seconds(stat.read())))


class WantedTests(SynchronousTestCase):
    """Which core is worth being held on."""

    def test_who_idles_is_not_held(self) -> None:
        """It loses nothing."""
        self.assertIsNone(wanted_core(0, 0.24, {0: 0.0, 1: 0.0}))

    def test_who_is_busy_stays_where_it_is(self) -> None:
        """Small differences are worth nothing."""
        self.assertEqual(wanted_core(0, 0.25, {0: 0.2, 1: 0.0}), 0)

    def test_a_core_that_others_use_is_left(self) -> None:
        """For the one that they use least."""
        self.assertEqual(wanted_core(0, 0.9, {0: 0.4, 1: 0.3, 2: 0.1}), 2)

    def test_where_every_core_is_used_by_others_nobody_is_held(self) -> None:
        """The kernel finds what is free from one moment to the next."""
        self.assertIsNone(wanted_core(0, 0.9, {0: 0.6, 1: 0.51}))

    def test_a_core_of_which_nothing_is_known_is_left(self) -> None:
        """It was taken off the machine."""
        self.assertEqual(wanted_core(7, 0.9, {0: 0.1}), 0)

    def test_where_nothing_is_known_nobody_is_held(self) -> None:
        """A kernel that does not tell."""
        self.assertIsNone(wanted_core(0, 0.9, {}))


@define
class FakeMachine:
    """Stands in for what the kernel tells: seconds that cores were busy, and the time that this process had."""

    now: float = 100.0
    own: float = 10.0
    busy: dict[int, float] = field(factory=lambda: dict.fromkeys(CORES, 0.0))

    def pass_time(self, own: float, others: dict[int, float], at: int | None) -> None:
        """Let a look's time pass; ``at`` is the core on which the own time was spent."""
        self.now += LOOK_SECONDS
        self.own += own * LOOK_SECONDS
        for each, share in others.items():
            self.busy[each] += (share + (own if each == at else 0.0)) * LOOK_SECONDS

    def look(self) -> core.Look:
        return core.Look(self.now, dict(self.busy), self.own)


@pytest.mark.skipif(len(CORES) < 2, reason="one core: nothing to choose from")
class OneCoreTests(SynchronousTestCase):
    """The threads of this very process."""

    def setUp(self) -> None:
        """A thread that waits, and a keeper on a clock of ours."""
        self.first, self.second = sorted(CORES)[:2]
        self.machine = FakeMachine()
        self.clock = Clock()
        self.keeper = OneCore(self.clock, self.machine.look)
        self.keeper.startService()
        self.addCleanup(self.keeper.stopService)
        self.other = self.begin_thread()

    def begin_thread(self, does: Callable[[], None] = lambda: None) -> int:
        begun, done = threading.Event(), threading.Event()

        def run() -> None:
            does()
            begun.set()
            done.wait(60)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        begun.wait(10)
        self.addCleanup(thread.join, 10)
        self.addCleanup(done.set)
        return thread.native_id or 0

    def pass_time(self, own: float, others: dict[int, float]) -> None:
        self.machine.pass_time(own, others, self.keeper.core)
        self.clock.advance(LOOK_SECONDS)

    def where(self) -> list[set[int]]:
        return [os.sched_getaffinity(0), os.sched_getaffinity(self.other)]

    def hold(self) -> int:
        self.pass_time(0.9, dict.fromkeys(CORES, 0.45))
        assert self.keeper.core is not None
        return self.keeper.core

    def test_busy_threads_are_held_together(self) -> None:
        """Those that are there, and those that they start."""
        held = self.hold()
        self.assertEqual(self.where(), [{held}, {held}])
        self.assertEqual(os.sched_getaffinity(self.begin_thread()), {held})

    def test_what_they_use_themselves_does_not_drive_them_away(self) -> None:
        """Only what others use counts."""
        held = self.hold()
        self.pass_time(0.95, dict.fromkeys(CORES, 0.0))
        self.assertEqual(self.keeper.core, held)

    def test_they_leave_a_core_that_others_use(self) -> None:
        """Together."""
        held = self.hold()
        self.pass_time(0.5, {each: 0.5 if each == held else 0.1 for each in CORES})
        (left_for,) = os.sched_getaffinity(0)
        self.assertNotEqual(left_for, held)
        self.assertEqual(self.where(), [{left_for}, {left_for}])

    def test_they_are_let_go_when_they_idle(self) -> None:
        """And when the service stops."""
        self.hold()
        self.pass_time(0.1, dict.fromkeys(CORES, 0.0))
        self.assertEqual(self.where(), [set(CORES), set(CORES)])
        self.hold()
        self.keeper.stopService()
        self.assertEqual(self.where(), [set(CORES), set(CORES)])

    def test_who_roams_is_not_held_any_more(self) -> None:
        """Only those that the keeper holds move with it."""
        held = self.hold()
        roaming = self.begin_thread(roam)
        self.assertEqual(os.sched_getaffinity(roaming), CORES)
        self.pass_time(0.5, {each: 0.5 if each == held else 0.1 for each in CORES})
        self.assertEqual(os.sched_getaffinity(roaming), CORES)

    def test_a_kernel_that_hides_its_cores_tells_nothing(self) -> None:
        """So nobody is held: see WantedTests."""
        self.assertEqual(core.look(Path(self.mktemp())).busy, {})

    def test_looks_at_the_real_machine(self) -> None:
        """What the kernel tells can be read."""
        keeper = OneCore(self.clock)
        keeper.startService()
        self.clock.advance(LOOK_SECONDS)
        keeper.stopService()
        self.assertEqual(os.sched_getaffinity(0), CORES)
