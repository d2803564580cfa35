"""What strangers cannot name of Alice's, and what only administrators set and see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from quantumd.api.attributes import Attribute
from quantumd.api.policy.rules import default_policy
from quantumd.api.resource import Resource
from quantumd.model.context import Context
from tests.api.everything import ADMIN
from tests.api.tenants_world import ALICE_ID, BOB, BOB_ID
from tests.api.test_tenants import NOBODYS_ID, TenantCase

_IDS = ("_id", "_groups", "fixed_ips", "sub_ports", "subnets", "service_profiles", "target_tenant")
"""How attributes end that name other things."""

OTHERS = frozenset({
    ("network", "provider:segmentation_id"), ("segment", "segmentation_id"),
    ("port", "binding:host_id"), ("port", "device_id"),
    ("network_segment_range", "project_id"), ("flavor", "service_profiles"), ("tap_mirror", "port_id"),
    ("router", "flavor_id"),
})  # fmt: skip
"""What ends so and names nothing of a project's, or is set by administrators only."""

REFERENCES: Mapping[tuple[str, str], tuple[str, Mapping[str, Any]]] = {
    ("network", "qos_policy_id"): ("policy", {}),
    ("subnet", "network_id"): ("network", {"cidr": "10.1.1.0/24", "ip_version": 4}),
    ("subnet", "subnetpool_id"): ("subnetpool", {"network_id": "own network", "ip_version": 4}),
    ("subnet", "segment_id"): ("segment", {"network_id": "own network", "cidr": "10.1.1.0/24", "ip_version": 4}),
    ("port", "network_id"): ("network", {}),
    ("port", "fixed_ips"): ("subnet", {"network_id": "own network"}),
    ("port", "security_groups"): ("security_group", {"network_id": "own network"}),
    ("port", "qos_policy_id"): ("policy", {"network_id": "own network"}),
    ("floatingip", "floating_network_id"): ("network", {}),
    ("floatingip", "port_id"): ("port", {"floating_network_id": "own external"}),
    ("floatingip", "qos_policy_id"): ("policy", {"floating_network_id": "own external"}),
    ("floatingip", "subnet_id"): ("subnet", {"floating_network_id": "own external"}),
    ("port_forwarding", "internal_port_id"): (
        "port",
        {"protocol": "tcp", "external_port": 80, "internal_port": 80, "internal_ip_address": "10.2.2.2"},
    ),
    ("ndp_proxy", "router_id"): ("router", {"port_id": "own port"}),
    ("ndp_proxy", "port_id"): ("port", {"router_id": "own router"}),
    ("trunk", "port_id"): ("port", {}),
    ("trunk", "sub_ports"): ("port", {"port_id": "own port"}),
    ("tap_service", "port_id"): ("port", {}),
    ("tap_flow", "tap_service_id"): ("tap_service", {"source_port": "own port", "direction": "IN"}),
    ("local_ip", "local_port_id"): ("port", {}),
    ("local_ip", "network_id"): ("network", {}),
    ("port_association", "fixed_port_id"): ("port", {}),
    ("default_security_group_rule", "remote_group_id"): ("security_group", {}),
    ("default_security_group_rule", "remote_address_group_id"): ("address_group", {}),
    ("log", "resource_id"): ("security_group", {"resource_type": "security_group"}),
    ("metering_label_rule", "metering_label_id"): (
        "metering_label",
        {"direction": "ingress", "remote_ip_prefix": "10.0.0.0/8"},
    ),
    ("log", "target_id"): ("port", {"resource_type": "security_group"}),
    ("rbac_policy", "object_id"): ("network", {}),
    ("rbac_policy", "target_tenant"): ("network", {}),
    ("security_group_rule", "security_group_id"): ("security_group", {"direction": "ingress"}),
    ("security_group_rule", "remote_group_id"): (
        "security_group",
        {"security_group_id": "own security_group", "direction": "ingress"},
    ),
    ("security_group_rule", "remote_address_group_id"): (
        "address_group",
        {"security_group_id": "own security_group", "direction": "ingress"},
    ),
    ("subnetpool", "address_scope_id"): ("address_scope", {"name": "mine", "prefixes": ["10.9.0.0/16"]}),
    ("segment", "network_id"): ("network", {"network_type": "vxlan"}),
}
"""By resource and attribute: what of Alice's it could name, and the rest of a body."""

