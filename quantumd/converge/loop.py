"""The one loop that every role runs: observe, plan, execute, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.converge.plan import SWEEP, Key
from quantumd.converge.worker import Worker
from quantumd.errors import EdgeError
from quantumd.interfaces import IConverger
from quantumd.model.messages import PortReport
from quantumd.model.records import RecordKey

_FIRST_RETRY_SECONDS = 0.1
_LAST_RETRY_SECONDS = 15.0


@frozen
class PassSummary:
    """What one pass did: for logs and measurements."""

    role: str
    keys: int
    steps: int
    failed_keys: int
    is_full: bool
    seconds: float
    world_seconds: float
    """How much of it the world took to do what it was told."""


Tell = Callable[[tuple[PortReport, ...], bool], None]


@define(eq=False)
class ConvergeService(Service):
    """Drives one converger. Wakes that arrive during a pass are collapsed into the next one.

    Nothing is planned before the snapshot is complete and the world was observed. ``tell(reports, is_complete)`` gets
    what each pass made true; the first full pass after an observation tells everything.
    """

    _converger: IConverger
    _clock: IReactorTime
    _tell: Tell
    _drift_seconds: float = 300.0
    _on_pass: Callable[[PassSummary], None] = lambda summary: None
    _worker: Worker = field(init=False)
    _pending: set[Key] = field(factory=set, init=False)
    _alone: list[Key] = field(factory=list, init=False)
    _attempts: dict[Key, int] = field(factory=dict, init=False)
    _whys: dict[Key, str] = field(factory=dict, init=False)
    """Why each key failed when it was tried last."""
    _is_snapshot_complete: bool = field(default=False, init=False)
    _must_observe: bool = field(default=True, init=False)
    _is_full: bool = field(default=True, init=False)
    _is_busy: bool = field(default=False, init=False)
    _observe_failures: int = field(default=0, init=False)
    _trouble: str = field(default="", init=False)
    _broken_passes: int = field(default=0, init=False)
    _may_observe: bool = field(default=True, init=False)
    _behind_since: float | None = field(default=None, init=False)
    _timers: set[IDelayedCall] = field(factory=set, init=False)
    _log = Logger()

    @_worker.default
    def _make_worker(self) -> Worker:
        return Worker(self._converger, self._clock)

    @property
    def waits_for(self) -> str:
        """What this role waits for before all is realised, in a few words; empty when nothing."""
        if self._must_observe:
            return "the world to be seen"
        if not self._is_snapshot_complete:
            return "its records"
        if self._attempts:
            return f"{len(self._attempts)} things that cannot be realised"
        return "a pass" if self._is_full or self._pending or self._is_busy else ""

    @property
    def is_converged(self) -> bool:
        """Whether a complete pass was made and nothing waits or failed."""
        return not self.waits_for

    @property
    def waiting_keys(self) -> int:
        """How many work keys wait for a pass, or failed in their last."""
        return len(self._pending | self._attempts.keys())

    @property
    def trouble(self) -> str:
        """Why the world could not be seen at the last look; empty when it was."""
        return self._trouble

    @property
    def faults(self) -> Mapping[Key, str]:
        """Why the keys failed that did when they were tried last."""
        return self._whys

    @property
    def lag_seconds(self) -> float:
        """How old the oldest wish is that is not realised; 0 when all is."""
        return 0.0 if self._behind_since is None else self._clock.seconds() - self._behind_since

    def startService(self) -> None:
        """Start listening to the world; passes begin when the snapshot is complete."""
        super().startService()
        self._converger.on_change(self._world_changed)
        self._later(self._drift_seconds, self._look_for_drift)
        self._kick()

    def stopService(self) -> None:
        """Begin no further pass; what is there stays as it is."""
        super().stopService()
        for timer in tuple(self._timers):
            timer.cancel()
        self._timers.clear()

    def records_changed(self, changed: frozenset[RecordKey], is_complete: bool) -> None:
        """Take note of changed records; ``is_complete`` says that the snapshot now lacks nothing."""
        self._is_snapshot_complete = self._is_snapshot_complete or is_complete
        self.wake(self._converger.keys_of(changed))

    def wake(self, keys: Iterable[Key]) -> None:
        """Work on these keys in the next pass."""
        self._pending.update(keys)
        if self._pending and self._behind_since is None:
            self._behind_since = self._clock.seconds()
        self._kick()

    def _world_changed(self, keys: frozenset[Key] | None) -> None:
        if keys is None:
            self._must_observe = self._is_full = self._may_observe = True
            self._kick()
        else:
            self.wake(keys)

    def _look_for_drift(self) -> None:
        self._world_changed(None)
        self._later(self._drift_seconds, self._look_for_drift)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            call()

        timer = self._clock.callLater(seconds, fire)
        self._timers.add(timer)

    def _kick(self) -> None:
        if self.running and not self._is_busy and self._has_work():
            self._is_busy = True
            self._later(0, self._begin)

    def _has_work(self) -> bool:
        if self._must_observe:
            return self._may_observe
        return self._is_snapshot_complete and bool(self._is_full or self._pending or self._alone)

    def _begin(self) -> None:
        done: Deferred[None] = ensureDeferred(self._pass())
        done.addCallbacks(self._passed, self._broke)
        done.addCallback(self._ended)

    def _passed(self, _: object) -> None:
        self._broken_passes = 0

    def _broke(self, failure: Failure) -> None:
        # A bug: what the pass had taken on is not known any more, so everything is looked at again, ever less often.
        self._broken_passes += 1
        self._log.failure("a pass of {role} broke", failure, role=self._converger.role)
        self._later(_delay(self._broken_passes), lambda: self._world_changed(None))

    def _ended(self, _: object) -> None:
        self._is_busy = False
        if self.is_converged:
            self._behind_since = None
        self._kick()

    async def _pass(self) -> None:
        if self._must_observe and not await self._observe():
            return
        if not self._is_snapshot_complete:
            return
        began = self._clock.seconds()
        keys, is_full = self._take_keys()
        faults: dict[Key, str] = {}
        plan = await self._worker.plan(keys, is_full, faults)
        told = self._clock.seconds()
        faults |= await self._worker.execute(plan)
        world_seconds = self._clock.seconds() - told
        self._note_faults(keys | {SWEEP} if is_full else keys, faults)
        self._report(await self._worker.conclude(keys, faults), is_full)
        steps = sum(len(stage.steps) for stage in plan.stages)
        seconds = self._clock.seconds() - began
        summary = PassSummary(self._converger.role, len(keys), steps, len(faults), is_full, seconds, world_seconds)
        self._log_pass(summary)
        self._on_pass(summary)

    def _log_pass(self, summary: PassSummary) -> None:
        if summary.steps:
            self._log.info(
                "{role} did {steps} steps for {keys} keys in {ms} ms",
                role=summary.role,
                steps=summary.steps,
                keys=summary.keys,
                ms=round(summary.seconds * 1000, 2),
                world_ms=round(summary.world_seconds * 1000, 2),
                failed_keys=summary.failed_keys or None,
            )

    async def _observe(self) -> bool:
        self._must_observe = False
        try:
            await maybeDeferred(self._converger.observe)
        except EdgeError as error:
            self._observe_failures += 1
            self._trouble = str(error)
            self._must_observe, self._may_observe = True, False
            delay = _delay(self._observe_failures)
            self._log.warn("{role} cannot look: {why}", role=self._converger.role, why=str(error), retry_seconds=delay)
            self._later(delay, self._retry_observe)
            return False
        self._observe_failures = 0
        self._trouble = ""
        return True

    def _retry_observe(self) -> None:
        self._may_observe = True
        self._kick()

    def _take_keys(self) -> tuple[frozenset[Key], bool]:
        # What changed while the world was looked at may have been missed: after the next look all is gone through anew.
        is_full, self._is_full = self._is_full, self._must_observe
        if is_full:
            self._pending.clear()
            self._alone.clear()
            return self._converger.every_key(), True
        if self._pending:
            keys = frozenset(self._pending)
            self._pending.clear()
            return keys, False
        # A key that failed among others is tried by itself, so that it cannot fail them again.
        return frozenset({self._alone.pop(0)}), False

    def _note_faults(self, keys: frozenset[Key], faults: dict[Key, str]) -> None:
        for key in keys:
            if key not in faults:
                self._attempts.pop(key, None)
                self._whys.pop(key, None)
        for key, why in faults.items():
            self._whys[key] = why
            attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
            self._later(_delay(attempt), lambda key=key: self._try_alone(key))  # type: ignore[misc]

    def _try_alone(self, key: Key) -> None:
        if key == SWEEP:
            self._world_changed(None)
        elif key in self._attempts and key not in self._alone:
            self._alone.append(key)
            self._kick()

    def _report(self, reports: tuple[PortReport, ...], is_full: bool) -> None:
        if is_full and not self._must_observe:
            self._tell(reports, True)
        elif reports:
            self._tell(reports, False)


def _delay(attempt: int) -> float:
    return min(_FIRST_RETRY_SECONDS * 2.0 ** (attempt - 1), _LAST_RETRY_SECONDS)
