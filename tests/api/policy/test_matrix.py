"""The matrix: every resource, action and attribute, for every role, in the own, a foreign and a sharing project.

What is expected follows from the rules, which tests/oracle/test_neutron_policies.py compares with Neutron's; here every
request is sent. It is made from what is served, so a resource or an attribute that comes later is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.policy.guard import Guard, guard_of
from quantumd.api.policy.rules import default_policy
from quantumd.api.resource import Resource
from quantumd.model.context import Context
from tests.api.everything import Headers
from tests.api.tenants_world import ALICE, ALICE_ID, BOB_ID, LIST_ONLY, PUBLIC, Kept, World, alices_world

ROLES = ("reader", "member", "manager", "admin", "service", "")
SHARED = ("address_scope", "subnetpool", "network", "security_group", "address_group", "policy")
SHARED_WITH = frozenset({*SHARED, "subnet"})
"""What is seen by whom Alice shares everything with: subnets are seen with their network."""


@frozen
class Caller:
    """Somebody in a project with a role; ``is_shared``: whether Alice shares with that project what can be shared."""

    role: str
    project_id: str
    is_shared: bool = False

    @property
    def headers(self) -> Headers:
        """What makes a request this caller's."""
        return {"X-Project-Id": self.project_id, "X-Roles": self.role}

    @property
    def context(self) -> Context:
        """The caller as rules see it."""
        roles = frozenset({self.role} - {""})
        return default_policy().bind(Context("matrix", project_id=self.project_id, roles=roles))


def target_of(kept: Kept, caller: Caller) -> Callable[[str], Any]:
    """Return what rules ask about: Alice has it, and all that it is in."""

    def of(name: str) -> Any:
        prefix, _, rest = name.partition(":")
        if name == "project_id":
            return kept.view.get("project_id", ALICE_ID if kept.guard != PUBLIC else caller.project_id)
        if rest == "project_id":
            return ALICE_ID
        if rest in ("shared", "router:external"):
            return rest == "shared" and caller.is_shared and kept.member in SHARED_WITH
        return kept.view.get(rest if prefix == kept.member else name)

    return of