_SHAPES: Mapping[str, Any] = {
    "fixed_ips": lambda named: [{"subnet_id": named}],
    "security_groups": lambda named: [named],
    "sub_ports": lambda named: [{"port_id": named, "segmentation_type": "vlan", "segmentation_id": 9}],
}

OBJECTS = ("network", "subnetpool", "address_scope", "security_group", "address_group", "policy")


class OwnCase(TenantCase):
    """Bob has things of his own."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        make = self.world.api.make
        self.own = {"network": make("networks", "network", BOB)["id"]}
        network = {"network_id": self.own["network"]}
        self.own["subnet"] = make("subnets", "subnet", BOB, cidr="10.2.2.0/24", ip_version=4, **network)["id"]
        self.own["port"] = make("ports", "port", BOB, **network)["id"]
        self.own["security_group"] = make("security-groups", "security_group", BOB)["id"]
        pool = make("subnetpools", "subnetpool", BOB, name="mine", prefixes=["10.8.0.0/16"])
        self.own["subnetpool"] = pool["id"]
        local_ip = make("local_ips", "local_ip", BOB, local_port_id=self.own["port"])
        self.own["local_ip"] = local_ip["id"]
        self.own["router"] = make("routers", "router", BOB)["id"]
        floating_ip = make("floatingips", "floatingip", BOB, floating_network_id=self.world.external)
        self.own["floatingip"] = floating_ip["id"]

    def path(self, member: str) -> str:
        """Return the path of a collection, inside what is Bob's."""
        parent = self.own["floatingip" if member == "port_forwarding" else "local_ip"]
        return self.resources[member].path.replace("<parent_id>", parent)


