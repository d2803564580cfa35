"""What strangers can do to what Alice has: nothing. Over everything that is served, nested things and actions too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.resource import Action, Resource
from tests.api.everything import Dump, Headers
from tests.api.tenants_world import (
    ALICE_ID,
    LIST_ONLY,
    OPERATORS,
    PRIVATE,
    PUBLIC,
    STRANGERS,
    Kept,
    World,
    alices_world,
)
from tests.api.wire import Reply

NOBODYS_ID = "deadbeef-0000-4000-8000-000000000000"
"""The id of nothing: what is asked about it must be answered as what is asked about Alice's."""

REFUSED = {PRIVATE: (403, 404), OPERATORS: (403, 404), PUBLIC: (403, 404)}

ACTION_BODIES: Mapping[str, Any] = {
    "routers/<resource_id>/add_router_interface": {"subnet_id": NOBODYS_ID},
    "routers/<resource_id>/remove_router_interface": {"subnet_id": NOBODYS_ID},
    "routers/<resource_id>/add_extraroutes": {"router": {"routes": []}},
    "routers/<resource_id>/remove_extraroutes": {"router": {"routes": []}},
    "routers/<resource_id>/add_external_gateways": {"router": {"external_gateways": []}},
    "routers/<resource_id>/update_external_gateways": {"router": {"external_gateways": []}},
    "routers/<resource_id>/remove_external_gateways": {"router": {"external_gateways": []}},
    "trunks/<resource_id>/add_subports": {"sub_ports": []},
    "trunks/<resource_id>/remove_subports": {"sub_ports": []},
    "trunks/<resource_id>/get_subports": None,
    "ports/<port_id>/bindings/<host>/activate": {},
    "address-groups/<resource_id>/add_addresses": {"addresses": ["10.1.0.0/24"]},
    "address-groups/<resource_id>/remove_addresses": {"addresses": ["10.78.0.0/24"]},
    "subnetpools/<subnetpool_id>/add_prefixes": {"prefixes": ["10.60.0.0/16"]},
    "subnetpools/<subnetpool_id>/remove_prefixes": {"prefixes": ["10.50.0.0/16"]},
    "subnetpools/<subnetpool_id>/onboard_network_subnets": {"network_id": NOBODYS_ID},
    "agents/<agent_id>/dhcp-networks": {"network_id": NOBODYS_ID},
    "agents/<agent_id>/dhcp-networks/<network_id>": None,
    "networks/<network_id>/dhcp-agents": None,
    "agents/<agent_id>/l3-routers": {"router_id": NOBODYS_ID},
    "agents/<agent_id>/l3-routers/<router_id>": None,
    "routers/<router_id>/l3-agents": None,
    "flavors/<flavor_id>/service_profiles": {"service_profile": {"id": NOBODYS_ID}},
    "flavors/<flavor_id>/service_profiles/<profile_id>": None,
    "flavors/<flavor_id>/next_providers": None,
    "auto-allocated-topology/<project_id>": None,
    "quotas/<project_id>": {"quota": {"port": 1}},
    "quotas/<project_id>/default": None,
    "quotas/<project_id>/details": None,
    "quotas/<project_id>/details.json": None,
}
"""Bodies of the actions that name something, by path; those on tags are the same for all."""

OF_NOBODY = frozenset({"auto-allocated-topology", "quotas", "quotas/tenant", "quotas/project"})
"""Actions that name nothing: they are about the caller's own project, or for administrators."""

READS = frozenset({"default", "next_providers", "dhcp-agents"})


