"""Walks through commands of the ``openstack`` client: tables of what is typed and what it must show."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from attrs import define, field, frozen

from tests.bed.openstack_client import OpenStackClient

Row: TypeAlias = Mapping[str, Any]


@frozen
class Step:
    """One command as a user types it; ``{name}`` in it stands for an id that an earlier step kept.

    ``shows``: columns of what is shown; of a list one such mapping for every row, in any order; None: whatever it is.
    ``keeps``: under which name the id of what is shown is kept. ``refused``: what the command must fail with.
    """

    command: str
    shows: Row | Sequence[Row] | None = None
    keeps: str = ""
    refused: str = ""


Walk: TypeAlias = Sequence[Step]


@define
class Walker:
    """Types the commands of walks, and tells what was not as it must be."""

    openstack: OpenStackClient
    kept: dict[str, str] = field(factory=dict)

    def walk(self, steps: Walk) -> list[str]:
        """Take every step, whatever came of those before it; return what went wrong, a line each."""
        return [f"openstack {step.command}: {wrong}" for step in steps if (wrong := self._take(step))]

    def _take(self, step: Step) -> str:
        try:
            words = shlex.split(step.command.format_map(self.kept))
            shows = _filled(step.shows, self.kept)
        except KeyError as missing:
            return f"an earlier step did not keep {missing}"
        wants_answer = step.shows is not None or bool(step.keeps)
        said = self.openstack.say(*words, *(("-f", "json") if wants_answer else ()))
        if step.refused or said.status:
            is_expected = bool(step.refused) and bool(said.status) and step.refused in said.error
            return "" if is_expected else f"ended with {said.status}: {said.error.strip()}"
        if not wants_answer:
            return ""
        answer = json.loads(said.output)
        if step.keeps:
            found = answer[0] if isinstance(answer, list) else answer
            self.kept[step.keeps] = found.get("id") or found["ID"]
        return "" if shows is None or _is_shown(shows, answer) else f"shows {json.dumps(answer)}, not {shows}"


def _filled(value: Any, kept: Mapping[str, str]) -> Any:
    """Return what is expected with the ids that were kept."""
    if isinstance(value, str) and value.startswith("{"):
        return value.format_map(kept)
    if isinstance(value, Mapping):
        return {_filled(name, kept): _filled(each, kept) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_filled(each, kept) for each in value]
    return value


def _is_shown(wanted: Any, answer: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(answer, dict) and all(
            name in answer and answer[name] == value for name, value in wanted.items()
        )
    left = list(answer) if isinstance(answer, list) else []
    if len(left) != len(wanted):
        return False
    # Rows of which nothing is said take what the others leave.
    for row in sorted(wanted, key=len, reverse=True):
        found = next((each for each in left if _is_shown(row, each)), None)
        if found is None:
            return False
        left.remove(found)
    return True