class ReferenceTests(OwnCase):
    """Bob names what is Alice's."""

    def test_every_attribute_that_names_something_is_tried(self) -> None:
        """A new one needs an entry above."""
        found = {
            (member, each.name)
            for member, resource in self.resources.items()
            for each in resource.attributes
            if each.name.endswith(_IDS) and each.name != "project_id" and (each.in_post or each.in_put)
        }
        self.assertEqual(found - {*OTHERS}, {*REFERENCES})

    def test_nothing_of_others_is_named_in_what_is_made(self) -> None:
        """Alone or among others; it is refused as what is not there."""
        for attack in self.attacks(("member", "manager")):
            for (member, name), (target, _) in REFERENCES.items():
                named = self.world.id(target)
                body = self.body(member, name, named)
                path = self.path(member)
                attack.refused("POST", path, named, {member: body}, (400, 403, 404))
                collection = self.resources[member].collection
                attack.refused("POST", path, named, {collection: [body, body]}, (400, 403, 404))

    def test_nothing_of_others_is_named_in_changes(self) -> None:
        """Of what is one's own."""
        for attack in self.attacks(("member",)):
            for (member, name), (target, _) in REFERENCES.items():
                attribute = next(each for each in self.resources[member].attributes if each.name == name)
                if attribute.in_put and member in self.own:
                    named = self.world.id(target)
                    body = {member: {name: _shaped(name, named)}}
                    attack.refused("PUT", f"{self.path(member)}/{self.own[member]}", named, body, (400, 403, 404))

    def test_nothing_of_others_is_given_away(self) -> None:
        """Of no type, to oneself or to everybody."""
        for attack in self.attacks(("member", "manager")):
            for target in OBJECTS:
                for whom in (BOB_ID, "*"):
                    object_type = "qos_policy" if target == "policy" else target
                    body = {"object_type": object_type, "action": "access_as_shared", "target_tenant": whom}
                    named = self.world.id(target)
                    self.refused_policy(attack, {**body, "object_id": named}, named)

    def refused_policy(self, attack: Any, body: dict[str, Any], named: str) -> None:
        """Expect that a policy cannot be made."""
        attack.refused("POST", "rbac-policies", named, {"rbac_policy": body}, (400, 403, 404))

    def test_nothing_is_made_inside_of_what_is_not_seen(self) -> None:
        """Rules of policies, associations of local IPs, port forwardings, bindings, sub-ports, subnets of pools."""
        bodies: Mapping[str, Any] = {
            "bandwidth_limit_rule": {"max_kbps": 1},
            "dscp_marking_rule": {"dscp_mark": 12},
            "minimum_bandwidth_rule": {"min_kbps": 1},
            "packet_rate_limit_rule": {"max_kpps": 1},
            "minimum_packet_rate_rule": {"min_kpps": 1},
            "port_association": {"fixed_port_id": self.own["port"]},
            "binding": {"host": "h"},
            "conntrack_helper": {"protocol": "tcp", "port": 21, "helper": "ftp"},
            "port_forwarding": {
                "protocol": "tcp",
                "external_port": 80,
                "internal_port": 80,
                "internal_port_id": self.own["port"],
                "internal_ip_address": "10.2.2.2",
            },
        }
        nested = {each.member for each in self.resources.values() if each.is_nested}
        self.assertEqual({*bodies}, nested)
        for attack in self.attacks(("member", "manager", "nobody")):
            for member, body in bodies.items():
                path = self.world.kept[member].path
                attack.refused("POST", path, path.split("/")[-2], {member: body})
                attack.refused("GET", path, path.split("/")[-2])

    def test_subnets_of_others_are_not_onboarded(self) -> None:
        """Nor are ports of others made sub-ports."""
        network_id, port_id = self.world.id("network"), self.world.ports[5]
        trunk = self.world.api.make("trunks", "trunk", BOB, port_id=self.other_port())["id"]
        for attack in self.attacks(("member",)):
            path = f"subnetpools/{self.own['subnetpool']}/onboard_network_subnets"
            attack.refused("PUT", path, network_id, {"network_id": network_id})
            body = {"sub_ports": [{"port_id": port_id, "segmentation_type": "vlan", "segmentation_id": 9}]}
            attack.refused("PUT", f"trunks/{trunk}/add_subports", port_id, body)

    def other_port(self) -> str:
        """Make another port of Bob's."""
        return str(self.world.api.make("ports", "port", BOB, network_id=self.own["network"])["id"])

    def body(self, member: str, name: str, named: str) -> dict[str, Any]:
        """Return the body of a create request that names what is Alice's."""
        known = {**self.own, "external": self.world.external}
        body = {key: known.get(str(value)[4:], value) for key, value in REFERENCES[member, name][1].items()}
        if member == "rbac_policy":
            body = {"object_type": "network", "action": "access_as_shared", "target_tenant": BOB_ID, "object_id": named}
        if member == "default_security_group_rule":
            body = {"direction": "ingress", "used_in_default_sg": True, "used_in_non_default_sg": True}
        return {**body, name: _shaped(name, named)} if name != "target_tenant" else body


def _shaped(name: str, named: str) -> Any:
    return _SHAPES[name](named) if name in _SHAPES else named


VALUES: Mapping[str, Any] = {
    "enable_default_route_ecmp": True,
    "shared": True,
    "router:external": True,
    "is_default": True,
    "provider:network_type": "vxlan",
    "provider:physical_network": "physnet1",
    "provider:segmentation_id": 1500,
    "segments": [{"provider:network_type": "vxlan", "provider:segmentation_id": 1500}],
    "segment_id": NOBODYS_ID,
    "service_types": ["compute:nova"],
    "mac_address": "fa:16:3e:00:00:09",
    "binding:profile": {"a": "b"},
    "binding:host_id": "h",
    "data_plane_status": "ACTIVE",
    "hints": {"openvswitch": {"other_config": {"tx-steering": "hash"}}},
    "trusted": True,
    "hardware_offload_type": "switchdev",
    "floating_ip_address": "172.24.4.9",
}
"""A value of each attribute that only administrators set; a new one needs an entry."""


ALICE_OWNER = Context("req", project_id=ALICE_ID, roles=frozenset({"member"}))


