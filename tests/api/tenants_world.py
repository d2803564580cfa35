"""What Alice has: one of everything that is served, for tests of what others can do to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, field, frozen

from quantumd.config import NetworkSettings, QuotaSettings
from tests.api.everything import ADMIN, Everything, Headers, everything

ALICE_ID = "a11ce000000040008000000000000001"
BOB_ID = "b0b00000000040008000000000000002"
CAROL_ID = "ca401000000040008000000000000003"

ALICE: Headers = {"X-Project-Id": ALICE_ID, "X-Roles": "member"}
MANAGER: Headers = {"X-Project-Id": ALICE_ID, "X-Roles": "member,manager"}
BOB: Headers = {"X-Project-Id": BOB_ID, "X-Roles": "member"}

STRANGERS: Mapping[str, Headers] = {
    "member": BOB,
    "manager": {**BOB, "X-Roles": "member,manager"},
    "reader": {**BOB, "X-Roles": "reader"},
    "nobody": {"X-Roles": ""},
    "somebody of no project": {"X-Roles": "member"},
    "almost Alice": {"X-Project-Id": ALICE_ID.upper(), "X-Roles": "member"},
    "everybody": {"X-Project-Id": "*", "X-Roles": "member"},
    "anything": {"X-Project-Id": "%", "X-Roles": "member"},
}
"""Who has no business with what Alice has. A service (role service) has: it acts for every project, as in Neutron."""

PRIVATE = "private"
"""Others do not learn that it is there."""
OPERATORS = "operators"
"""Others than administrators are refused whatever is there."""
PUBLIC = "public"
"""Everybody sees it, administrators change it."""

LIST_ONLY = frozenset({
    "loggable_resource", "availability_zone", "service_provider", "rule_type", "agent", "floatingip_pool",
})  # fmt: skip
"""What nobody makes by requests. Agents are there when hosts report; others than administrators see none."""

SECRET = "s3cret"
"""In every name and description that Alice gives."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NETWORK = NetworkSettings(
    tenant_network_types=("vxlan",), vxlan_ranges=("1000:1999",), vlan_ranges=("physnet1:100:199",)
)


@frozen
class Kept:
    """One thing: ``path`` is that of its collection, ``guard`` who may know of it."""

    member: str
    path: str
    guard: str
    view: Mapping[str, Any]
    id: str


@define
class World:
    """Everything, and what Alice has of it."""

    api: Everything = field(factory=lambda: everything(_NETWORK, QuotaSettings(port=-1)))
    kept: dict[str, Kept] = field(factory=dict)
    ports: list[str] = field(factory=list)
    external: str = field(default="", init=False)
    """A network of the operator's that everybody sees."""
    seen: set[str] = field(factory=set)
    """Its id, and that of its subnet."""

    def keep(
        self, path: str, member: str, headers: Headers = ALICE, guard: str = PRIVATE, key: str = "id", **body: Any
    ) -> str:
        """Make one and note it; return its id, which is what is under ``key``."""
        view = self.api.make(path, member, headers, **body)
        self.kept[member] = Kept(member, path, guard, view, view[key])
        return str(view[key])

    def note(self, member: str, path: str, guard: str, resource_id: str, headers: Headers = ADMIN) -> None:
        """Note what is there without being made."""
        view = self.api.request("GET", f"{path}/{resource_id}", headers=headers).json[member]
        self.kept[member] = Kept(member, path, guard, view, resource_id)

    def id(self, member: str) -> str:
        """Return the id of Alice's."""
        return self.kept[member].id

    def secrets(self) -> frozenset[str]:
        """Return the texts that no stranger may be told: ids, names, Alice's project."""
        public = {kept.id for kept in self.kept.values() if kept.guard == PUBLIC}
        return frozenset({SECRET, ALICE_ID, *_ids_in(self.api.dump())} - public - self.seen)


def _ids_in(dump: Mapping[str, Any]) -> Iterator[str]:
    for name, rows in dump.items():
        # The templates of rules are everybody's to see.
        if not name.startswith("default_security_group_rule"):
            yield from _UUID.findall(repr(rows))


def alices_world() -> World:
    """Make one of everything."""
    world = World()
    _networks(world)
    _security(world)
    _of_ports(world)
    _of_operators(world)
    _outside(world)
    return world


