"""Asks a resource's rules: first what the caller alone decides, and in the transaction what the rows decide.

What a caller may not see is not there (404); what it sees and may not do is forbidden (403).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen
from sqlalchemy import select

from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.extensions.security_groups.errors import SecurityGroupNotFound
from quantumd.api.policy.checks import Compiled, Target, nothing_known
from quantumd.api.policy.grants import EVERYTHING
from quantumd.api.policy.rules import Policy, expression
from quantumd.api.policy.targets import PARENTS, PROJECT, Body, Stored
from quantumd.api.resources.errors import NetworkNotFound
from quantumd.model.context import Caller, Context, Scope
from quantumd.store.scope import Conditions, visible, visible_networks
from quantumd.store.tables.security import security_groups

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from quantumd.api.resource import Resource
    from quantumd.store.transaction import Transaction

_CALLERS: Final = 1000
"""Of so many callers what they see is remembered."""


@frozen
class Question:
    """An action and the attributes that it touches, as far as rules are about them."""

    action: str
    names: tuple[str, ...] = ()

    @property
    def rules(self) -> Iterator[str]:
        """The rules that must all let the caller pass."""
        yield self.action
        for name in self.names:
            yield f"{self.action}:{name}"

    @property
    def refusal(self) -> PolicyNotAuthorized:
        """What a caller who does not pass is told."""
        return PolicyNotAuthorized(expression(self.action, self.names))


@frozen
class Shown:
    """What a caller does not see: attributes that are ``hidden``, and those that each row must be asked about."""

    hidden: tuple[str, ...]
    by_row: tuple[tuple[str, Compiled], ...] = ()


@frozen
class Guard:
    """The rules of one resource; made once at start by ``guard_of``."""

    policy: Policy
    resource: Resource
    ruled: Mapping[str, frozenset[str]]
    """By verb, the attributes (and what is inside of them, as ``fixed_ips:ip_address``) that have own rules."""
    shown_by_rule: tuple[str, ...]
    """The attributes whose rule about seeing is not that of the whole."""
    _shown: dict[Caller, Shown] = field(factory=dict, init=False, eq=False, repr=False)
    """What callers see who asked lately: to find it out takes a dozen rules, for every answer."""

    def question(self, verb: str, values: Mapping[str, Any], names: Sequence[str]) -> Question:
        """Return what to ask about a request that sets the attributes ``names`` to what ``values`` holds."""
        return Question(f"{verb}_{self.resource.ruled_as}", _asked(self.ruled[verb], values, names))

    def question_of_action(self, rule: str, name: str, body: Any) -> Question:
        """Return what to ask about an action whose body sets the attribute ``name``, if it names one."""
        inside = body.get(self.resource.member) if isinstance(body, Mapping) else None
        values = inside if isinstance(inside, Mapping) else {}
        names = (name,) if name in values else ()
        return Question(rule, _asked(self.policy.ruled.get(rule, frozenset()), values, names))

    def ask(self, question: Question, context: Context, target: Target = nothing_known) -> bool | None:
        """Return whether the caller may; None when that depends on what is not known of the target."""
        answer: bool | None = True
        for rule in question.rules:
            found = self.policy.decide(rule, context, target)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    def ask_body(self, question: Question, context: Context, body: Mapping[str, Any]) -> bool:
        """Return whether something can be made without looking further; PolicyNotAuthorized when it cannot at all."""
        answer = self.ask(question, context, Body(self.resource.member, body, context.project_id))
        if answer is False:
            raise question.refusal
        return answer is True

    def may_see(self, context: Context) -> bool | None:
        """Return whether the caller sees any; None when that depends on what they are in."""
        grants = self.policy.grants(f"get_{self.resource.ruled_as}", context)
        if grants and self.resource.owner_above is not None and EVERYTHING not in grants:
            return None
        return bool(grants)

    def may_see_inside(self, connection: Connection, context: Context, parent_id: str) -> bool:
        """Return whether the caller sees what is inside of this parent."""
        target = Stored(connection, context, self.resource, {}, parent_id=parent_id)
        return self.policy.decide(f"get_{self.resource.ruled_as}", context, target) is True

    def shown(self, context: Context) -> Shown:
        """Return which attributes the caller does not see, in any row or in some."""
        caller = context.caller
        found = self._shown.get(caller)
        if found is None:
            if len(self._shown) >= _CALLERS:
                self._shown.clear()
            found = self._shown[caller] = self._find_shown(context)
        return found

    def _find_shown(self, context: Context) -> Shown:
        seen = self.policy.grants(f"get_{self.resource.ruled_as}", context)
        hidden, by_row = [], []
        for name in self.shown_by_rule:
            rule = f"get_{self.resource.ruled_as}:{name}"
            answer = self.policy.decide(rule, context)
            if answer is None:
                answer = self._seen_like_rows(rule, context, seen)
            if answer is False:
                hidden.append(name)
            elif answer is None:
                by_row.append((name, self.policy.checks[rule]))
        return Shown(tuple(hidden), tuple(by_row))

    def _seen_like_rows(self, rule: str, context: Context, seen: frozenset[str]) -> bool | None:
        """Return whether an attribute is seen in every row that is, or in none; None when each row must be asked."""
        if rule not in self.policy.terms:
            return None
        grants = self.policy.grants(rule, context)
        if EVERYTHING in grants or (EVERYTHING not in seen and seen <= grants):
            return True
        return None if grants else False

    def require_create(
        self, tx: Transaction, context: Context, question: Question, body: Mapping[str, Any], parent_id: str
    ) -> None:
        """Refuse what may not be made, now that everything can be read. PolicyNotAuthorized, NotFound."""
        values = body if PROJECT in body else {**body, PROJECT: context.project_id}
        target = Stored(tx.connection, context, self.resource, values, parent_id=parent_id, tx=tx)
        if self.ask(question, context, target) is not True:
            _require_parents_seen(tx.connection, context, body)
            raise question.refusal

    def require_change(
        self,
        connection: Connection,
        context: Context,
        question: Question,
        resource_id: str,
        changes: Mapping[str, Any],
        show: Callable[[], Mapping[str, Any]],
        parent_id: str = "",
    ) -> None:
        """Refuse a change that may not be made, now that everything can be read. PolicyNotAuthorized, NotFound.

        :param show: returns the view of what is to change; it raises NotFound when the caller does not see it.
        """
        target = Stored(connection, context, self.resource, changes, resource_id, show, parent_id)
        if self.ask(question, context, target) is not True:
            show()
            raise question.refusal


def rules_of_attributes(resources: Iterable[Resource]) -> frozenset[str]:
    """Return the names that rules about single attributes of what is served may have."""
    return frozenset(
        f"{verb}_{resource.ruled_as}:{attribute.name}"
        for resource in resources
        for attribute in resource.attributes
        for verb in ("create", "get", "update")
    )


def guard_of(resource: Resource, policy: Policy) -> Guard:
    """Make a resource's rules ready."""
    verbs = ("create", "get", "update", "delete")
    ruled = {verb: policy.ruled.get(f"{verb}_{resource.ruled_as}", frozenset()) for verb in verbs}
    as_whole = f"rule:get_{resource.ruled_as}"
    names = {attribute.name for attribute in resource.attributes if attribute.is_visible}
    own = (name for name in sorted(ruled["get"] & names) if policy.texts[f"get_{resource.ruled_as}:{name}"] != as_whole)
    return Guard(policy, resource, ruled, tuple(own))