class Matrix:
    """Requests about what Alice has, with what rules expect of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.resources: Mapping[str, Resource] = {each.member: each for each in world.api.served.resources}
        self.guards: Mapping[str, Guard] = {
            member: guard_of(resource, default_policy()) for member, resource in self.resources.items()
        }

    def problems(self, caller: Caller) -> Iterator[str]:
        """Yield what is answered otherwise than the rules say."""
        for kept in self.world.kept.values():
            yield from self._shown(kept, caller)
            yield from self._updated(kept, caller)
            yield from self._deleted(kept, caller)
            yield from self._created(kept, caller)

    def may(self, kept: Kept, caller: Caller, verb: str, *names: str) -> bool:
        """Return whether the rules let the caller do it."""
        action = f"{verb}_{self.resources[kept.member].ruled_as}"
        rules = (action, *(f"{action}:{name}" for name in names))
        policy, context, target = default_policy(), caller.context, target_of(kept, caller)
        return all(policy.decide(rule, context, target) is True for rule in rules if policy.has(rule))

    def _ask(self, method: str, kept: Kept, caller: Caller, body: Any = None, one: bool = True) -> Any:
        path = f"{kept.path}/{kept.id}" if one else kept.path
        return self.world.api.request(method, path, body, caller.headers)

    def _shown(self, kept: Kept, caller: Caller) -> Iterator[str]:
        resource = self.resources[kept.member]
        if "show" not in resource.verbs:
            return
        reply, is_seen = self._ask("GET", kept, caller), self.may(kept, caller, "get")
        if reply.status != (200 if is_seen else 404):
            yield f"{caller} GET {kept.member}: {reply.status}, is seen: {is_seen}"
        elif is_seen:
            view = reply.json[kept.member]
            for attribute in resource.attributes:
                if attribute.name in kept.view and attribute.is_visible:
                    is_told = self.may(kept, caller, "get", attribute.name)
                    if is_told is not (attribute.name in view):
                        yield f"{caller} GET {kept.member}: {attribute.name} is told: {not is_told}"

    def _updated(self, kept: Kept, caller: Caller) -> Iterator[str]:
        resource = self.resources[kept.member]
        if "update" not in resource.verbs:
            return
        for attribute in resource.attributes:
            # What it is already: that changes nothing, but is asked for all the same.
            value = kept.view.get(attribute.name)
            if attribute.in_put and value is not None:
                parts = value if isinstance(value, list) else [value]
                inside = {f"{attribute.name}:{key}" for each in parts if isinstance(each, dict) for key in each}
                reply = self._ask("PUT", kept, caller, {kept.member: {attribute.name: value}})
                yield from self._judged(kept, caller, "update", reply.status, attribute.name, *inside)

    def _deleted(self, kept: Kept, caller: Caller) -> Iterator[str]:
        if "delete" in self.resources[kept.member].verbs and not self.may(kept, caller, "delete"):
            yield from self._judged(kept, caller, "delete", self._ask("DELETE", kept, caller).status)

    def _created(self, kept: Kept, caller: Caller) -> Iterator[str]:
        """A body without anything: whoever may never make one is refused before it is looked at."""
        resource = self.resources[kept.member]
        if "create" in resource.verbs:
            context = caller.context
            may = default_policy().decide(f"create_{resource.ruled_as}", context)
            reply = self._ask("POST", kept, caller, {kept.member: {"no such": 1}}, one=False)
            if (reply.status == 403) is not (may is False):
                yield f"{caller} POST {kept.member}: {reply.status}, may: {may}"

    def _judged(self, kept: Kept, caller: Caller, verb: str, status: int, *names: str) -> Iterator[str]:
        may, is_seen = self.may(kept, caller, verb, *names), self.may(kept, caller, "get")
        wanted = (200, 400, 409) if may and is_seen else (403,) if is_seen else (404,)
        if status not in wanted:
            yield f"{caller} {verb} {kept.member} {names}: {status}, may: {may}, is seen: {is_seen}"


@pytest.mark.slow
@pytest.mark.time_limit(600)
class MatrixTests(SynchronousTestCase):
    """Every cell."""

    def setUp(self) -> None:
        """Alice has one of everything."""
        self.world = alices_world()
        self.matrix = Matrix(self.world)

    def check(self, project_id: str, is_shared: bool = False) -> None:
        """Ask for every role of a project."""
        for role in ROLES:
            before = self.world.api.dump()
            problems = list(self.matrix.problems(Caller(role, project_id, is_shared)))
            self.assertEqual(problems, [], "\n".join(problems))
            names = [name for name, rows in self.world.api.dump().items() if rows != before[name]]
            # Security groups that every project is given are made when it asks for the first time.
            made = ("security_group", "journal")
            self.assertEqual([name for name in names if not any(part in name for part in made)], [])

    def test_there_is_one_of_everything(self) -> None:
        """What is served later needs an entry in tenants_world.py, and is in the matrix by that."""
        self.assertEqual({*self.matrix.resources}, {*self.world.kept} | LIST_ONLY)

    def test_own_project(self) -> None:
        """Alice's own."""
        self.check(ALICE_ID)

    def test_foreign_project(self) -> None:
        """Nothing crosses: Bob's roles count in Bob's project."""
        self.check(BOB_ID)

    def test_project_that_it_is_shared_with(self) -> None:
        """Bob sees what Alice shares with him, and changes nothing of it."""
        for member in SHARED:
            object_type = "qos_policy" if member == "policy" else member
            body = {"object_type": object_type, "object_id": self.world.id(member), "action": "access_as_shared"}
            self.world.api.make("rbac-policies", "rbac_policy", ALICE, target_tenant=BOB_ID, **body)
        self.check(BOB_ID, is_shared=True)
