"""A policy: every rule compiled, and what the caller may see of each resource, as SQL will have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final

from attrs import field, frozen

from quantumd.api.policy.checks import ADMIN_RULE, Compiled, RuleError, Target, compile_rules, field_of, nothing_known
from quantumd.api.policy.checks import target_name as named_by
from quantumd.api.policy.defaults import DEFAULTS
from quantumd.api.policy.grants import EVERYTHING, Term, granted, terms_of
from quantumd.api.policy.parse import All, Always, BadCheck, Check, Not, Some, Tree, parse
from quantumd.errors import SettingsError
from quantumd.model.context import EXTERNAL, NO_PROJECT, OWN, PARENT, SHARED, Context, Scope

DEFAULT_RULE: Final = "default"
"""The rule of what has none of its own."""

SERVICE_RULE: Final = "service_api"

_OWN: Final = frozenset({OWN})
_NONE: Final[frozenset[str]] = frozenset()
_OWN_OR_SHARED: Final = frozenset({OWN, SHARED})
GRANTS_OF: Final[Mapping[str, frozenset[str]]] = {
    "network": frozenset({OWN, SHARED, EXTERNAL}),
    "subnet": frozenset({OWN, SHARED, EXTERNAL, PARENT}),
    "port": frozenset({OWN, PARENT}),
    "security_group_rule": frozenset({OWN, PARENT}),
    "address_group": _OWN_OR_SHARED,
    "address_scope": _OWN_OR_SHARED,
    "policy": _OWN_OR_SHARED,
    "security_group": _OWN_OR_SHARED,
    "subnetpool": _OWN_OR_SHARED,
    "agent": _NONE,
    "journal_entry": _NONE,
    "network_ip_availability": _NONE,
    "network_segment_range": _NONE,
    "segment": _NONE,
    "service_profile": _NONE,
}
"""By which grants rows of a resource can be selected, where that is not by their project alone."""
INSIDE: Final = frozenset({
    "port_binding", "local_ip_port_association", "floatingip_port_forwarding",
    "router_conntrack_helper",
    "policy_bandwidth_limit_rule", "policy_dscp_marking_rule", "policy_minimum_bandwidth_rule",
    "policy_packet_rate_limit_rule", "policy_minimum_packet_rate_rule",
    "alias_bandwidth_limit_rule", "alias_dscp_marking_rule", "alias_minimum_bandwidth_rule",
    "alias_minimum_packet_rate_rule",
})  # fmt: skip
"""Resources inside others, which are seen by whose those are."""


@frozen
class Policy:
    """Rules by name, and of those about seeing a resource also their terms."""

    checks: Mapping[str, Compiled]
    texts: Mapping[str, str]
    trees: Mapping[str, Tree]
    terms: Mapping[str, tuple[Term, ...]]
    ruled: Mapping[str, frozenset[str]] = field(init=False)
    """By action, the attributes (and what is inside of them, as ``fixed_ips:ip_address``) that have own rules."""

    @ruled.default
    def _ruled(self) -> Mapping[str, frozenset[str]]:
        names: defaultdict[str, set[str]] = defaultdict(set)
        for rule in self.checks:
            action, _, name = rule.partition(":")
            names[action].add(name)
        return {action: frozenset(found - {""}) for action, found in names.items()}

    def bind(self, context: Context) -> Context:
        """Return the context with these rules, which say whether it is an administrator's."""
        return context.bound_to(self, self.checks[ADMIN_RULE](context, nothing_known) is True)

    def has(self, rule: str) -> bool:
        """Whether there is a rule of that name."""
        return rule in self.checks

    def decide(self, rule: str, context: Context, target: Target = nothing_known) -> bool | None:
        """Return whether the rule lets the caller pass; None when that depends on what is not known of the target."""
        return self.checks.get(rule, self.checks[DEFAULT_RULE])(context, target)

    def grants(self, rule: str, context: Context) -> frozenset[str]:
        """Return which rows a rule about seeing lets the caller see."""
        return granted(self.terms.get(rule, self.terms[DEFAULT_RULE]), context)

    def scope(self, context: Context, resource: str) -> Scope:
        """Return what of a resource the caller may see."""
        grants = self.grants(f"get_{resource}", context)
        return Scope(None) if EVERYTHING in grants else Scope(context.project_id or NO_PROJECT, grants)


@cache
def default_policy() -> Policy:
    """Return the default rules; compiled once, since they never change."""
    return make_policy()


@frozen
class Override:
    """A rule of the policy file: its check string, and where it is."""

    text: str
    line: int = 0


