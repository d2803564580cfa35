"""What a project may do with what is shared with it: see and use it. And who may change anything at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quantumd.api.resource import Action
from tests.api.everything import ADMIN, Headers
from tests.api.tenants_world import ALICE, BOB, BOB_ID, CAROL_ID, MANAGER
from tests.api.test_tenants import ACTION_BODIES, TenantCase
from tests.api.wire import Reply

SHARED = ("address_scope", "subnetpool", "network", "security_group", "address_group", "policy")
SEEN = (*SHARED, "subnet")


class SharedCase(TenantCase):
    """Alice shares with Bob what can be shared."""

    def setUp(self) -> None:
        """Share it."""
        super().setUp()
        for member in SHARED:
            self.share(member)
        self.network_id = self.world.id("network")

    def share(self, member: str) -> None:
        """Share one."""
        object_type = "qos_policy" if member == "policy" else member
        body = {"object_type": object_type, "object_id": self.world.id(member), "action": "access_as_shared"}
        self.world.api.make("rbac-policies", "rbac_policy", ALICE, target_tenant=BOB_ID, **body)

    def bob(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request of Bob's."""
        return self.world.api.request(method, path, body, BOB)


class SeenTests(SharedCase):
    """Bob sees it and cannot change it."""

    def test_it_is_seen(self) -> None:
        """All of it."""
        for member in SEEN:
            kept = self.world.kept[member]
            self.assertEqual(self.bob("GET", f"{kept.path}/{kept.id}").status, 200, member)

    def test_it_is_not_changed(self) -> None:
        """Neither itself, nor its tags, nor what is in it, nor who else sees it."""
        before = self.world.api.dump()
        for method, path, body in self.changes():
            reply = self.bob(method, path, body)
            self.assertIn(reply.status, (400, 403, 404), (method, path, body, reply.body))
        after = self.world.api.dump()
        self.assertEqual([name for name in after if after[name] != before[name]], [])

    def changes(self) -> Iterator[tuple[str, str, Any]]:
        """Yield requests that an owner may make."""
        for member in SEEN:
            kept = self.world.kept[member]
            path = f"{kept.path}/{kept.id}"
            yield "PUT", path, {member: {"name": "mine"}}
            yield "DELETE", path, None
            yield "PUT", f"{path}/tags/mine", None
            for whom in (CAROL_ID, BOB_ID, "*"):
                object_type = "qos_policy" if member == "policy" else member
                body = {"object_type": object_type, "object_id": kept.id, "action": "access_as_shared"}
                yield "POST", "rbac-policies", {"rbac_policy": {**body, "target_tenant": whom}}
        rule = {"security_group_id": self.world.id("security_group"), "direction": "egress", "protocol": "icmp"}
        yield "POST", "security-group-rules", {"security_group_rule": rule}
        yield "DELETE", f"security-group-rules/{self.world.id('security_group_rule')}", None
        yield "POST", "subnets", {"subnet": {"network_id": self.network_id, "cidr": "10.3.0.0/24", "ip_version": 4}}
        yield from self.actions()

    def actions(self) -> Iterator[tuple[str, str, Any]]:
        """Yield the actions on what is shared."""
        for action in self.world.api.served.actions:
            if "/tags" not in action.path and action.method == "PUT":
                yield from self.action(action)

    def action(self, action: Action) -> Iterator[tuple[str, str, Any]]:
        """Yield one action, if it is on what is shared."""
        for member in SEEN:
            kept = self.world.kept[member]
            if action.path.startswith(f"{kept.path}/<"):
                _, _, rest = action.path.partition(">")
                yield action.method, f"{kept.path}/{kept.id}{rest}", ACTION_BODIES[action.path]

    def test_a_port_on_it_is_the_members_own(self) -> None:
        """The owner of the network sees it, and cannot change it or put it to use."""
        network = {"network_id": self.network_id}
        port_id = self.world.api.make("ports", "port", BOB, **network)["id"]
        own_id = self.world.api.make("ports", "port", ALICE, **network)["id"]
        alice = self.world.api.request
        self.assertEqual(alice("GET", f"ports/{port_id}", headers=ALICE).status, 200)
        self.assertEqual(alice("PUT", f"ports/{port_id}", {"port": {"name": "x"}}, ALICE).status, 403)
        self.assertEqual(alice("PUT", f"ports/{port_id}/tags/x", None, ALICE).status, 403)
        self.assertEqual(alice("POST", "trunks", {"trunk": {"port_id": port_id}}, ALICE).status, 403)
        sub_port = {"port_id": port_id, "segmentation_type": "vlan", "segmentation_id": 5}
        trunk = {"trunk": {"port_id": own_id, "sub_ports": [sub_port]}}
        self.assertEqual(alice("POST", "trunks", trunk, ALICE).status, 403)


