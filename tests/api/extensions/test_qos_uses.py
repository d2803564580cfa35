"""The QoS policies of networks and ports."""

from __future__ import annotations

from tests.api.extensions.test_qos_policies import QosCase
from tests.api.resources.bed import ADMIN, ALICE, BOB


class NetworkTests(QosCase):
    """Networks."""

    def test_a_network_has_none_at_first(self) -> None:
        """Without a policy the attribute is null."""
        network = self.bed.create("network", ALICE)
        self.assertIsNone(network["qos_policy_id"])
        self.assertIsNone(self.bed.show("network", network["id"], ALICE)["qos_policy_id"])

    def test_a_policy_is_given_changed_and_taken(self) -> None:
        """The policy of a network is what was named last."""
        one, other = self.policy(), self.policy()
        network_id = self.bed.create("network", ALICE, qos_policy_id=one)["id"]
        for policy_id in (one, other, None):
            changed = self.bed.update("network", network_id, ALICE, qos_policy_id=policy_id)
            self.assertEqual(changed["qos_policy_id"], policy_id)
            self.assertEqual(self.bed.listed("network", ALICE)[0]["qos_policy_id"], policy_id)

    def test_a_change_of_policy_is_a_revision(self) -> None:
        """Naming the same policy again is none."""
        policy_id = self.policy()
        network = self.bed.create("network", ALICE)
        changed = self.bed.update("network", network["id"], ALICE, qos_policy_id=policy_id)
        self.assertEqual(changed["revision_number"], network["revision_number"] + 1)
        again = self.bed.update("network", network["id"], ALICE, qos_policy_id=policy_id)
        self.assertEqual(again["revision_number"], changed["revision_number"])

    def test_only_policies_that_are_seen_are_taken(self) -> None:
        """A policy of another project is as if it were not there."""
        policy_id = self.policy("bob")
        message = self.assert_refused(
            404, "QosPolicyNotFound", self.bed.create, "network", ALICE, qos_policy_id=policy_id
        )
        self.assertEqual(message, f"QoS policy {policy_id} could not be found.")
        network_id = self.bed.create("network", ALICE)["id"]
        self.assert_refused(
            404, "QosPolicyNotFound", self.bed.update, "network", network_id, ALICE, qos_policy_id=policy_id
        )

    def test_what_the_operator_put_there_stays(self) -> None:
        """A project does not take away a policy that it does not see."""
        policy_id = self.policy("bob")
        network_id = self.bed.create("network", ADMIN, project_id="alice", qos_policy_id=policy_id)["id"]
        message = self.assert_refused(
            403,
            "PolicyRemoveAuthorizationError",
            self.bed.update,
            "network",
            network_id,
            ALICE,
            qos_policy_id=None,
        )
        self.assertEqual(message, f"Failed to remove provided policy {policy_id} because you are not authorized.")

    def test_new_networks_are_given_the_default(self) -> None:
        """A project's default policy is that of its new networks, unless they name another."""
        default, other = self.policy(is_default=True), self.policy()
        self.assertEqual(self.bed.create("network", ALICE)["qos_policy_id"], default)
        self.assertEqual(self.bed.create("network", ALICE, qos_policy_id=other)["qos_policy_id"], other)
        self.assertIsNone(self.bed.create("network", BOB)["qos_policy_id"])


class PortTests(QosCase):
    """Ports."""

    def test_a_port_has_none_at_first(self) -> None:
        """Without policies both attributes are null."""
        network_id = self.bed.create("network", ALICE)["id"]
        port = self.bed.create("port", ALICE, network_id=network_id)
        self.assertEqual((port["qos_policy_id"], port["qos_network_policy_id"]), (None, None))
        self.assertEqual(self.bed.show("port", port["id"], ALICE), port)

    def test_ports_show_the_policy_of_their_network(self) -> None:
        """The network's policy is shown beside the port's own."""
        own, of_network = self.policy(), self.policy()
        network_id = self.bed.create("network", ALICE, qos_policy_id=of_network)["id"]
        port = self.bed.create("port", ALICE, network_id=network_id, qos_policy_id=own)
        self.assertEqual((port["qos_policy_id"], port["qos_network_policy_id"]), (own, of_network))
        self.assertEqual(self.bed.listed("port", ALICE), [port])

    def test_a_changed_network_is_seen_at_once(self) -> None:
        """A port made right after the network's policy changed shows the new one."""
        first, second = self.policy(), self.policy()
        network_id = self.bed.create("network", ALICE, qos_policy_id=first)["id"]
        self.bed.create("port", ALICE, network_id=network_id)
        self.bed.update("network", network_id, ALICE, qos_policy_id=second)
        ports = [self.bed.create("port", ALICE, network_id=network_id), *self.bed.listed("port", ALICE)]
        self.assertEqual({each["qos_network_policy_id"] for each in ports}, {second})

    def test_a_policy_is_given_and_taken(self) -> None:
        """The policy of a port is what was named last."""
        policy_id = self.policy()
        network_id = self.bed.create("network", ALICE)["id"]
        port_id = self.bed.create("port", ALICE, network_id=network_id)["id"]
        for wanted in (policy_id, None):
            changed = self.bed.update("port", port_id, ALICE, qos_policy_id=wanted)
            self.assertEqual(changed["qos_policy_id"], wanted)
            self.assertEqual(self.bed.show("port", port_id, ALICE), changed)

    def test_only_policies_that_are_seen_are_taken(self) -> None:
        """A policy of another project is as if it were not there."""
        network_id = self.bed.create("network", ALICE)["id"]
        self.assert_refused(
            404,
            "QosPolicyNotFound",
            self.bed.create,
            "port",
            ALICE,
            network_id=network_id,
            qos_policy_id=self.policy("bob"),
        )

    def test_policies_go_with_ports_and_networks(self) -> None:
        """Nothing keeps a policy whose users are gone."""
        policy_id = self.policy()
        network_id = self.bed.create("network", ALICE, qos_policy_id=policy_id)["id"]
        port_id = self.bed.create("port", ALICE, network_id=network_id, qos_policy_id=policy_id)["id"]
        self.bed.delete("port", port_id)
        self.bed.delete("network", network_id)
        self.bed.delete("policy", policy_id)
