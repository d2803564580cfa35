"""What ports ask of hosts where something is guaranteed: shown, and kept nowhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from tests.api.extensions.test_qos_policies import QosCase
from tests.api.resources.bed import ADMIN

_BANDWIDTH, _PACKETS = "minimum_bandwidth_rule", "minimum_packet_rate_rule"


class RequestTests(QosCase):
    """In preview, where every rule is taken for obeyed."""

    def setUp(self) -> None:
        """A network of a physical one, and one of none."""
        super().setUp()
        vlan = {"provider__network_type": "vlan", "provider__physical_network": "physnet1"}
        self.physical = self.bed.create("network", ADMIN, **vlan, provider__segmentation_id=5)["id"]
        self.local = self.bed.create("network", ADMIN, provider__network_type="local")["id"]

    def port(self, network_id: str, **said: Any) -> dict[str, Any]:
        """Create a port and look whether it is shown and listed as it was answered."""
        port = self.bed.create("port", ADMIN, network_id=network_id, **said)
        self.assertEqual(self.bed.show("port", port["id"], ADMIN), port)
        return port

    def test_bandwidth_is_that_of_a_physical_network(self) -> None:
        """Both directions in one group, whose id follows from port and rules; other networks have none to give."""
        policy_id = self.policy()
        rules = [
            self.rule(policy_id, _BANDWIDTH, min_kbps=kbps, direction=direction)["id"]
            for kbps, direction in ((1000, "egress"), (2000, "ingress"))
        ]
        port = self.port(self.physical, qos_policy_id=policy_id)
        (group,) = port["resource_request"]["request_groups"]
        self.assertEqual(group["required"], ["CUSTOM_PHYSNET_PHYSNET1", "CUSTOM_VNIC_TYPE_NORMAL"])
        amounts = {"NET_BW_EGR_KILOBIT_PER_SEC": 1000, "NET_BW_IGR_KILOBIT_PER_SEC": 2000}
        self.assertEqual(group["resources"], amounts)
        names = {str(uuid5(UUID(port["id"]), ":".join(each))) for each in (rules, rules[::-1])}
        self.assertIn(group["id"], names)
        self.assertEqual(port["resource_request"]["same_subtree"], [group["id"]])
        self.assertIsNone(self.port(self.local, qos_policy_id=policy_id)["resource_request"])

    def test_packets_are_those_of_a_host(self) -> None:
        """Whatever the network; beside bandwidth they are a group of their own."""
        policy_id = self.policy()
        self.rule(policy_id, _PACKETS, min_kpps=3, direction="any")
        port = self.port(self.local, qos_policy_id=policy_id, binding__vnic_type="direct")
        (group,) = port["resource_request"]["request_groups"]
        self.assertEqual(group["required"], ["CUSTOM_VNIC_TYPE_DIRECT"])
        self.assertEqual(group["resources"], {"NET_PACKET_RATE_KILOPACKET_PER_SEC": 3})
        self.rule(policy_id, _BANDWIDTH, min_kbps=9)
        both = self.port(self.physical, qos_policy_id=policy_id)["resource_request"]
        self.assertEqual(len(both["request_groups"]), 2)
        self.assertEqual(both["same_subtree"], [group["id"] for group in both["request_groups"]])

    def test_the_policy_in_force_counts_and_what_it_says_now(self) -> None:
        """That of the network, until the port has its own; not for ports of the service; nothing is kept."""
        of_network, own = self.policy(), self.policy()
        self.rule(of_network, _PACKETS, min_kpps=3, direction="egress")
        rule_id = self.rule(own, _PACKETS, min_kpps=4, direction="egress")["id"]
        self.bed.update("network", self.local, ADMIN, qos_policy_id=of_network)
        port_id = self.port(self.local)["id"]
        self.assertEqual(self.amounts(port_id), {"NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC": 3})
        changed = self.bed.update("port", port_id, ADMIN, qos_policy_id=own)
        self.assertEqual(changed, self.bed.show("port", port_id, ADMIN))
        self.assertEqual(self.amounts(port_id), {"NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC": 4})
        self.bed.update(_PACKETS, rule_id, ADMIN, own, min_kpps=5)
        self.assertEqual(self.amounts(port_id), {"NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC": 5})
        self.bed.update("port", port_id, ADMIN, name="renamed")
        self.bed.delete(_PACKETS, rule_id, ADMIN, own)
        self.assertIsNone(self.bed.show("port", port_id, ADMIN)["resource_request"])
        router = self.port(self.local, device_owner="network:router_interface")
        self.assertIsNone(router["resource_request"])

    def amounts(self, port_id: str) -> dict[str, int]:
        """Return what a port of one group asks for."""
        (group,) = self.bed.show("port", port_id, ADMIN)["resource_request"]["request_groups"]
        found: dict[str, int] = group["resources"]
        return found