class AdministratorTests(OwnCase):
    """Attributes that only administrators set or see, on what is Bob's own."""

    policy = default_policy()

    def ruled(self, rule: str) -> Iterator[tuple[Resource, Attribute]]:
        """Yield what only administrators may do with attributes of resources that everybody makes."""
        alice = self.policy.bind(ALICE_OWNER)
        for resource in self.resources.values():
            is_made = (
                "create" in resource.verbs and self.policy.decide(f"create_{resource.ruled_as}", alice) is not False
            )
            for attribute in resource.attributes:
                name = f"{rule}_{resource.ruled_as}:{attribute.name}"
                if is_made and self.policy.has(name) and self.policy.decide(name, alice) is False:
                    yield resource, attribute

    def test_they_are_not_set(self) -> None:
        """Neither in what is made nor in a change."""
        bodies: Mapping[str, Any] = {
            "network": {},
            "subnet": {"network_id": self.own["network"], "cidr": "10.1.1.0/24", "ip_version": 4},
            "port": {"network_id": self.own["network"]},
            "address_scope": {"name": "x", "ip_version": 4},
            "floatingip": {"floating_network_id": self.world.external},
            "router": {"name": "x"},
            "subnetpool": {"name": "x", "prefixes": ["10.9.0.0/16"]},
        }
        for attack in self.attacks(("member", "reader")):
            for resource, each in self.ruled("create"):
                if each.in_post:
                    body = {resource.member: {**bodies[resource.member], each.name: VALUES[each.name]}}
                    self.assertEqual(attack.harmless("POST", resource.path, body).status, 403, (resource.path, each))
            for resource, each in self.ruled("update"):
                if each.in_put and resource.member in self.own:
                    body = {resource.member: {each.name: VALUES[each.name]}}
                    reply = attack.harmless("PUT", f"{resource.path}/{self.own[resource.member]}", body)
                    self.assertEqual(reply.status, 403, (resource.path, each, reply))

    def test_they_are_not_seen(self) -> None:
        """Not in lists, not in what is shown, not by their name in fields."""
        for resource, each in self.ruled("get"):
            own = f"{resource.path}/{self.own[resource.member]}"
            for path in (own, f"{own}?fields={each.name}", resource.path, f"{resource.path}?fields={each.name}"):
                reply = self.world.api.request("GET", path, headers=BOB)
                self.assertNotIn(f'"{each.name}"', reply.body.decode(), path)

    def test_they_are_not_found_out(self) -> None:
        """By a filter that finds something or nothing, or by an order."""
        port = {"port": {"binding:host_id": "secret-host"}}
        self.world.api.request("PUT", f"ports/{self.own['port']}", port, ADMIN)
        for resource, each in self.ruled("get"):
            own = f"{resource.path}/{self.own[resource.member]}"
            value = self.world.api.request("GET", own, headers=ADMIN).json[resource.member].get(each.name)
            if each.filter_convert is not None:
                right, wrong = (
                    self.world.api.request("GET", f"{resource.path}?{each.name}={text}", headers=BOB)
                    for text in (value, 1999 if isinstance(value, int) else "something-else")
                )
                self.assertEqual((right.status, right.body), (wrong.status, wrong.body), each.name)
            if each.sorts:
                path = f"{resource.path}?sort_key={each.name}&sort_dir=asc"
                self.assertEqual(self.world.api.request("GET", path, headers=BOB).status, 400, each.name)

    def test_nothing_is_made_for_others(self) -> None:
        """In the project of Alice, by either name."""
        for attack in self.attacks(("member", "nobody")):
            for resource in self.resources.values():
                for name in ("project_id", "tenant_id"):
                    attributes = {attribute.name: attribute for attribute in resource.attributes}
                    if "create" in resource.verbs and "project_id" in attributes and attributes["project_id"].in_post:
                        body = {resource.member: {name: ALICE_ID}}
                        reply = attack.harmless("POST", self.path(resource.member), body)
                        self.assertIn(reply.status, (400, 403, 404), resource.member)

    def test_nothing_is_moved_to_others(self) -> None:
        """A project is not an attribute to change."""
        for member, resource_id in self.own.items():
            for name in ("project_id", "tenant_id"):
                body = {member: {name: ALICE_ID}}
                reply = self.world.api.request("PUT", f"{self.path(member)}/{resource_id}", body, BOB)
                self.assertIn(reply.status, (400, 403), (member, reply))
