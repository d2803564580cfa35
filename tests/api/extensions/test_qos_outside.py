"""QoS policies of floating IPs and of routers' gateways: who may give them, and what they hold."""

from __future__ import annotations

from typing import Any

from tests.api.extensions.test_floating_ips import FloatingCase
from tests.api.extensions.test_routers import UNKNOWN, RouterCase
from tests.api.resources.bed import ADMIN, ALICE, View


class FloatingIpTests(FloatingCase):
    """``qos_policy_id`` and ``qos_network_policy_id``."""

    def policy(self, **said: Any) -> str:
        """Make a policy that everybody may use."""
        return str(self.bed.create("policy", ADMIN, name="p", **{"shared": True, **said})["id"])

    def test_it_comes_and_goes(self) -> None:
        """With the floating IP or later; it leads where it led, and each change is a revision."""
        policy_id, other = self.policy(), self.policy()
        made = self.floating(qos_policy_id=policy_id, port_id=self.port["id"])
        self.assertEqual((made["qos_policy_id"], made["qos_network_policy_id"]), (policy_id, None))
        self.assertEqual(self.now(made), made)
        for wanted in (other, None):
            changed = self.bed.update("floatingip", made["id"], ALICE, qos_policy_id=wanted)
            self.assertEqual((changed["qos_policy_id"], changed["port_id"]), (wanted, self.port["id"]))
            self.assertEqual(self.now(made), changed)
        self.assertEqual(changed["revision_number"], made["revision_number"] + 2)
        (listed,) = self.bed.listed("floatingip", ALICE)
        self.assertEqual(listed, changed)
        _, before, after = self.last_journalled()
        assert before is not None and after is not None
        self.assertEqual((before["qos_policy_id"], after["qos_policy_id"]), (other, None))

    def test_other_changes_leave_it(self) -> None:
        """Whatever they are."""
        policy_id = self.policy()
        made = self.floating(qos_policy_id=policy_id)
        changed = self.bed.update("floatingip", made["id"], ALICE, description="d", port_id=self.port["id"])
        self.assertEqual(changed["qos_policy_id"], policy_id)

    def test_that_of_the_network_is_shown(self) -> None:
        """Beside its own."""
        policy_id = self.policy()
        self.bed.update("network", self.outside, ADMIN, qos_policy_id=policy_id)
        made = self.floating()
        self.assertEqual((made["qos_policy_id"], made["qos_network_policy_id"]), (None, policy_id))
        self.assertEqual(self.now(made), made)

    def test_only_policies_that_are_seen(self) -> None:
        """None that others have; and none of theirs is taken away."""
        hidden = self.policy(shared=False)
        self.assert_refused(404, "QosPolicyNotFound", self.floating, qos_policy_id=hidden)
        self.assert_refused(404, "QosPolicyNotFound", self.floating, qos_policy_id=UNKNOWN)
        made = self.floating()
        change: View = {"qos_policy_id": hidden}
        self.assert_refused(404, "QosPolicyNotFound", self.bed.update, "floatingip", made["id"], ALICE, **change)
        self.bed.update("floatingip", made["id"], ADMIN, **change)
        change = {"qos_policy_id": None}
        self.assert_refused(
            403, "PolicyRemoveAuthorizationError", self.bed.update, "floatingip", made["id"], ALICE, **change
        )

    def test_a_policy_in_use_stays(self) -> None:
        """Also shared, while others use it; with the floating IP it is free."""
        policy_id = self.policy()
        made = self.floating(qos_policy_id=policy_id)
        told = self.assert_refused(409, "QosPolicyInUse", self.bed.delete, "policy", policy_id, ADMIN)
        self.assertEqual(told, f"QoS Policy {policy_id} is used by fip {made['id']}.")
        self.assert_refused(409, "RbacPolicyInUse", self.bed.update, "policy", policy_id, ADMIN, shared=False)
        self.bed.delete("floatingip", made["id"], ALICE)
        self.bed.delete("policy", policy_id, ADMIN)


class GatewayTests(RouterCase):
    """``external_gateway_info.qos_policy_id``."""

    def setUp(self) -> None:
        """Make a policy."""
        super().setUp()
        self.policy = str(self.bed.create("policy", ADMIN, name="p", shared=True)["id"])

    def change(self, router: View, **info: Any) -> Any:
        """Change the router's gateway; return what it shows of its policy, nothing when it shows none."""
        wanted = {"network_id": self.outside, **info}
        changed = self.bed.update("router", router["id"], ALICE, external_gateway_info=wanted)
        self.assertEqual(changed["external_gateway_info"], self.shown(router)["external_gateway_info"])
        return changed["external_gateway_info"].get("qos_policy_id", "nothing")

    def test_it_comes_and_goes(self) -> None:
        """A gateway that names none keeps it; null takes it away; what has none shows none."""
        made = self.with_gateway(qos_policy_id=self.policy)
        self.assertEqual(made["external_gateway_info"]["qos_policy_id"], self.policy)
        self.assertEqual(self.shown(made), made)
        self.assertEqual(self.change(made), self.policy)
        self.assertEqual(self.change(made, qos_policy_id=None), "nothing")
        self.assertEqual(self.change(made, qos_policy_id=self.policy), self.policy)
        self.assertNotIn("qos_policy_id", self.with_gateway()["external_gateway_info"])

    def test_it_goes_with_the_gateway(self) -> None:
        """And does not come back with another."""
        made = self.with_gateway(qos_policy_id=self.policy)
        self.bed.update("router", made["id"], ALICE, external_gateway_info=None)
        self.assertEqual(self.change(made), "nothing")
        self.bed.delete("policy", self.policy, ADMIN)

    def test_where_the_network_has_one(self) -> None:
        """It shows that it has none of its own."""
        self.bed.update("network", self.outside, ADMIN, qos_policy_id=self.policy)
        self.assertIsNone(self.with_gateway()["external_gateway_info"]["qos_policy_id"])

    def test_a_policy_in_use_stays(self) -> None:
        """It says who has it."""
        made = self.with_gateway(qos_policy_id=self.policy)
        told = self.assert_refused(409, "QosPolicyInUse", self.bed.delete, "policy", self.policy, ADMIN)
        self.assertEqual(told, f"QoS Policy {self.policy} is used by router {made['id']}.")
        self.bed.delete("router", made["id"], ALICE)
        self.bed.delete("policy", self.policy, ADMIN)

    def test_only_policies_that_are_seen(self) -> None:
        """Others' are not there."""
        hidden = self.bed.create("policy", ADMIN, name="q")["id"]
        self.assert_refused(404, "QosPolicyNotFound", self.with_gateway, qos_policy_id=hidden)
