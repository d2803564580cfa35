"""One pass over some keys: planned, executed, concluded. When passes are made is the loop's matter."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from attrs import define
from twisted.internet.defer import DeferredList, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantumd.converge.plan import Key, Plan, Stage, Step, merge
from quantumd.errors import EdgeError
from quantumd.interfaces import IConverger
from quantumd.model.messages import PortReport

SLICE_SECONDS = 0.008
"""How long planning may go on before other work of the reactor gets its turn."""

_CHUNK_KEYS = 16


@define(eq=False)
class Worker:
    """Has a converger work, without holding the reactor for long."""

    _converger: IConverger
    _clock: IReactorTime
    _log = Logger()

    async def plan(self, keys: frozenset[Key], is_full: bool, faults: dict[Key, str]) -> Plan:
        """Return what makes these keys true, and the sweep when all are; adds to ``faults`` what cannot be planned."""
        plans: list[Plan] = []
        waiting = iter(keys)
        slice_began = self._clock.seconds()
        while chunk := frozenset(islice(waiting, _CHUNK_KEYS)):
            plans += self._plan_chunk(chunk, faults)
            if self._clock.seconds() - slice_began > SLICE_SECONDS:
                await deferLater(self._clock, 0)
                slice_began = self._clock.seconds()
        if is_full:
            plans.append(self._converger.sweep())
        return merge(plans)

    def _plan_chunk(self, chunk: frozenset[Key], faults: dict[Key, str]) -> list[Plan]:
        try:
            return [self._converger.plan(chunk)]
        except EdgeError as error:
            if len(chunk) > 1:
                return [plan for key in chunk for plan in self._plan_chunk(frozenset({key}), faults)]
            self._log.warn("{role} cannot plan: {why}", role=self._converger.role, why=str(error))
            faults.update((key, str(error)) for key in chunk)
            return []

    async def execute(self, plan: Plan) -> dict[Key, str]:
        """Do it, stage by stage; return why which keys failed. What stands behind a gate that failed is not tried."""
        faults: dict[Key, str] = {}
        for position, stage in enumerate(plan.stages):
            failed = await self._execute_stage(stage)
            faults.update(failed)
            if failed and stage.is_gate:
                for later in plan.stages[position + 1 :]:
                    faults.update((key, f"not tried: {stage.name} failed") for step in later.steps for key in step.keys)
                break
        return faults

    async def _execute_stage(self, stage: Stage) -> dict[Key, str]:
        faults: dict[Key, str] = {}
        results = await DeferredList(
            [maybeDeferred(self._converger.execute, step) for step in stage.steps], consumeErrors=True
        )
        outcomes: list[object] = [outcome for _, outcome in results]
        for step, outcome in zip(stage.steps, outcomes, strict=True):
            if isinstance(outcome, Failure):
                self._log_failed(step, outcome)
                faults.update((key, str(outcome.value)) for key in step.keys)
        return faults

    def _log_failed(self, step: Step, failure: Failure) -> None:
        if failure.check(EdgeError):
            name = type(step).__name__
            self._log.warn(
                "{role} step {step} failed: {why}", role=self._converger.role, step=name, why=str(failure.value)
            )
        else:
            self._log.failure("step {step} of {role} broke", failure, step=step, role=self._converger.role)

    async def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """Return what is to be told of ports after these keys were worked on."""
        reports: dict[str, PortReport] = {}
        # Ports come last: what is true of them depends on their networks and bridges.
        waiting = iter(sorted(keys, key=_is_port))
        slice_began = self._clock.seconds()
        while chunk := frozenset(islice(waiting, _CHUNK_KEYS)):
            reports.update((report.port_id, report) for report in self._converger.conclude(chunk, faults))
            if self._clock.seconds() - slice_began > SLICE_SECONDS:
                await deferLater(self._clock, 0)
                slice_began = self._clock.seconds()
        return tuple(reports.values())


def _is_port(key: Key) -> bool:
    return key[0] == "port"
