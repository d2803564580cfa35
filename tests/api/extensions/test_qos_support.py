"""What becomes of rules that packets would not obey."""

from __future__ import annotations

from typing import Any

from quantumd.l2.drivers.ovs.driver import OvsDriver
from tests.api.resources.bed import ADMIN, Bed
from tests.api.resources.case import ResourceCase

_GUARANTEE = "minimum_bandwidth_rule"


class SupportTests(ResourceCase):
    """On Open vSwitch, which limits and marks, and guarantees nothing."""

    def setUp(self) -> None:
        """Serve what its driver declares."""
        self.bed = Bed(capabilities=OvsDriver.capabilities)
        self.addCleanup(self.bed.close)
        self.network_id = self.bed.create("network", ADMIN)["id"]

    def policy(self, *members: str, **more: Any) -> str:
        """Create a policy with rules; return its id."""
        policy_id: str = self.bed.create("policy", ADMIN, **more)["id"]
        for member in members:
            said = {"min_kbps": 5} if member == _GUARANTEE else {"max_kbps": 5}
            self.bed.create(member, ADMIN, policy_id, **said)
        return policy_id

    def test_only_what_it_does_is_announced(self) -> None:
        """Aliases, types of rules with their drivers, and all types when all are asked for."""
        announced = {each.alias for each in self.bed.served.extensions if each.alias.startswith("qos")}
        self.assertLess({"qos", "qos-bw-limit-direction", "qos-default", "qos-pps", "qos-rules-alias"}, announced)
        self.assertEqual({each for each in announced if "minimum" in each}, set())
        types = [each["type"] for each in self.bed.listed("rule_type")]
        self.assertEqual(types, ["bandwidth_limit", "dscp_marking", "packet_rate_limit"])
        every = {each["type"]: bool(each["drivers"]) for each in self.bed.listed("rule_type", all_rules=("true",))}
        self.assertEqual({name for name, has in every.items() if not has}, {"minimum_bandwidth", "minimum_packet_rate"})

    def test_rates_are_told_as_they_can_be_held(self) -> None:
        """Packets are counted one by one, in 32 bits."""
        parameters = self.bed.show("rule_type", "packet_rate_limit")["drivers"][0]["supported_parameters"]
        ends = {each["parameter_name"]: each["parameter_values"] for each in parameters}
        self.assertEqual(ends["max_kpps"], {"start": 0, "end": 4_294_967})
        self.assertEqual(ends["direction"], ["ingress", "egress"])

    def test_a_policy_that_guarantees_is_for_no_port_and_no_network(self) -> None:
        """Neither new ones nor those that are there; the error names rule and user."""
        policy_id = self.policy("bandwidth_limit_rule", _GUARANTEE)
        port_id = self.bed.create("port", ADMIN, network_id=self.network_id)["id"]
        message = self.assert_refused(
            409, "QosRuleNotSupported", self.bed.update, "port", port_id, ADMIN, qos_policy_id=policy_id
        )
        self.assertEqual(message, f"Rule minimum_bandwidth is not supported by port {port_id}")
        message = self.assert_refused(
            409, "QosRuleNotSupportedByNetwork", self.bed.update, "network", self.network_id, ADMIN,
            qos_policy_id=policy_id,
        )  # fmt: skip
        self.assertEqual(message, f"Rule minimum_bandwidth is not supported by network {self.network_id}")
        more = {"network_id": self.network_id, "qos_policy_id": policy_id}
        self.assert_refused(409, "QosRuleNotSupported", self.bed.create, "port", ADMIN, **more)
        self.assert_refused(
            409, "QosRuleNotSupportedByNetwork", self.bed.create, "network", ADMIN, qos_policy_id=policy_id
        )

    def test_a_default_that_guarantees_is_given_to_no_network(self) -> None:
        """The project is told why it gets none."""
        self.policy(_GUARANTEE, is_default=True)
        self.assert_refused(409, "QosRuleNotSupportedByNetwork", self.bed.create, "network", ADMIN)

    def test_a_policy_in_use_is_given_no_guarantee(self) -> None:
        """On a port, or a network."""
        for member, body in (("port", {"network_id": self.network_id}), ("network", {})):
            policy_id = self.policy("bandwidth_limit_rule")
            self.bed.create(member, ADMIN, qos_policy_id=policy_id, **body)
            error = "QosRuleNotSupported" if member == "port" else "QosRuleNotSupportedByNetwork"
            self.assert_refused(409, error, self.bed.create, _GUARANTEE, ADMIN, policy_id, min_kbps=5)

    def test_a_policy_of_limits_is_taken(self) -> None:
        """By both."""
        policy_id = self.policy("bandwidth_limit_rule")
        network_id = self.bed.create("network", ADMIN, qos_policy_id=policy_id)["id"]
        port = self.bed.create("port", ADMIN, network_id=network_id, qos_policy_id=policy_id)
        self.assertEqual((port["qos_policy_id"], port["qos_network_policy_id"]), (policy_id, policy_id))