class PortSecurityTests(SharedCase):
    """A network's owner decides which of its ports go without port security."""

    def test_no_port_is_made_without(self) -> None:
        """Not by its owner's name either."""
        for choice in ({"port_security_enabled": False}, {"device_owner": "network:router_interface"}):
            reply = self.bob("POST", "ports", {"port": {"network_id": self.network_id, **choice}})
            self.assertEqual(reply.status, 403, choice)

    def test_the_port_of_a_local_ip_stays_that(self) -> None:
        """It has no port security, so nothing else may be made of it."""
        local_ip = self.world.api.make("local_ips", "local_ip", BOB, network_id=self.network_id)
        path = f"ports/{local_ip['local_port_id']}"
        self.assertFalse(self.bob("GET", path).json["port"]["port_security_enabled"])
        for change in ({"device_owner": ""}, {"device_owner": "compute:nova"}, {"device_id": ""}):
            self.assertEqual(self.bob("PUT", path, {"port": change}).status, 403, change)
        self.assertEqual(self.bob("PUT", path, {"port": {"name": "mine"}}).status, 200)


class RoleTests(TenantCase):
    """Who may change what is its own."""

    def create(self, headers: Headers) -> int:
        """Return the status of a request for a network."""
        return self.world.api.request("POST", "networks", {"network": {}}, headers).status

    def test_members_do(self) -> None:
        """And those above them."""
        for headers in (BOB, MANAGER, ADMIN, {"X-Roles": "admin"}):
            self.assertEqual(self.create(headers), 201, headers)

    def test_others_do_not(self) -> None:
        """Readers only look; who has no role in a project does not even see what it has."""
        before = self.world.api.dump()
        for roles, seen, refused in (("reader", 200, 403), ("", 404, 404), ("members", 404, 404)):
            headers = {**ALICE, "X-Roles": roles}
            self.assertEqual(self.create(headers), 403, roles)
            for path, body in (("networks", {"network": {"name": "x"}}), ("ports", {"port": {"name": "x"}})):
                one = f"{path}/{self.world.id(path[:-1])}"
                self.assertEqual(self.world.api.request("GET", one, headers=headers).status, seen, one)
                self.assertEqual(self.world.api.request("PUT", one, body, headers).status, refused, one)
                self.assertEqual(self.world.api.request("PUT", f"{one}/tags/x", None, headers).status, 403, one)
                self.assertEqual(self.world.api.request("DELETE", one, None, headers).status, refused, one)
        self.assertEqual(self.world.api.dump(), before)

    def test_nobody_makes_something_without_a_project(self) -> None:
        """It would be everybody's who has none."""
        before = self.world.api.dump()
        for roles in ("member", "manager", ""):
            self.assertEqual(self.create({"X-Roles": roles}), 403, roles)
        self.assertEqual(self.world.api.dump(), before)

    def test_what_is_of_no_project_is_not_seen_by_those_who_have_none(self) -> None:
        """Administrators who are in no project make it."""
        self.create({"X-Roles": "admin"})
        external = self.listed("networks?router:external=true", ADMIN)
        for headers in ({"X-Roles": "member"}, {"X-Roles": ""}, {"X-Roles": "member", "X-Project-Id": ""}):
            self.assertEqual(self.listed("networks", headers), external)

    def listed(self, path: str, headers: Headers) -> list[str]:
        """Return the ids of networks."""
        answer = self.world.api.request("GET", path, headers=headers)
        return sorted(each["id"] for each in answer.json["networks"])
