"""Routers get hosts, and their ports are bound there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quantumd.api.extensions.agents.heartbeats import agent_id_of
from quantumd.model.messages import HostReport
from quantumd.model.records import KINDS
from quantumd.store.tables.routers import routers
from tests.api.extensions.test_routers import RouterCase
from tests.api.resources.bed import ALICE, NOW, View

_OFF = "agents/<agent_id>/l3-routers/<router_id>"
LATER = "2026-11-20T11:02:34Z"


class HostedCase(RouterCase):
    """Says which hosts there are, and which of them carries a router."""

    def hear(self, host: str, kinds: tuple[str, ...] = KINDS, zone: str = "nova") -> None:
        """Let both roles of a host report."""
        self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}", record_kinds=KINDS))
        self.bed.hear(HostReport(host, "l3", "1", record_kinds=kinds, availability_zone=zone))

    def host(self, router: View) -> str:
        """Return the host that carries the router."""
        return str(self.bed.row(select(routers.c.host).where(routers.c.id == router["id"]))[0])

    def bindings(self, router: View) -> set[tuple[str, str]]:
        """Return the hosts that the router's ports are bound to, and how."""
        return {(port["binding:host_id"], port["binding:vif_type"]) for port in self.ports(router)}


class ChoiceTests(HostedCase):
    """Which host."""

    def test_the_one_with_the_fewest(self) -> None:
        """Of several the first by name; deleted ones do not count."""
        for host in ("b", "a"):
            self.hear(host)
        made = [self.router() for _ in range(3)]
        self.assertEqual([self.host(each) for each in made], ["a", "b", "a"])
        for router in (made[0], made[2]):
            self.bed.delete("router", router["id"], ALICE)
        self.assertEqual(self.host(self.router()), "a")

    def test_only_those_that_live_and_take_more(self) -> None:
        """Not a silent host, not one without the role, none of before routers, no disabled agent."""
        self.bed.add_host("z")
        self.hear("a")
        self.hear("b", kinds=("l2.port",))
        self.hear("c")
        self.bed.update("agent", agent_id_of("c", "l3"), admin_state_up=False)
        self.bed.now = LATER
        for host in ("b", "c"):
            self.hear(host, kinds=KINDS if host == "c" else ())
        self.assertEqual(self.host(self.router()), "")
        self.hear("d")
        self.assertEqual(self.host(self.router()), "d")

    def test_it_stays(self) -> None:
        """Also when its host is silent: what it is given then is bound there too, for when it is back."""
        self.hear("a")
        made = self.with_gateway()
        self.bed.now = LATER
        self.hear("b")
        self.add(made, subnet_id=self.inner)
        self.assertEqual((self.host(made), self.bindings(made)), ("a", {("a", "ovs")}))

    def test_that_is_journalled_for_operators(self) -> None:
        """With the agent, when it is given and when it ends; owners learn nothing of hosts."""
        self.hear("a")
        made = self.router()
        self.assertEqual(self.journalled()[-2:], [("router", "create"), ("agent", "update")])
        self.assertEqual(
            self.last_journalled()[2], {"id": agent_id_of("a", "l3"), "host": "a", "l3_router": made["id"]}
        )
        self.assertNotIn("host", self.shown(made))
        self.bed.delete("router", made["id"], ALICE)
        self.assertEqual(self.journalled()[-2:], [("agent", "update"), ("router", "delete")])


class LaterTests(HostedCase):
    """Routers that were made before any host could carry them."""

    def setUp(self) -> None:
        """One with a gateway and an interface of either kind."""
        super().setUp()
        self.made = self.with_gateway()
        self.add(self.made, subnet_id=self.inner)
        network, _ = self.bed.network_with_subnet("10.6.0.0/24", ALICE)
        adopted = self.bed.create("port", network_id=network, project_id="alice", binding__host_id="x")
        self.add(self.made, port_id=adopted["id"])
        self.bed.add_host("a")

    def report(self) -> None:
        """Let the host's role report for the first time."""
        self.bed.hear(HostReport("a", "l3", "1", record_kinds=KINDS))

    def test_their_ports_are_on_no_host(self) -> None:
        """Also one that was somewhere else before."""
        self.assertEqual((self.host(self.made), self.bindings(self.made)), ("", {("", "unbound")}))

    def test_the_first_that_reports_takes_them(self) -> None:
        """With their ports; what it says again changes nothing."""
        self.report()
        self.assertEqual((self.host(self.made), self.bindings(self.made)), ("a", {("a", "ovs")}))
        before = self.position()
        self.report()
        self.assertEqual(self.position(), before)

    def test_ports_that_were_plugged_elsewhere_follow(self) -> None:
        """Who plugs a device for the port of a router that has no host does not keep it."""
        self.bed.add_host("y")
        for port in self.ports(self.made):
            self.bed.plug(port["id"], "y")
        self.assertEqual(self.bindings(self.made), {("y", "ovs")})
        self.report()
        self.assertEqual(self.bindings(self.made), {("a", "ovs")})

    def test_a_host_that_takes_no_more_takes_none(self) -> None:
        """One of before routers, or whose agent is disabled."""
        self.bed.hear(HostReport("a", "l3", "1"))
        self.assertEqual(self.host(self.made), "")
        self.bed.update("agent", agent_id_of("a", "l3"), admin_state_up=False)
        self.report()
        self.assertEqual(self.host(self.made), "")
        self.bed.update("agent", agent_id_of("a", "l3"), admin_state_up=True)
        self.report()
        self.assertEqual(self.host(self.made), "a")

    def test_a_new_interface_brings_a_host(self) -> None:
        """As soon as one may carry it, and the other ports follow."""
        self.bed.update("agent", self.disabled("a"), admin_state_up=True)
        _, subnet = self.bed.network_with_subnet("10.7.0.0/24", ALICE)
        self.add(self.made, subnet_id=subnet)
        self.assertEqual((self.host(self.made), self.bindings(self.made)), ("a", {("a", "ovs")}))
        self.assertEqual(len(self.ports(self.made)), 4)

    def disabled(self, host: str) -> str:
        """Let a host's role report that takes none; return its agent."""
        self.bed.hear(HostReport(host, "l3", "1"))
        self.bed.update("agent", agent_id_of(host, "l3"), admin_state_up=False)
        self.report()
        return agent_id_of(host, "l3")


