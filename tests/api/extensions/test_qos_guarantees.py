"""Guaranteed bandwidth is counted: no host gives more of it than it says it has."""

from __future__ import annotations

from typing import Any

from quantumd.config import NetworkSettings
from quantumd.l2.drivers.ovs.driver import OvsDriver
from quantumd.model.bandwidth import Bandwidth
from quantumd.model.messages import HostReport
from quantumd.server import accounted
from tests.api.resources.bed import ADMIN, Bed
from tests.api.resources.case import ResourceCase

_GUARANTEE = "minimum_bandwidth_rule"
_EXCEEDED = "HostBandwidthExceeded"


class GuaranteeCase(ResourceCase):
    """Where the operator says that counting is enough: two hosts that can guarantee 1000 kbit/s each way."""

    def setUp(self) -> None:
        """A network of a physical one, and a policy that guarantees 400 kbit/s of what is sent."""
        counted = accounted(NetworkSettings(bandwidth_guarantees="account"))
        self.bed = Bed(capabilities=OvsDriver.capabilities | counted, database=self.database)
        self.addCleanup(self.bed.close)
        for host in ("host-a", "host-b"):
            self.hear(host, 1000, 1000)
        vlan = {"provider__network_type": "vlan", "provider__physical_network": "physnet1"}
        self.network = self.bed.create("network", ADMIN, **vlan, provider__segmentation_id=5)["id"]
        self.gold = self.policy(min_kbps=400)

    def hear(self, host: str, egress: int, ingress: int) -> None:
        """Let a host say what it can guarantee."""
        can = (Bandwidth("physnet1", egress, ingress),)
        self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}", physical_networks=("physnet1",), bandwidths=can))

    def policy(self, **said: Any) -> str:
        """Make a policy that guarantees something."""
        policy_id: str = self.bed.create("policy", ADMIN)["id"]
        self.bed.create(_GUARANTEE, ADMIN, policy_id, **said)
        return policy_id

    def port(self, host: str = "", policy: str | None = None, **said: Any) -> str:
        """Make a port."""
        body = {"network_id": self.network, "qos_policy_id": policy, "binding__host_id": host, **said}
        return str(self.bed.create("port", ADMIN, **body)["id"])


class AnnouncedTests(GuaranteeCase):
    """What is said to be there."""

    def test_guarantees_are_announced_and_taken(self) -> None:
        """As types of rules too; ports tell what they ask for."""
        self.assertLess({"qos-bw-minimum-ingress"}, {each.alias for each in self.bed.served.extensions})
        self.assertIn("minimum_bandwidth", [each["type"] for each in self.bed.listed("rule_type")])
        port = self.bed.show("port", self.port("host-a", self.gold))
        (group,) = port["resource_request"]["request_groups"]
        self.assertEqual(group["resources"], {"NET_BW_EGR_KILOBIT_PER_SEC": 400})

    def test_packet_rates_are_still_refused(self) -> None:
        """Nobody counts those."""
        served = {each["type"] for each in self.bed.listed("rule_type")}
        self.assertNotIn("minimum_packet_rate", served)

    def test_by_default_nothing_is_announced(self) -> None:
        """The operator must say so."""
        self.assertEqual(accounted(NetworkSettings()), frozenset())

    def test_agents_tell_what_hosts_can_guarantee(self) -> None:
        """By physical network."""
        (agent,) = self.bed.listed("agent", host=("host-a",))
        self.assertEqual(agent["configurations"]["bandwidths"], {"physnet1": {"egress": 1000, "ingress": 1000}})


