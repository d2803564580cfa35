"""Plans as data: what to do, in which order, without doing it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias

from attrs import frozen

Key: TypeAlias = tuple[str, str]
"""What work is keyed by: ("port", id), ("network", id), ("bridge", name)."""


SWEEP: Key = ("sweep", "")
"""The key of steps that remove what no other key asks for."""


class Step(Protocol):
    """One typed, repeatable change, as a frozen value. ``keys`` are the work keys that it serves."""

    @property
    def keys(self) -> frozenset[Key]:
        """The work keys that this step serves."""


@frozen
class Stage:
    """Steps that may run in any order. Behind a gate that failed, later stages do not run."""

    name: str
    steps: tuple[Step, ...]
    is_gate: bool = False


@frozen
class Plan:
    """Stages in order. An empty plan is a world that is as it should be."""

    stages: tuple[Stage, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not any(stage.steps for stage in self.stages)


NOTHING = Plan()


def merge(plans: Iterable[Plan]) -> Plan:
    """Return one plan with the stages of all, those of the same name joined, in order of first appearance."""
    stages: dict[str, list[Stage]] = {}
    for plan in plans:
        for stage in plan.stages:
            stages.setdefault(stage.name, []).append(stage)
    return Plan(
        tuple(
            Stage(name, tuple(step for stage in same for step in stage.steps), any(stage.is_gate for stage in same))
            for name, same in stages.items()
        )
    )