def _networks(world: World) -> None:
    named: dict[str, Any] = {"name": SECRET, "description": SECRET}
    scope_id = world.keep("address-scopes", "address_scope", name=SECRET, ip_version=4)
    prefixes = ["10.50.0.0/16"]
    world.keep("subnetpools", "subnetpool", prefixes=prefixes, address_scope_id=scope_id, **named)
    network_id = world.keep("networks", "network", **named)
    world.keep("subnets", "subnet", network_id=network_id, cidr="10.77.0.0/24", ip_version=4, **named)
    world.ports += [
        world.keep("ports", "port", network_id=network_id, device_id=device_id, **named)
        for device_id in ("", "", "", "", "", f"{SECRET}-device")
    ]
    world.keep(
        "rbac-policies", "rbac_policy",
        object_type="network", object_id=network_id, action="access_as_shared", target_tenant=CAROL_ID,
    )  # fmt: skip


def _security(world: World) -> None:
    named: dict[str, Any] = {"name": SECRET, "description": SECRET}
    group_id = world.keep("security-groups", "security_group", **named)
    world.keep("address-groups", "address_group", addresses=["10.78.0.0/24"], **named)
    rule: dict[str, Any] = {
        "security_group_id": group_id,
        "direction": "ingress",
        "protocol": "tcp",
        "description": SECRET,
    }
    world.keep("security-group-rules", "security_group_rule", **rule)
    world.keep("log/logs", "log", MANAGER, resource_type="security_group", **named)
    path = "security-groups-default-statefulness"
    world.keep(path, "security_groups_default_statefulness", MANAGER, stateful=False)
    template: dict[str, Any] = {
        "direction": "ingress",
        "protocol": "udp",
        "used_in_default_sg": True,
        "used_in_non_default_sg": False,
    }
    world.keep("default-security-group-rules", "default_security_group_rule", ADMIN, PUBLIC, **template)


def _of_ports(world: World) -> None:
    ports = world.ports
    sub_port = {"port_id": ports[1], "segmentation_type": "vlan", "segmentation_id": 7}
    world.keep("trunks", "trunk", name=SECRET, description=SECRET, port_id=ports[0], sub_ports=[sub_port])
    tap_id = world.keep(
        "taas/tap_services", "tap_service", name=SECRET, description=SECRET, port_id=ports[2]
    )  # fmt: skip
    flow: dict[str, Any] = {"tap_service_id": tap_id, "source_port": ports[3], "direction": "BOTH"}
    world.keep("taas/tap_flows", "tap_flow", name=SECRET, description=SECRET, **flow)
    mirror: dict[str, Any] = {"directions": {"BOTH": 5}, "remote_ip": "192.0.2.5", "mirror_type": "gre"}
    mirror |= {"project_id": ALICE_ID, "port_id": ports[3]}
    world.keep("taas/tap_mirrors", "tap_mirror", ADMIN, name=SECRET, description=SECRET, **mirror)
    local_ip_id = world.keep("local_ips", "local_ip", name=SECRET, description=SECRET, local_port_id=ports[2])
    path = f"local_ips/{local_ip_id}/port_associations"
    world.keep(path, "port_association", key="fixed_port_id", fixed_port_id=ports[3])
    for host in (f"{SECRET}-host", f"{SECRET}-other"):
        world.api.add_host(host)
    owner = {"port": {"device_owner": "compute:nova", "binding:host_id": f"{SECRET}-host"}}
    world.api.request("PUT", f"ports/{ports[4]}", owner)
    world.keep(f"ports/{ports[4]}/bindings", "binding", ADMIN, OPERATORS, "host", host=f"{SECRET}-other")