@define
class Attack:
    """Sends requests of a stranger and notes what went wrong."""

    world: World
    name: str
    headers: Headers
    secrets: frozenset[str]
    problems: list[str] = field(factory=list)
    before: Dump = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Have the default group of the stranger's project made, which a list does."""
        self.send("GET", "security-groups")
        self.before = self.world.api.dump()

    def refused(
        self, method: str, path: str, of: str, body: Any = None, statuses: tuple[int, ...] = (403, 404)
    ) -> None:
        """Note unless the request is refused, and just as one about nothing; ``of`` is the id that it names."""
        reply = self.harmless(method, path, body)
        if reply.status not in statuses:
            self._note(f"{reply.status}, not {statuses}", method, path, body, reply)
        twin = self.send(method, path.replace(of, NOBODYS_ID), _with(body, of))
        if reply.status == 403 and twin.status == 404 and self.send("GET", path).status == 200:
            # It is there for everybody to see, so that it is there is no secret.
            return
        if (twin.status, twin.body.replace(NOBODYS_ID.encode(), of.encode())) != (reply.status, reply.body):
            self._note(f"nothing is told otherwise: {twin.status} {twin.body!r}", method, path, body, reply)

    def harmless(self, method: str, path: str, body: Any = None) -> Reply:
        """Note if the answer tells a secret; return the answer."""
        reply = self.send(method, path, body)
        asked = path + orjson.dumps(body).decode()
        told = [each for each in self.secrets if each in reply.body.decode() and each not in asked]
        if told:
            self._note(f"tells {sorted(told)}", method, path, body, reply)
        if reply.status >= 500:
            self._note("fails", method, path, body, reply)
        return reply

    def end(self) -> list[str]:
        """Return what went wrong, with what was changed."""
        after = self.world.api.dump()
        changed = [name for name in after if after[name] != self.before[name]]
        return [*self.problems, *(f"{self.name} changes {each}" for each in changed)]

    def send(self, method: str, path: str, body: Any = None) -> Reply:
        """Send one request."""
        return self.world.api.request(method, path, body, self.headers)

    def _note(self, what: str, method: str, path: str, body: Any, reply: Reply) -> None:
        self.problems.append(f"{self.name}: {method} {path} {body} {what}: {reply.status} {reply.body[:300]!r}")


def _with(body: Any, of: str) -> Any:
    return orjson.loads(orjson.dumps(body).replace(of.encode(), NOBODYS_ID.encode())) if body is not None else None


class TenantCase(SynchronousTestCase):
    """Alice has one of everything."""

    def setUp(self) -> None:
        """Make it."""
        self.world = alices_world()
        self.secrets = self.world.secrets()
        self.resources: dict[str, Resource] = {each.member: each for each in self.world.api.served.resources}

    def attack(self, name: str = "member") -> Attack:
        """Return a stranger."""
        return Attack(self.world, name, STRANGERS[name], self.secrets)

    def attacks(self, names: Iterable[str] = tuple(STRANGERS)) -> Iterator[Attack]:
        """Yield every stranger, and fail for what went wrong."""
        problems: list[str] = []
        for name in names:
            attack = self.attack(name)
            yield attack
            problems += attack.end()
        self.assertEqual(problems, [], "\n".join(problems))


class ForeignTests(TenantCase):
    """Requests about things of Alice's, one by one."""

    def test_there_is_one_of_everything(self) -> None:
        """A new resource needs an entry in tenants_world.py, so that it is tried here."""
        self.assertEqual({*self.resources}, {*self.world.kept} | LIST_ONLY)

    def test_nothing_is_shown(self) -> None:
        """As if it were not there."""
        for attack in self.attacks():
            for kept in self.with_verb("show", (PRIVATE, OPERATORS)):
                attack.refused("GET", f"{kept.path}/{kept.id}", kept.id, None, _unless_private(kept, 404))

    def test_nothing_is_updated(self) -> None:
        """Neither by a new value nor by the one that it has."""
        for attack in self.attacks(("member", "nobody")):
            for kept in self.with_verb("update"):
                for body in self.updates(kept):
                    attack.refused("PUT", f"{kept.path}/{kept.id}", kept.id, {kept.member: body}, REFUSED[kept.guard])

    def test_nothing_is_deleted(self) -> None:
        """What is private is not there for others."""
        for attack in self.attacks():
            for kept in self.with_verb("delete"):
                attack.refused("DELETE", f"{kept.path}/{kept.id}", kept.id, None, REFUSED[kept.guard])

    def test_conditions_tell_nothing(self) -> None:
        """A revision or an entity tag that fits or not."""
        for attack in self.attacks(("member",)):
            for kept in self.with_verb("delete"):
                for number in (kept.view.get("revision_number", 1), 77):
                    headers = {**attack.headers, "If-Match": f"revision_number={number}"}
                    reply = self.world.api.request("DELETE", f"{kept.path}/{kept.id}", None, headers)
                    self.assertIn(reply.status, REFUSED[kept.guard], (kept.member, reply))

    def with_verb(self, verb: str, guards: tuple[str, ...] = (PRIVATE, OPERATORS, PUBLIC)) -> list[Kept]:
        """Return what has the verb."""
        every = self.world.kept.values()
        return [kept for kept in every if verb in self.resources[kept.member].verbs and kept.guard in guards]

    def updates(self, kept: Kept) -> Iterator[dict[str, Any]]:
        """Yield updates that would be in order if the owner, or an administrator, made them."""
        for attribute in self.resources[kept.member].attributes:
            value = kept.view.get(attribute.name)
            if attribute.in_put and value is not None:
                yield {attribute.name: value}
            if attribute.in_put and isinstance(value, str):
                yield {attribute.name: f"{value}2"} if attribute.name in ("name", "description") else {}


