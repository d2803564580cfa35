"""What a rule lets see, as SQL can say it: rules about seeing become lists of (who, which rows), made once at start.

``(role:reader and project_id:%(project_id)s) or rule:shared`` is: readers, the rows of their project; everybody, what
is shared with them. Whoever asks, the rows that may be seen are then a set of grants, and the store makes SQL of it.
Rules that cannot be said so are refused at start: nothing is ever filtered afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from quantumd.api.policy.checks import ADMIN_RULE, Compiled, field_of, leaf, nothing_known, target_name
from quantumd.api.policy.parse import Always, BadCheck, Check, Not, Some, Tree
from quantumd.model.context import EXTERNAL, OWN, PARENT, SHARED, Context

EVERYTHING: Final = "everything"
_MOST_TERMS: Final = 200

_PARENTS: Final = frozenset({"network:project_id", "ext_parent:project_id", "security_group:project_id"})
_Literal: TypeAlias = tuple[Check, bool]
"""A check, and whether it must pass or must not."""


@frozen
class Term:
    """Callers who pass all of ``checks`` see the rows that ``grant`` names."""

    checks: tuple[tuple[Compiled, bool], ...]
    grant: str

    def holds(self, context: Context) -> bool:
        """Whether it is about this caller."""
        for check, wanted in self.checks:  # noqa: SIM110 - every request asks, and a generator costs twice as much
            if check(context, nothing_known) is not wanted:
                return False
        return True


def terms_of(rule: str, trees: Mapping[str, Tree], grants: frozenset[str]) -> tuple[Term, ...]:
    """Return a rule about seeing as terms.

    :param grants: which there are for the resource.
    :raises BadCheck: SQL cannot say it.
    """
    return tuple(_term(literals, grants) for literals in _alternatives(trees[rule], trees, True))


def granted(terms: tuple[Term, ...], context: Context) -> frozenset[str]:
    """Return which rows the caller sees."""
    found: set[str] = set()
    for term in terms:
        if term.grant not in found and term.holds(context):
            found.add(term.grant)
    return frozenset(found)


def _alternatives(tree: Tree, trees: Mapping[str, Tree], is_wanted: bool) -> list[tuple[_Literal, ...]]:
    """Return what the tree asks for as alternatives of literals that must all hold."""
    if isinstance(tree, Always):
        return [()] if tree.is_allowed is is_wanted else []
    if isinstance(tree, Not):
        return _alternatives(tree.part, trees, not is_wanted)
    if isinstance(tree, Check):
        if tree.kind == "rule" and tree.match != ADMIN_RULE:
            return _alternatives(trees[tree.match], trees, is_wanted)
        return [((tree, is_wanted),)]
    if isinstance(tree, Some) is is_wanted:
        return [each for part in tree.parts for each in _alternatives(part, trees, is_wanted)]
    found: list[tuple[_Literal, ...]] = [()]
    for part in tree.parts:
        found = [(*left, *right) for left in found for right in _alternatives(part, trees, is_wanted)]
        if len(found) > _MOST_TERMS:
            raise BadCheck("it has too many alternatives")
    return found


def _term(literals: tuple[_Literal, ...], grants: frozenset[str]) -> Term:
    of_rows = frozenset(_rows(literals))
    unknown = {grant for grant, _ in of_rows} - grants
    if unknown:
        raise BadCheck(f"rows of this resource cannot be selected by what is {' and '.join(sorted(unknown))}")
    if len(of_rows) > 1 or any(not is_wanted for _, is_wanted in of_rows):
        raise BadCheck("rows are selected by one of owner, shared, external or owner of the parent, not by both or not")
    checks = tuple((_of_caller(check), is_wanted) for check, is_wanted in literals if _grant(check) is None)
    return Term(checks, next((grant for grant, _ in of_rows), EVERYTHING))


def _rows(literals: tuple[_Literal, ...]) -> Iterator[tuple[str, bool]]:
    for check, is_wanted in literals:
        grant = _grant(check)
        if grant is not None:
            yield grant, is_wanted


def _of_caller(check: Check) -> Compiled:
    if check.kind == "rule":
        return lambda context, target: context.is_admin
    return leaf(check)


def _grant(check: Check) -> str | None:
    """Return which rows a check selects, None for a check of the caller alone. BadCheck for any other."""
    if check.kind == "field":
        name, text = field_of(check.match)
        _, _, attribute = name.partition(":")
        if text.lower() == "true" and attribute in _FIELDS:
            return _FIELDS[attribute]
        raise BadCheck(f"rows cannot be selected by field:{check.match}")
    if check.kind in ("rule", "role", "service_roles", "is_admin"):
        return None
    target = target_name(check.match)
    if target is None:
        return None
    if check.kind in ("project_id", "tenant_id") and target == "project_id":
        return OWN
    if check.kind in ("project_id", "tenant_id") and target in _PARENTS:
        return PARENT
    raise BadCheck(f"rows cannot be selected by {check.kind}:{check.match}")


_FIELDS: Final[Mapping[str, str]] = {"shared": SHARED, "router:external": EXTERNAL}