class RoomTests(GuaranteeCase):
    """Whatever brings more to a host than it has is refused, and changes nothing."""

    def test_new_ports(self) -> None:
        """One by one; the error says how much there is."""
        for _ in range(2):
            self.port("host-a", self.gold)
        message = self.assert_refused(409, _EXCEEDED, self.port, "host-a", self.gold)
        self.assertEqual(
            message,
            "Host host-a can guarantee 1000 kbit/s (egress) on physnet1 in all, and would have to guarantee 1200.",
        )
        self.assertEqual(len(self.bed.listed("port", binding__host_id=("host-a",))), 2)
        self.port("host-b", self.gold)
        self.port("host-a")
        self.port("", self.gold)

    def test_many_ports_of_one_request(self) -> None:
        """They count together."""
        bodies = [
            {"network_id": self.network, "qos_policy_id": self.gold, "binding__host_id": "host-a"} for _ in range(3)
        ]
        self.assert_refused(409, _EXCEEDED, self.bed.create_many, "port", bodies, ADMIN)
        self.assertEqual(self.bed.listed("port"), [])

    def test_ports_that_are_bound(self) -> None:
        """Later, or elsewhere; what leaves makes room."""
        first, second, third = (self.port("", self.gold) for _ in range(3))
        for port in (first, second):
            self.bed.update("port", port, binding__host_id="host-a")
        self.assert_refused(409, _EXCEEDED, self.bed.update, "port", third, binding__host_id="host-a")
        self.assertEqual(self.bed.show("port", third)["binding:host_id"], "")
        self.bed.update("port", first, binding__host_id="host-b")
        self.bed.update("port", third, binding__host_id="host-a")
        self.bed.delete("port", second)
        self.bed.update("port", first, binding__host_id="host-a")

    def test_directions_count_apart(self) -> None:
        """What is sent, and what is got."""
        incoming = self.policy(min_kbps=700, direction="ingress")
        for policy in (self.gold, self.gold, incoming):
            self.port("host-a", policy)
        self.assert_refused(409, _EXCEEDED, self.port, "host-a", incoming)

    def test_ports_that_are_given_a_policy(self) -> None:
        """Or a better one; a lesser one is always taken."""
        ports = [self.port("host-a", self.gold), self.port("host-a", self.gold), self.port("host-a")]
        self.assert_refused(409, _EXCEEDED, self.bed.update, "port", ports[2], qos_policy_id=self.gold)
        better = self.policy(min_kbps=700)
        self.assert_refused(409, _EXCEEDED, self.bed.update, "port", ports[0], qos_policy_id=better)
        self.hear("host-a", 100, 100)
        self.bed.update("port", ports[0], qos_policy_id=self.policy(min_kbps=399))
        self.bed.update("port", ports[1], name="other")
        self.bed.update("port", ports[1], qos_policy_id=None)

    def test_networks_that_are_given_a_policy(self) -> None:
        """For each of their ports without one of its own; those of the service have none."""
        for _ in range(2):
            self.port("host-a")
        own = self.port("host-a", self.policy(min_kbps=200))
        self.port("host-a", device_owner="network:floatingip")
        self.bed.update("network", self.network, qos_policy_id=self.gold)
        self.assert_refused(409, _EXCEEDED, self.port, "host-a")
        self.bed.update("network", self.network, qos_policy_id=None)
        self.port("host-a")
        self.assert_refused(409, _EXCEEDED, self.bed.update, "network", self.network, qos_policy_id=self.gold)
        self.assertIsNone(self.bed.show("port", own)["qos_network_policy_id"])

    def test_rules_that_promise_more(self) -> None:
        """New ones, and those that are changed; less is always taken."""
        for _ in range(2):
            self.port("host-a", self.gold)
        (rule,) = self.bed.show("policy", self.gold)["rules"]
        change = (_GUARANTEE, rule["id"], ADMIN, self.gold)
        self.assert_refused(409, _EXCEEDED, self.bed.update, *change, min_kbps=501)
        self.bed.update(*change, min_kbps=500)
        more = {"min_kbps": 501, "direction": "ingress"}
        self.assert_refused(409, _EXCEEDED, self.bed.create, _GUARANTEE, ADMIN, self.gold, **more)
        self.bed.create(_GUARANTEE, ADMIN, self.gold, **{**more, "min_kbps": 500})
        self.hear("host-a", 0, 0)
        self.bed.update(*change, min_kbps=499)

    def test_a_port_that_may_move_counts_on_both_hosts(self) -> None:
        """While its binding waits there; a host without room is no destination."""
        vm = {"device_owner": "compute:nova"}
        moving = self.port("host-a", self.gold, **vm)
        for _ in range(2):
            self.port("host-b", self.policy(min_kbps=300))
        self.bed.create("binding", ADMIN, moving, host="host-b")
        self.assert_refused(409, _EXCEEDED, self.port, "host-b", self.policy(min_kbps=1))
        other = self.port("host-a", self.gold, **vm)
        self.assert_refused(409, _EXCEEDED, self.bed.create, "binding", ADMIN, other, host="host-b")
        self.bed.delete("binding", "host-b", ADMIN, moving)
        self.bed.create("binding", ADMIN, other, host="host-b")

    def test_hosts_and_networks_that_have_none_to_give(self) -> None:
        """A host that says nothing; a network on no physical one."""
        self.bed.hear(HostReport("host-c", "l2", "1", "ovs", "{}"))
        self.assert_refused(409, _EXCEEDED, self.port, "host-c", self.gold)
        self.network = self.bed.create("network", ADMIN, provider__network_type="local")["id"]
        message = self.assert_refused(409, "NoBandwidthToGuarantee", self.port, "host-a", self.gold)
        self.assertEqual(
            message,
            "Host host-a can guarantee no bandwidth to the port: its network is on no physical network.",
        )

    def test_a_device_plugged_where_there_is_no_room_stays_dead(self) -> None:
        """Its port is bound to no host."""
        for _ in range(2):
            self.port("host-a", self.gold)
        waiting = self.port("", self.gold)
        self.assertFalse(self.bed.plug(waiting, "host-a"))
        self.assertEqual(self.bed.show("port", waiting)["binding:host_id"], "")
        self.assertTrue(self.bed.plug(waiting, "host-b"))
