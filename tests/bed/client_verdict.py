"""What may not pass of the clients' own tests, and whether more than that did not. Lists are checked in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.bed.client_suite import Outcome

REASONS = frozenset({"routers", "compute", "images", "elsewhere", "broken"})
"""Why a test may not pass; each list says what they mean."""


@frozen
class Allowance:
    """Tests whose names begin so need not pass."""

    reason: str
    beginning: str


@frozen
class Verdict:
    """What came of a run: lines that say what is wrong, and how many passed and did not, by reason."""

    wrong: tuple[str, ...]
    counts: Counter[str]

    @property
    def told(self) -> str:
        """The counts as a line."""
        return ", ".join(f"{number} {what}" for what, number in self.counts.most_common())


def read_allowances(path: Path) -> tuple[Allowance, ...]:
    """Return a list; ValueError when a line is not a reason and the beginning of a name."""
    lines = (line.partition("#")[0].split() for line in path.read_text().splitlines())
    allowances = tuple(Allowance(*words) for words in lines if words)
    unknown = {each.reason for each in allowances} - REASONS
    if unknown:
        raise ValueError(f"{path.name}: no reason to allow anything: {', '.join(sorted(unknown))}")
    return allowances


def judge(outcomes: Sequence[Outcome], allowances: Sequence[Allowance], root: str, is_whole: bool) -> Verdict:
    """Compare what came of the tests below ``root`` with what is allowed.

    :param is_whole: every test was run; then an allowance that no test needs is wrong too.
    """
    needed: Counter[Allowance] = Counter()
    counts: Counter[str] = Counter()
    wrong = []
    for each in outcomes:
        name = each.test.removeprefix(f"{root}.")
        allowance = next((allowed for allowed in allowances if name.startswith(allowed.beginning)), None)
        if each.outcome == "passed":
            counts["passed"] += 1
        elif allowance is None:
            counts[each.outcome] += 1
            wrong.append(f"{each.outcome}: {name}: {each.why}")
        else:
            counts[f"needs {allowance.reason}"] += 1
            needed[allowance] += 1
    if is_whole:
        wrong += [f"allowed, but passes: {each.beginning}" for each in allowances if each not in needed]
    return Verdict(tuple(wrong), counts)
