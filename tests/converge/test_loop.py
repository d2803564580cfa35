"""The loop: when it plans, what it retries, what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from quantumd.converge.loop import ConvergeService, PassSummary
from quantumd.converge.plan import Key, Plan, Stage, Step
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import IConverger
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.records import RecordKey


@frozen
class Switch:
    """A step that makes one key true."""

    keys: frozenset[Key]


@implementer(IConverger)
@define(eq=False)
class Lamps:
    """A world of lamps: a record wants a lamp, a step lights it; ``broken`` ones refuse."""

    role = "lamps"
    wanted: set[Key] = field(factory=set)
    lit: set[Key] = field(factory=set)
    broken: set[Key] = field(factory=set)
    is_visible: bool = True
    is_buggy: bool = False
    observations: int = 0
    together: bool = False
    pending: list[Deferred[None]] = field(factory=list)
    is_slow: bool = False
    looking: Deferred[None] | None = None
    listener: Callable[[frozenset[Key] | None], None] | None = None

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        self.listener = listener

    def observe(self) -> Deferred[None]:
        self.observations += 1
        if self.looking is not None:
            return self.looking
        return succeed(None) if self.is_visible else fail(EdgeUnavailable("it is dark"))

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        return frozenset(changed)

    def every_key(self) -> frozenset[Key]:
        return frozenset(self.wanted | self.lit)

    def plan(self, keys: frozenset[Key]) -> Plan:
        missing = frozenset(key for key in keys if key in self.wanted and key not in self.lit)
        steps = [Switch(missing)] if self.together else [Switch(frozenset({key})) for key in sorted(missing, key=str)]
        return Plan((Stage("light", tuple(steps)),)) if missing else Plan()

    def sweep(self) -> Plan:
        return Plan()

    def execute(self, step: Step) -> Deferred[None]:
        if self.is_buggy:
            raise ZeroDivisionError
        if step.keys & self.broken:
            return fail(EdgeUnavailable("it is broken"))
        self.lit |= step.keys
        done: Deferred[None] = Deferred()
        if self.is_slow:
            self.pending.append(done)
            return done
        return succeed(None)

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        return tuple(PortReport(str(key), int(key in self.lit), True, faults.get(key)) for key in keys)

    def describe(self) -> HostReport:
        return HostReport("host", self.role, "0")


A, B = ("port", "a"), ("port", "b")


class LoopTests(SynchronousTestCase):
    """One loop driving lamps on a clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.lamps = Lamps()
        self.told: list[tuple[tuple[PortReport, ...], bool]] = []
        self.passes: list[PassSummary] = []
        self.loop = ConvergeService(
            self.lamps, self.clock, lambda reports, is_complete: self.told.append((reports, is_complete)), 300.0,
            self.passes.append,
        )  # fmt: skip
        self.addCleanup(self.loop.stopService)

    def start(self, *wanted: tuple[str, str]) -> None:
        self.lamps.wanted.update(wanted)
        self.loop.startService()
        self.loop.records_changed(frozenset(wanted), True)
        self.turn()

    def turn(self, seconds: float = 0.0) -> None:
        self.clock.pump([seconds] + [0.0] * 20)

    def test_nothing_is_planned_before_the_snapshot_is_complete(self) -> None:
        """Absence of information never changes the world, nor a status."""
        self.lamps.wanted.add(A)
        self.loop.startService()
        self.loop.records_changed(frozenset({A}), False)
        self.turn()
        self.assertEqual((self.lamps.lit, self.told), (set(), []))

    def test_first_pass_tells_everything(self) -> None:
        """After its first observation a role reports completely."""
        self.start(A, B)
        self.assertEqual(self.lamps.lit, {A, B})
        self.assertEqual([is_complete for _, is_complete in self.told], [True])
        self.assertTrue(self.loop.is_converged)

    def test_nothing_is_planned_before_the_world_is_seen(self) -> None:
        """A world that cannot be observed is looked at again, and not touched until it can."""
        self.lamps.is_visible = False
        self.start(A)
        self.assertEqual(self.lamps.lit, set())
        self.lamps.is_visible = True
        self.turn(1.0)
        self.assertEqual(self.lamps.lit, {A})

    def test_wakes_during_a_pass_are_collapsed(self) -> None:
        """Ten hints that arrive while a pass runs make one more pass."""
        self.lamps.is_slow = True
        self.start(A)
        self.lamps.wanted.add(B)
        for _ in range(10):
            self.loop.wake([B])
        self.lamps.is_slow = False
        self.lamps.pending.pop().callback(None)
        self.turn()
        self.assertEqual(self.lamps.lit, {A, B})
        self.assertEqual(len(self.passes), 2)

    def test_failed_step_does_not_stop_its_siblings(self) -> None:
        """One port that cannot be realised does not hold up another, and its report says why."""
        self.lamps.broken.add(A)
        self.start(A, B)
        self.assertEqual(self.lamps.lit, {B})
        faults = {report.port_id: report.fault for report in self.told[0][0]}
        self.assertEqual(faults, {str(A): "it is broken", str(B): None})
        self.assertEqual(self.loop.waits_for, "1 things that cannot be realised")

    def test_keys_that_failed_together_are_tried_alone(self) -> None:
        """A bad port in a step with others fails them once, not for ever."""
        self.lamps.together = True
        self.lamps.broken.add(A)
        self.start(A, B)
        self.assertEqual(self.lamps.lit, set())
        self.turn(1.0)
        self.turn(1.0)
        self.assertEqual(self.lamps.lit, {B})

    def test_retries_back_off(self) -> None:
        """A step that goes on failing is tried less and less often."""
        self.lamps.broken.add(A)
        self.start(A)
        for _ in range(600):
            self.clock.advance(0.1)
        self.assertLess(len(self.passes), 14)
        self.assertGreater(len(self.passes), 5)

    def test_repaired_world_is_told(self) -> None:
        """Once a failing step works, the report says so and the loop is at rest."""
        self.lamps.broken.add(A)
        self.start(A)
        self.lamps.broken.clear()
        self.turn(1.0)
        self.assertEqual(self.told[-1][0], (PortReport(str(A), 1, True, None),))
        self.assertTrue(self.loop.is_converged)

    def test_drift_is_found_on_the_slow_timer(self) -> None:
        """What a stranger changed is put back at the next look."""
        self.start(A)
        self.lamps.lit.clear()
        self.turn(301.0)
        self.assertEqual(self.lamps.lit, {A})
        self.assertEqual(self.lamps.observations, 2)

    def test_a_world_that_changes_while_it_is_looked_at_is_looked_at_again(self) -> None:
        """And all is gone through again then: the look may have come too early for what changed."""
        looking: Deferred[None] = Deferred()
        self.lamps.looking = looking
        self.start(A)
        assert self.lamps.listener is not None
        self.lamps.listener(None)
        self.lamps.looking = None
        looking.callback(None)
        self.turn()
        self.assertEqual([each.is_full for each in self.passes], [True, True])
        self.assertEqual(self.lamps.observations, 2)
        self.assertTrue(self.loop.is_converged)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_reconnected_world_is_observed_anew(self) -> None:
        """When the edge says that anything may have changed, everything is read and told again."""
        self.start(A)
        self.lamps.lit.clear()
        assert self.lamps.listener is not None
        self.lamps.listener(None)
        self.turn()
        self.assertEqual(self.lamps.lit, {A})
        self.assertEqual([is_complete for _, is_complete in self.told], [True, True])

    def test_stopped_loop_begins_nothing(self) -> None:
        """After the stop a hint changes nothing."""
        self.start(A)
        self.loop.stopService()
        self.lamps.wanted.add(B)
        self.loop.wake([B])
        self.turn(1.0)
        self.assertEqual(self.lamps.lit, {A})

    def test_bug_in_a_step_is_logged_and_retried(self) -> None:
        """An error that nobody expected is logged with its traceback and does not end the loop."""
        self.lamps.is_buggy = True
        self.start(A)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.loop.waits_for, "1 things that cannot be realised")
