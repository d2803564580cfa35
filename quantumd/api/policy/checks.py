"""Trees of checks made into functions, once, so that a request parses and looks up nothing.

A compiled check answers yes, no, or None: that depends on what of the target is not known yet. So one function decides
before anything is read whatever the caller alone decides, and later the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from quantumd.api.policy.parse import All, Always, BadCheck, Check, Not, Some, Tree
from quantumd.model.context import Context

Target: TypeAlias = Callable[[str], Any]
"""What of the target has a name: ``project_id``, ``network:project_id``, ``port:device_owner``; UNKNOWN if unread."""
Compiled: TypeAlias = Callable[[Context, Target], "bool | None"]


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""What is not known of a target."""

ADMIN_RULE: Final = "context_is_admin"
"""The rule that makes a caller administrator; it is asked once a request, when its context is bound."""

IMPLIED: Final[Mapping[str, tuple[str, ...]]] = {
    "reader": ("reader", "member", "manager", "admin"),
    "member": ("member", "manager", "admin"),
    "manager": ("manager", "admin"),
}
"""Who has a role: those whose role includes it, as Keystone's default roles imply each other."""

KINDS: Final = (
    "rule", "role", "service_roles", "project_id", "tenant_id", "user_id", "system_scope", "is_admin", "field"
)  # fmt: skip
_OF_TARGET: Final = re.compile(r"%\(([^()\s]+)\)s")
_MEMBERS: Final = {"policies": "policy"}
_TRUTHS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "none": None}


def nothing_known(name: str) -> Any:
    """The target of which nothing is known."""
    return UNKNOWN


def compile_rules(trees: Mapping[str, Tree]) -> dict[str, Compiled]:
    """Return each rule as a function.

    :raises RuleError: a check is none, refers to no rule, or rules refer to each other in a circle.
    """
    compiled: dict[str, Compiled] = {}
    for name in trees:
        _rule(name, trees, compiled, ())
    return compiled