def make_policy(
    overrides: Mapping[str, Override] | None = None, place: str = "policy", known: Collection[str] = ()
) -> Policy:
    """Return the default rules with these instead of theirs.

    :param place: what errors call the file.
    :param known: names of rules without a default that are asked for when they are there, as ``get_port:name``.
    :raises SettingsError: a rule cannot be used, or names nothing; the sentence names its line.
    """
    overrides = overrides or {}
    texts = {**DEFAULTS, **{name: override.text for name, override in overrides.items()}}
    try:
        trees = {name: _parsed(name, text) for name, text in texts.items()}
        _refuse_unknown(trees, overrides, known)
        checks = compile_rules(trees)
        _refuse_rows_for_admin(trees)
        terms = {name: _terms(name, trees) for name in trees if name.startswith("get_") or name == DEFAULT_RULE}
    except RuleError as error:
        raise SettingsError(_sentence(error, overrides, place)) from None
    return Policy(checks, texts, trees, {name: found for name, found in terms.items() if found is not None})


def _sentence(error: RuleError, overrides: Mapping[str, Override], place: str) -> str:
    if error.name in overrides:
        return f"{place}, line {overrides[error.name].line}: the rule {error.name!r} cannot be: {error.why}"
    # A default that refers to what the file changed.
    return f"{place}: with it the rule {error.name!r} cannot be: {error.why}"


def _parsed(name: str, text: str) -> Tree:
    try:
        return parse(text)
    except BadCheck as bad:
        raise RuleError(name, str(bad)) from None


def _refuse_unknown(trees: Mapping[str, Tree], overrides: Mapping[str, Override], known: Collection[str]) -> None:
    """A new name is fine for a rule that others refer to; a name that nothing asks for is a mistake."""
    referred = {check.match for tree in trees.values() for check in checks_of(tree) if check.kind == "rule"}
    for name in overrides:
        if name not in DEFAULTS and name not in referred and name not in known:
            raise RuleError(name, "nothing asks for a rule of this name, and no other rule refers to it")


def _refuse_rows_for_admin(trees: Mapping[str, Tree]) -> None:
    """Who is administrator is asked once a request, when there is no target."""
    if any(check.kind == "field" or _named(check) for check in deep_checks_of(ADMIN_RULE, trees)):
        raise RuleError(ADMIN_RULE, "it may be about the caller only, not about what is asked for")


def _terms(name: str, trees: Mapping[str, Tree]) -> tuple[Term, ...] | None:
    """Return the terms of a rule about seeing; None for an attribute's that only each row can tell."""
    resource, colon, _ = name.removeprefix("get_").partition(":")
    grants = frozenset({PARENT}) if resource in INSIDE else GRANTS_OF.get(resource, _OWN)
    try:
        return terms_of(name, trees, grants)
    except BadCheck as bad:
        if not colon or any(":" in (_named(check) or "") for check in deep_checks_of(name, trees)):
            raise RuleError(name, str(bad)) from None
        return None


def _named(check: Check) -> str | None:
    if check.kind in ("rule", "role", "service_roles", "is_admin"):
        return None
    if check.kind == "field":
        return field_of(check.match)[0].partition(":")[2]
    return named_by(check.match)


def checks_of(tree: Tree) -> Iterator[Check]:
    """Yield every check of a tree."""
    if isinstance(tree, Check):
        yield tree
    elif isinstance(tree, Not):
        yield from checks_of(tree.part)
    elif isinstance(tree, All | Some):
        for part in tree.parts:
            yield from checks_of(part)
    else:
        assert isinstance(tree, Always)


def deep_checks_of(rule: str, trees: Mapping[str, Tree]) -> Iterator[Check]:
    """Yield every check of a rule and of those that it refers to; they do not refer to each other in circles."""
    for check in checks_of(trees[rule]):
        if check.kind == "rule":
            yield from deep_checks_of(check.match, trees)
        else:
            yield check


def may(context: Context, rule: str, target: Mapping[str, Any]) -> bool:
    """Whether the rule lets the caller do something to what is known whole; without a policy, its owner may."""
    if context.policy is None:
        return context.is_admin or (context.project_id is not None and context.project_id == target.get("project_id"))
    return context.policy.decide(rule, context, target.get) is True


def is_service(context: Context) -> bool:
    """Whether the caller is a service of the cloud, which makes things for projects as administrators do."""
    return context.policy is not None and context.policy.decide(SERVICE_RULE, context, nothing_known) is True


def expression(action: str, names: tuple[str, ...] = ()) -> str:
    """Return the policy expression of an action that touches the named attributes, as refusals show it."""
    text = f"rule:{action}"
    for name in names:
        text = f"({text} and rule:{action}:{name})"
    return text