class BindingTests(HostedCase):
    """Ports of a router that has its host."""

    def setUp(self) -> None:
        """One on a host."""
        super().setUp()
        self.hear("a")
        self.made = self.with_gateway()

    def test_they_are_bound_there(self) -> None:
        """The gateway, a new interface, and a port that was elsewhere."""
        self.add(self.made, subnet_id=self.inner)
        network, _ = self.bed.network_with_subnet("10.6.0.0/24", ALICE)
        self.bed.add_host("x")
        adopted = self.bed.create("port", network_id=network, project_id="alice", binding__host_id="x")
        self.add(self.made, port_id=adopted["id"])
        self.assertEqual(self.bindings(self.made), {("a", "ovs")})
        self.assertEqual(len(self.ports(self.made)), 3)

    def test_an_adopted_port_takes_no_more_bandwidth_than_there_is(self) -> None:
        """What it is guaranteed its host must be able to give."""
        policy = self.bed.create("policy", project_id="alice")["id"]
        self.bed.create("minimum_bandwidth_rule", parent=policy, min_kbps=1000)
        network = self.bed.create("network", project_id="alice", provider__network_type="vlan",
                                  provider__physical_network="physnet1", provider__segmentation_id=7)["id"]  # fmt: skip
        self.bed.create("subnet", network_id=network, ip_version=4, cidr="10.6.0.0/24", project_id="alice")
        port = self.bed.create("port", network_id=network, project_id="alice", qos_policy_id=policy)
        refused: Any = (409, "HostBandwidthExceeded")
        self.assert_refused(*refused, self.add, self.made, port_id=port["id"])
        self.assertEqual(self.bed.show("port", port["id"])["device_owner"], "")


class UnreachedTests(HostedCase):
    """Networks of segments, none of which the router's host is on."""

    def test_they_are_refused_and_the_host_is_not_told(self) -> None:
        """Owners learn that it cannot be, and of no host's name."""
        self.hear("a-secret-host")
        network = self.bed.create(
            "network", router__external=True, provider__network_type="vlan", provider__physical_network="physnet1",
            provider__segmentation_id=5,
        )["id"]  # fmt: skip
        (segment,) = self.bed.listed("segment", network_id=(network,))
        self.bed.create("subnet", network_id=network, ip_version=4, cidr="172.30.0.0/24", segment_id=segment["id"])
        made, info = self.router(), {"network_id": network}
        message = self.assert_refused(
            400, "BadRequest", self.bed.update, "router", made["id"], ALICE, external_gateway_info=info
        )
        self.assertEqual(
            message, f"Bad router request: The host of router {made['id']} is on no segment of network {network}."
        )
        port = self.bed.create("port", network_id=network, project_id="alice", fixed_ips=[{"ip_address": "172.30.0.9"}])
        self.assertEqual(self.assert_refused(400, "BadRequest", self.add, made, port_id=port["id"]), message)
        self.assertEqual(self.ports(made), [])


class DatedTests(HostedCase):
    """Since when a router waits for its host."""

    def test_it_is_known(self) -> None:
        """Where in the journal it was given to it."""
        self.assertEqual(self.bed.now, NOW)
        self.hear("a")
        made = self.router()
        version = self.bed.row(select(routers.c.record_version).where(routers.c.id == made["id"]))[0]
        self.assertEqual(version, self.position())


class ZoneTests(HostedCase):
    """Hints for availability zones."""

    def test_a_router_is_carried_in_one_of_its_zones(self) -> None:
        """Whatever others carry; without hints it may be anywhere. Which zone it is in is shown."""
        self.hear("a", zone="north")
        for host in ("b", "c"):
            self.hear(host, zone="south")
        made = [self.router(availability_zone_hints=["south"]) for _ in range(2)]
        self.assertEqual([self.host(each) for each in made], ["b", "c"])
        shown = self.bed.show("router", made[0]["id"], ALICE)
        self.assertEqual((shown["availability_zone_hints"], shown["availability_zones"]), (["south"], ["south"]))
        free = self.router()
        self.assertEqual((self.host(free), free["availability_zone_hints"]), ("a", []))

    def test_it_waits_for_a_host_of_its_zones(self) -> None:
        """And takes no other meanwhile, nor when it is moved away."""
        self.hear("a", zone="north")
        self.hear("b", zone="south")
        self.bed.update("agent", agent_id_of("b", "l3"), admin_state_up=False)
        made = self.router(availability_zone_hints=["south"])
        self.assertEqual((made["status"], made["availability_zones"]), ("DOWN", []))
        self.hear("a", zone="north")
        self.assertEqual(self.host(made), "")
        self.hear("c", zone="south")
        self.assertEqual(self.host(made), "c")
        self.bed.act("DELETE", _OFF, None, agent_id=agent_id_of("c", "l3"), router_id=made["id"])
        self.assertEqual(self.host(made), "")

    def test_hints_name_zones_of_routers(self) -> None:
        """The zone of this process is there before any host has reported; others are not."""
        self.router(availability_zone_hints=["nova"])
        self.assert_refused(404, "AvailabilityZoneNotFound", self.router, availability_zone_hints=["mars"])