class RuleError(Exception):
    """A rule cannot be used: its name, and a clause that says why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, why)
        self.name, self.why = name, why


def _rule(name: str, trees: Mapping[str, Tree], compiled: dict[str, Compiled], above: tuple[str, ...]) -> Compiled:
    if name in compiled:
        return compiled[name]
    if name in above:
        raise RuleError(above[-1], f"it refers to itself by way of {' -> '.join((*above[above.index(name) :], name))}")
    try:
        compiled[name] = _compiled(trees[name], lambda other: _referred(name, other, trees, compiled, (*above, name)))
    except BadCheck as bad:
        raise RuleError(name, str(bad)) from None
    return compiled[name]


def _referred(
    name: str, other: str, trees: Mapping[str, Tree], compiled: dict[str, Compiled], above: tuple[str, ...]
) -> Compiled:
    if other not in trees:
        raise RuleError(name, f"there is no rule {other!r}")
    found = _rule(other, trees, compiled, above)
    return _is_admin if other == ADMIN_RULE else found


def _is_admin(context: Context, target: Target) -> bool:
    return context.is_admin


def _compiled(tree: Tree, rule_of: Callable[[str], Compiled]) -> Compiled:
    if isinstance(tree, Always):
        return _always if tree.is_allowed else _never
    if isinstance(tree, Not):
        return _not(_compiled(tree.part, rule_of))
    if isinstance(tree, All):
        return _all(tuple(_compiled(part, rule_of) for part in tree.parts))
    if isinstance(tree, Some):
        return _some(tuple(_compiled(part, rule_of) for part in tree.parts))
    return rule_of(tree.match) if tree.kind == "rule" else leaf(tree)


def _always(context: Context, target: Target) -> bool:
    return True


def _never(context: Context, target: Target) -> bool:
    return False


def _not(part: Compiled) -> Compiled:
    def check(context: Context, target: Target) -> bool | None:
        found = part(context, target)
        return None if found is None else not found

    return check


def _all(parts: tuple[Compiled, ...]) -> Compiled:
    def check(context: Context, target: Target) -> bool | None:
        answer: bool | None = True
        for part in parts:
            found = part(context, target)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return check


def _some(parts: tuple[Compiled, ...]) -> Compiled:
    def check(context: Context, target: Target) -> bool | None:
        answer: bool | None = False
        for part in parts:
            found = part(context, target)
            if found:
                return True
            if found is None:
                answer = None
        return answer

    return check


def leaf(check: Check) -> Compiled:
    """Return one check, other than of a rule, as a function. BadCheck when there is no such check."""
    kind, match = check.kind, check.match
    if kind == "role":
        return _role(match)
    if kind == "field":
        return _field(match)
    if kind == "service_roles":
        return lambda context, target: match.lower() in context.service_roles
    if kind == "is_admin":
        return lambda context, target: str(context.is_admin).lower() == match.lower()
    if kind in _CALLERS:
        return _caller(_CALLERS[kind], match)
    if kind[0] in "'\"" or kind.lower() in _TRUTHS:
        return _literal(kind.strip("'\""), match)
    raise BadCheck(
        f"{kind}:{match} is no check; there are rule, role, field, project_id, user_id, system_scope, 'text'"
    )


def _role(name: str) -> Compiled:
    having = frozenset(IMPLIED.get(name.lower(), (name.lower(),)))
    return lambda context, target: not having.isdisjoint(context.roles)


_CALLERS: Final[Mapping[str, Callable[[Context], str | None]]] = {
    "project_id": lambda context: context.project_id,
    "tenant_id": lambda context: context.project_id,
    "user_id": lambda context: context.user_id,
    "system_scope": lambda context: context.system_scope,
}


def _caller(own: Callable[[Context], str | None], match: str) -> Compiled:
    name = target_name(match)
    if name is None:
        return lambda context, target: own(context) == match

    def check(context: Context, target: Target) -> bool | None:
        mine, theirs = own(context), target(name)
        # Who is in no project owns nothing, not even what belongs to none.
        if not mine:
            return False
        return None if theirs is UNKNOWN else mine == theirs

    return check


def target_name(match: str) -> str | None:
    """Return which part of the target ``%(name)s`` is, by the names that are used today; None for a literal."""
    found = _OF_TARGET.fullmatch(match)
    if found is None:
        if "%" in match:
            raise BadCheck(f"{match!r} is neither a text nor %(name)s")
        return None
    parent, colon, name = found[1].rpartition(":")
    return f"{parent}{colon}{'project_id' if name == 'tenant_id' else name}"


def _literal(text: str, match: str) -> Compiled:
    name = target_name(match)
    if name is None:
        return _always if text == match else _never

    def check(context: Context, target: Target) -> bool | None:
        value = target(name)
        return None if value is UNKNOWN else value is not None and str(value) == text

    return check


def field_of(match: str) -> tuple[str, str]:
    """Return the name and the wanted text of ``networks:router:external=True``. BadCheck."""
    path, equals, text = match.partition("=")
    resource, colon, name = path.partition(":")
    if not equals or not colon or not name:
        raise BadCheck(f"field:{match} is not field:resource:attribute=value")
    member = _MEMBERS.get(resource) or resource.removesuffix("s")
    return f"{member}:{name}", text


def _field(match: str) -> Compiled:
    name, text = field_of(match)
    is_wanted = _pattern(text[1:]) if text.startswith("~") else _equal(text)

    def check(context: Context, target: Target) -> bool | None:
        value = target(name)
        if value is UNKNOWN:
            return None
        return value is not None and is_wanted(value)

    return check


def _pattern(text: str) -> Callable[[Any], bool]:
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise BadCheck(f"{text!r} is no regular expression: {error}") from None
    return lambda value: compiled.match(str(value)) is not None


def _equal(text: str) -> Callable[[Any], bool]:
    if text.lower() in _TRUTHS:
        wanted = _TRUTHS[text.lower()]
        return lambda value: value is wanted
    return lambda value: str(value) == text