def _unless_private(kept: Kept, status: int) -> tuple[int, ...]:
    return (status,) if kept.guard == PRIVATE else REFUSED[kept.guard]


class ListTests(TenantCase):
    """What lists tell."""

    def test_lists_tell_nothing(self) -> None:
        """However they are filtered, ordered and cut to fields."""
        for attack in self.attacks(("member", "nobody")):
            for member, resource in self.resources.items():
                if "list" in resource.verbs and member in self.world.kept:
                    for query in self.queries(resource, self.world.kept[member]):
                        attack.harmless("GET", f"{self.world.kept[member].path}?{query}")

    def test_no_page_begins_at_what_is_not_seen(self) -> None:
        """Its id is as unknown as any other, in every order."""
        for attack in self.attacks(("member",)):
            for kept in self.world.kept.values():
                resource = self.resources[kept.member]
                if "list" not in resource.verbs or kept.guard == PUBLIC:
                    continue
                for key in ("", *(each.name for each in resource.attributes if each.sorts)):
                    order = f"&sort_key={key}&sort_dir=desc" if key else ""
                    path = f"{kept.path}?limit=5&marker={kept.id}{order}"
                    # Not every key that filters also orders, and members' lists of logs are empty whatever is asked.
                    statuses = (403, 404, *((400,) if key else ()), *((200,) if kept.member == "log" else ()))
                    attack.refused("GET", path, kept.id, None, statuses)

    def queries(self, resource: Resource, kept: Kept) -> Iterator[str]:
        """Yield a filter for each value that Alice's has, and an order for each key."""
        yield ""
        yield f"tenant_id={ALICE_ID}"
        yield "tags-any=a&not-tags=b"
        yield "changed_since=2000-01-01T00:00:00Z"
        for attribute in resource.attributes:
            name = quote(attribute.name)
            yield f"fields={name}"
            if attribute.filter_convert is not None:
                yield from (f"{name}={quote(text)}" for text in _texts(kept.view.get(attribute.name)))
            if attribute.sorts:
                yield f"sort_key={name}&sort_dir=asc&limit=1"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from (f"{key}={part}" for key, part in each.items()) if isinstance(each, dict) else (str(each),)
    elif not isinstance(value, dict):
        yield "" if value is None else str(value).lower()


class ActionTests(TenantCase):
    """Requests beside the verbs."""

    def test_every_action_has_a_body_here(self) -> None:
        """A new one needs an entry above, so that it is tried here."""
        paths = {each.path for each in self.world.api.served.actions if "/tags" not in each.path}
        self.assertEqual(paths, {*ACTION_BODIES} | OF_NOBODY)

    def test_actions_are_refused(self) -> None:
        """Those on tags too."""
        for attack in self.attacks(("member", "manager", "nobody")):
            for action in self.world.api.served.actions:
                if action.path not in OF_NOBODY:
                    path, of = self.path_of(action)
                    attack.refused(action.method, path, of, _body_of(action), (403, 404, 401))

    def path_of(self, action: Action) -> tuple[str, str]:
        """Return the path of an action about what is Alice's, and its id."""
        ids = {
            "resource_id": self.owner_of(action),
            "port_id": self.world.id("port"),
            "host": self.world.id("binding"),
            "network_id": self.world.id("network"),
            "subnetpool_id": self.world.id("subnetpool"),
            "flavor_id": NOBODYS_ID,
            "profile_id": self.world.id("service_profile"),
            "agent_id": NOBODYS_ID,
            "router_id": NOBODYS_ID,
            "project_id": ALICE_ID,
            "tag": "red",
        }
        names = re.findall("<([a-z_]+)>", action.path)
        path = action.path
        for name in names:
            path = path.replace(f"<{name}>", ids[name])
        return path, ids[names[0]]

    def owner_of(self, action: Action) -> str:
        """Return the id of what Alice has of the collection in the action's path."""
        begin = action.path.partition("/<")[0]
        found = [kept.id for kept in self.world.kept.values() if kept.path in (begin, f"qos/{begin}")]
        return found[0] if found else NOBODYS_ID


def _body_of(action: Action) -> Any:
    if "/tags" not in action.path:
        return ACTION_BODIES[action.path] if action.method in ("PUT", "POST") else None
    return {"tags": ["red"]} if action.path.endswith("/tags") and action.method in ("PUT", "POST") else None