def _asked(ruled: frozenset[str], values: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    asked = [each for name in names for each in (name, *_inside(name, values.get(name))) if each in ruled]
    return tuple(dict.fromkeys(asked))


def _inside(name: str, value: Any) -> Iterator[str]:
    """Yield the keys of objects in the value, as rules name them."""
    if isinstance(value, Mapping):
        yield from (f"{name}:{key}" for key in value)
    elif isinstance(value, (list, tuple)):
        for each in value:
            if isinstance(each, Mapping):
                yield from (f"{name}:{key}" for key in each)


def _require_parents_seen(connection: Connection, context: Context, body: Mapping[str, Any]) -> None:
    """Tell of what is not there before telling that nothing may be made in it. NotFound."""
    for parent, (key, table) in PARENTS.items():
        parent_id = body.get(key)
        if isinstance(parent_id, str):
            conditions = _SEEN[parent](context.scope_of(parent))
            if connection.execute(select(table.c.id).where(table.c.id == parent_id, *conditions)).first() is None:
                raise _NOT_FOUND[parent](parent_id)


_SEEN: Final[Mapping[str, Callable[[Scope], Conditions]]] = {
    "network": visible_networks,
    "security_group": lambda scope: visible(security_groups, "security_group", scope),
}
_NOT_FOUND: Final[Mapping[str, Callable[[str], Exception]]] = {
    "network": NetworkNotFound,
    "security_group": SecurityGroupNotFound,
}