def _of_operators(world: World) -> None:
    policy_id = world.keep("qos/policies", "policy", ADMIN, name=SECRET, description=SECRET, project_id=ALICE_ID)
    rules: Mapping[str, dict[str, Any]] = {
        "bandwidth_limit_rule": {"max_kbps": 1000},
        "dscp_marking_rule": {"dscp_mark": 10},
        "minimum_bandwidth_rule": {"min_kbps": 100},
        "packet_rate_limit_rule": {"max_kpps": 100},
        "minimum_packet_rate_rule": {"min_kpps": 10},
    }
    for member, body in rules.items():
        rule_id = world.keep(f"qos/policies/{policy_id}/{member}s", member, ADMIN, **body)
        if member != "packet_rate_limit_rule":
            world.note(f"alias_{member}", f"qos/alias_{member}s", PRIVATE, rule_id)
    world.keep("flavors", "flavor", ADMIN, PUBLIC, service_type="L3_ROUTER_NAT")
    label_id = world.keep("metering/metering-labels", "metering_label", ADMIN, name=SECRET, project_id=ALICE_ID)
    world.keep(
        "metering/metering-label-rules", "metering_label_rule", ADMIN,
        metering_label_id=label_id, direction="ingress", remote_ip_prefix="10.9.0.0/16",
    )  # fmt: skip
    world.keep("service_profiles", "service_profile", ADMIN, PRIVATE, metainfo=SECRET)
    network_id = world.id("network")
    world.keep(
        "segments", "segment", ADMIN, OPERATORS,
        network_id=network_id, network_type="vlan", physical_network="physnet1", name=SECRET,
    )  # fmt: skip
    span: dict[str, Any] = {
        "network_type": "vxlan",
        "minimum": 5000,
        "maximum": 6000,
        "shared": False,
        "project_id": ALICE_ID,
    }
    world.keep("network_segment_ranges", "network_segment_range", ADMIN, OPERATORS, name=SECRET, **span)
    world.note("network_ip_availability", "network-ip-availabilities", OPERATORS, network_id)
    world.note("journal_entry", "journal", OPERATORS, "1")


def _outside(world: World) -> None:
    world.external = _external_network(world)
    gateway = {"network_id": world.external}
    router_id = world.keep("routers", "router", name=SECRET, description=SECRET, external_gateway_info=gateway)
    helper: dict[str, Any] = {"protocol": "tcp", "port": 21, "helper": "ftp"}
    world.keep(f"routers/{router_id}/conntrack_helpers", "conntrack_helper", **helper)
    body = {"subnet_id": world.id("subnet")}
    world.api.request("PUT", f"routers/{router_id}/add_router_interface", body, ALICE)
    world.keep("floatingips", "floatingip", description=SECRET, floating_network_id=world.external)
    forwarding = world.api.make("floatingips", "floatingip", ALICE, floating_network_id=world.external)
    path = f"floatingips/{forwarding['id']}/port_forwardings"
    target = forwarding_to(world, world.ports[5])
    world.keep(path, "port_forwarding", description=SECRET, protocol="tcp", external_port=2022, **target)
    _answered_for(world)


def _answered_for(world: World) -> None:
    """Have a router answer for a port of a network of its own: all in an address scope of IPv6."""
    make = world.api.make
    scope_id = make("address-scopes", "address_scope", ALICE, name=SECRET, ip_version=6)["id"]
    pool = {"address_scope_id": scope_id, "prefixes": ["2001:db8::/48"], "default_prefixlen": 64}
    of_pool = {"ip_version": 6, "subnetpool_id": make("subnetpools", "subnetpool", ALICE, name=SECRET, **pool)["id"]}
    network_id = make("networks", "network", ALICE, name=SECRET)["id"]
    outside_id = make("networks", "network", ADMIN, **{"router:external": True})["id"]
    subnet_id = make("subnets", "subnet", ALICE, name=SECRET, network_id=network_id, **of_pool)["id"]
    outer_id = make("subnets", "subnet", ADMIN, network_id=outside_id, **of_pool)["id"]
    world.seen |= {outside_id, outer_id, scope_id, of_pool["subnetpool_id"]}
    gateway = {"external_gateway_info": {"network_id": outside_id}, "enable_ndp_proxy": True}
    router_id = make("routers", "router", ALICE, name=SECRET, **gateway)["id"]
    world.api.request("PUT", f"routers/{router_id}/add_router_interface", {"subnet_id": subnet_id}, ALICE)
    port_id = make("ports", "port", ALICE, name=SECRET, network_id=network_id)["id"]
    said = {"router_id": router_id, "port_id": port_id, "description": SECRET}
    world.keep("ndp_proxies", "ndp_proxy", name=SECRET, **said)


def forwarding_to(world: World, port_id: str) -> dict[str, Any]:
    """Return what a port forwarding says of where it leads."""
    port = world.api.request("GET", f"ports/{port_id}").json["port"]
    address = port["fixed_ips"][0]["ip_address"]
    return {"internal_port": 22, "internal_port_id": port_id, "internal_ip_address": address}


def _external_network(world: World) -> str:
    network_id = str(world.api.make("networks", "network", ADMIN, **{"router:external": True})["id"])
    subnet = world.api.make("subnets", "subnet", ADMIN, network_id=network_id, cidr="172.24.4.0/24", ip_version=4)
    world.seen = {network_id, subnet["id"]}
    return network_id
