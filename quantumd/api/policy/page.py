"""The page of every rule, ``docs/policy.md``, and the sample of the policy file, ``conf/policy.yaml``.

``python -m quantumd.api.policy.page`` prints the page, with ``--sample`` the file. Tests compare both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from quantumd.api.extensions.features import Served, serve
from quantumd.api.policy.checks import IMPLIED
from quantumd.api.policy.defaults import DEFAULTS
from quantumd.api.policy.defaults.base import RULES as BASE
from quantumd.api.policy.rules import Policy, default_policy
from quantumd.config import NetworkSettings
from quantumd.model.context import Context

_METHODS = {"create": ("POST",), "update": ("PUT",), "delete": ("DELETE",)}
_ROLES = ("reader", "member", "manager", "admin", "service")

_HEAD = """\
# Who may do what

Printed by `python -m quantumd.api.policy.page`; a test compares. [policy-file.md](policy-file.md) says how rules are
changed. Roles include each other: admin, manager, member, reader; each holds in the caller's project, but admin's
everywhere. "Who": roles that the rule lets pass for what is their project's; *elsewhere*: also for what is another's.
A rule about an attribute holds beside that of the action. Where an attribute has no rule, that of the action is all.

| Rule | Who | Requests | Default |
|---|---|---|---|
"""

_SAMPLE = """\
# Who may do what, where it differs from the defaults: names of rules with check strings in the syntax of oslo.policy.
# Name this file in the setting api.policy_file. What follows are the defaults; docs/policy.md tells what each is about.
# Printed by `python -m quantumd.api.policy.page --sample`.
"""


def requests_of(served: Served) -> dict[str, tuple[str, ...]]:
    """Return the requests that ask each rule, by its name."""
    found: dict[str, list[str]] = {}
    for resource in served.resources:
        for verb in sorted(resource.verbs):
            one = "" if verb in ("create", "list") else "/<id>"
            text = f"{_METHODS.get(verb, ('GET',))[0]} /{resource.path}{one}"
            action = f"{'get' if verb in ('list', 'show') else verb}_{resource.ruled_as}"
            for rule in _about(action):
                found.setdefault(rule, []).append(text)
    for request in served.actions:
        for rule in _about(request.rule) if request.rule else ():
            found.setdefault(rule, []).append(f"{request.method} /{request.path}")
    return {rule: tuple(dict.fromkeys(texts)) for rule, texts in found.items()}


def _about(action: str) -> Iterator[str]:
    yield from (rule for rule in DEFAULTS if rule == action or rule.startswith(f"{action}:"))


def who(policy: Policy, rule: str) -> str:
    """Return which roles the rule lets pass, as the page says it."""
    own = tuple(role for role in _ROLES if _passes(policy, rule, role, "own"))
    everywhere = tuple(role for role in _ROLES if _passes(policy, rule, role, "other"))
    text = ", ".join(_least(own)) or "nobody"
    return text if not everywhere else f"{text}; elsewhere {', '.join(_least(everywhere))}"


def _passes(policy: Policy, rule: str, role: str, owner: str) -> bool:
    context = policy.bind(Context("page", project_id="own", roles=frozenset({role})))
    # Nothing is shared or anything of the kind.
    return policy.decide(rule, context, lambda name: owner if name.endswith("project_id") else None) is True


def _least(roles: Sequence[str]) -> Iterator[str]:
    """Yield the roles that no other of them includes."""
    for role in roles:
        if not any(role in IMPLIED.get(other, ())[1:] for other in roles):
            yield role


def page() -> str:
    """Return docs/policy.md."""
    policy, asked = default_policy(), requests_of(_everything())
    rows = []
    for rule, text in DEFAULTS.items():
        roles = "" if rule in BASE else who(policy, rule)
        rows.append(f"| `{rule}` | {roles} | {_lines(asked.get(rule, ()))} | {_code(text)} |")
    return _HEAD + "\n".join(rows) + "\n"


def sample() -> str:
    """Return conf/policy.yaml."""
    return _SAMPLE + "".join(f'\n#"{rule}": "{text}"' for rule, text in DEFAULTS.items()) + "\n"


def _everything() -> Served:
    return serve(NetworkSettings(), (), (), preview=True)


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(f"`{text}`" for text in texts)


def _code(text: str) -> str:
    return f"`{text}`" if text else "always"


if __name__ == "__main__":
    sys.stdout.write(sample() if "--sample" in sys.argv[1:] else page())
