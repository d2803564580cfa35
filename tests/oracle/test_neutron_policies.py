"""The default policy: ours lets the same callers do the same things as Neutron's, evaluated rule by rule.

Neutron brings what must not be where we run, so it lives in an environment of its own (tests/bed/needs.py).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Final

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.policy.checks import IMPLIED
from quantumd.api.policy.defaults import DEFAULTS
from quantumd.api.policy.rules import default_policy
from quantumd.model.context import Context
from tests.bed.needs import environment_python

PYTHON = environment_python("oracle")
_SCRIPT = Path(__file__).with_name("neutron_policies.py")

ROLES: Final = ("reader", "member", "manager", "admin", "service", "advsvc", "data_plane_integrator", "")

NOT_SERVED: Final = (
    "router:distributed", "router:ha", "router:enable_default_route_bfd", "router-", "routers_", "floatingips_",
    "floatingip:router_id", "floatingip_", "update_l3-router", "evpn",
    "pvlan", "create_agent", "create_default_security_group", "segments_tags", "restrict_wildcard",
    "regular_user", "context_with_global_access",
)  # fmt: skip
"""What the names of Neutron's rules hold that are about what quantumd does not serve, or that nothing refers to."""
BUT_SERVED: Final = (
    "create_default_security_group_rule",
    "get_floatingip_pool",
    *(f"{verb}_floatingip_port_forwarding" for verb in ("create", "get", "update", "delete")),
)

DIFFERENT: Final[Mapping[str, str]] = {
    "create_port": "A reader changes nothing; theirs lets whoever sees a shared network make ports on it.",
    "create_port:fixed_ips": "As create_port.",
    "create_port:fixed_ips:subnet_id": "As create_port.",
    "update_port:fixed_ips:subnet_id": "As create_port.",
    "create_port:binding:profile": "Administrators too: without Keystone every caller is one, and none is a service.",
    "update_port:binding:profile": "As when it is created.",
    "create_port_binding": "As create_port:binding:profile.",
    "delete_port_binding": "As create_port:binding:profile.",
    "activate": "As create_port:binding:profile.",
    "get_quota": "A project may know its own limits; theirs asks for a manager.",
    "get_network:tags": "Tags are seen with what they are on; theirs hide them from services.",
    "get_subnet:tags": "As get_network:tags.",
    "get_port:tags": "As get_network:tags.",
}
"""Rules that let others pass than Neutron's do, each with the reason."""

OURS: Final[Mapping[str, str]] = {
    "get_journal_entry": "Neutron has no journal.",
    "update_port_binding": "Theirs has no rule, so that of whatever has none holds; ours is that of the other verbs.",
    "create_port:hardware_offload_type": "What the hardware does is the operator's matter.",
    **{
        f"{verb}_{tap}": "Taps are a plug-in's, which is not looked at; who may do what is as with ports."
        for verb in ("create", "get", "update", "delete")
        for tap in ("tap_service", "tap_flow")
    },
    **{
        f"{verb}_tap_mirror": "A mirror lets a host send to any address; theirs, of the plug-in, let members do so."
        for verb in ("create", "get", "update", "delete")
    },
    "get_flavor_next_providers": "Theirs has no rule; whoever sees a flavor sees who provides it.",
}
"""Rules that Neutron does not have."""


def callers() -> list[dict[str, Any]]:
    """Return credentials: every role, as Keystone expands it, in a project and in none; and a service's user's."""
    return [
        *(_caller(role, project_id) for role, project_id in product(ROLES, ("a", None))),
        _caller("member", "a", "service"),
        _caller("reader", "a", "service"),
    ]


def _caller(role: str, project_id: str | None, *service_roles: str) -> dict[str, Any]:
    roles = [role, *(implied for implied, having in IMPLIED.items() if role in having)] if role else []
    return {"roles": roles, "project_id": project_id, "user_id": "u", "service_roles": list(service_roles)}


def targets() -> list[dict[str, Any]]:
    """Return targets: of either project, inside of what is of either, shared or not, of any use."""
    everywhere = list(product(("a", "b"), ("a", "b")))
    return [
        *(_target(*where, shared, external) for where in everywhere for shared, external in _FLAGS),
        *(_target(*where, owner=owner) for where in everywhere for owner in _OWNERS),
        _target("a", "a", whom="*"),
    ]


_FLAGS: Final = ((False, False), (True, False), (False, True))
_OWNERS: Final = ("network:owner", "compute:nova", "baremetal:none", "manila:share")


def _target(
    project_id: str, above: str, shared: bool = False, external: bool = False, owner: str = "", whom: str = "a"
) -> dict[str, Any]:
    return {
        "project_id": project_id,
        **{f"{parent}:project_id": above for parent in ("network", "ext_parent", "security_group")},
        "shared": shared,
        "router:external": external,
        "device_owner": owner,
        "target_tenant": whom,
        "target_project": whom,
    }


def our_answers(rule: str) -> Iterator[list[bool]]:
    """Yield what our rule says of every target, for every caller."""
    policy = default_policy()
    for each in callers():
        asked = {**each, "roles": frozenset(each["roles"]), "service_roles": frozenset(each["service_roles"])}
        context = policy.bind(Context("req", **asked))
        yield [policy.decide(rule, context, _lookup(target)) is True for target in targets()]


def _lookup(target: Mapping[str, Any]) -> Any:
    def of(name: str) -> Any:
        if name in target:
            return target[name]
        _, _, field = name.partition(":")
        return target.get(field)

    return of


@cache
def neutron_answers() -> Mapping[str, list[list[bool]]]:
    """Return what each of Neutron's rules says of every target, for every caller."""
    done = subprocess.run(
        [str(PYTHON), str(_SCRIPT)],
        input=json.dumps({"callers": callers(), "targets": targets()}),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answers: Mapping[str, list[list[bool]]] = json.loads(done.stdout)
    return answers


class NeutronPolicyTests(SynchronousTestCase):
    """Who may do what by default is what operators know."""

    if not PYTHON:
        skip = "needs Neutron in .venv/oracle"

    def setUp(self) -> None:
        """Ask Neutron."""
        self.theirs = neutron_answers()

    def served(self) -> set[str]:
        """Return the names of their rules about what is served."""
        return {
            name
            for name in self.theirs
            if name in BUT_SERVED or name == "external" or not any(part in name for part in NOT_SERVED)
        }

    def test_every_rule_of_what_is_served_is_there(self) -> None:
        """By its name, and no other but ours."""
        ours = {*DEFAULTS} - {*OURS}
        self.assertEqual(ours - self.served(), set())
        self.assertEqual(self.served() - ours, set())

    def test_every_rule_lets_the_same_callers_pass(self) -> None:
        """Over every caller and every target, but for those that are different on purpose."""
        for name in sorted(self.served() - {*DIFFERENT}):
            self.assertEqual(list(our_answers(name)), self.theirs[name], name)

    def test_what_is_different_on_purpose_differs(self) -> None:
        """What no longer does is not listed."""
        for name in DIFFERENT:
            self.assertNotEqual(list(our_answers(name)), self.theirs[name], name)
