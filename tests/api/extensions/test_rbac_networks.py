"""RBAC policies about networks."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

PROJECT = "5f3a9ec0f0de4c0fa04b6f1fa19a6a5c"
OTHER = evolve(BOB, project_id=PROJECT)


class NetworkCase(ResourceCase):
    """Has a network of Alice's."""

    def setUp(self) -> None:
        """Make the network."""
        super().setUp()
        self.network_id, _ = self.bed.network_with_subnet(context=ALICE)

    def policy(self, context: Any = ALICE, **said: Any) -> View:
        """Make a policy about the network, for another project."""
        body = {
            "object_type": "network",
            "object_id": self.network_id,
            "action": "access_as_shared",
            "target_tenant": PROJECT,
            **said,
        }
        return self.bed.create("rbac_policy", context, **body)

    def network(self, context: Any = ADMIN) -> View:
        """Return the network as the caller sees it."""
        return self.bed.show("network", self.network_id, context)


class SharedNetworkTests(NetworkCase):
    """Networks shared with one project."""

    def test_the_target_uses_the_network(self) -> None:
        """It sees it as shared, and makes ports on it; others do not."""
        self.policy()
        self.assertTrue(self.network(OTHER)["shared"])
        self.assertFalse(self.network(ALICE)["shared"])
        self.bed.create("port", OTHER, network_id=self.network_id)
        self.assert_refused(404, "NetworkNotFound", self.network, BOB)

    def test_the_network_has_a_new_revision(self) -> None:
        """A policy is a change of the network."""
        before = self.network()["revision_number"]
        self.policy()
        self.assertEqual(self.network()["revision_number"], before + 1)

    def test_a_network_in_use_stays_shared(self) -> None:
        """While the project has ports on it."""
        made = self.policy()
        port_id = self.bed.create("port", OTHER, network_id=self.network_id)["id"]
        message = self.assert_refused(409, "RbacPolicyInUse", self.bed.delete, "rbac_policy", made["id"], ALICE)
        self.assertIn("Unable to reconfigure sharing settings", message)
        self.bed.delete("port", port_id, OTHER)
        self.bed.delete("rbac_policy", made["id"], ALICE)
        self.assert_refused(404, "NetworkNotFound", self.network, OTHER)

    def test_sharing_a_network_is_a_policy(self) -> None:
        """``shared`` and the policy for everybody are one thing."""
        self.bed.update("network", self.network_id, shared=True)
        (made,) = self.bed.listed("rbac_policy", ADMIN, object_id=(self.network_id,))
        self.assertEqual((made["action"], made["target_tenant"]), ("access_as_shared", "*"))
        self.bed.delete("rbac_policy", made["id"])
        self.assertFalse(self.network()["shared"])

    def test_not_sharing_what_everybody_does_not_share_changes_nothing(self) -> None:
        """Also when said by an administrator whose project has a policy of its own, and so sees it as shared."""
        self.policy()
        operator = evolve(ADMIN, project_id=PROJECT)
        before, position = self.network(operator), self.position()
        self.assertTrue(before["shared"])
        self.assertEqual(self.bed.update("network", self.network_id, operator, shared=False), before)
        self.assertEqual((self.network(operator), self.position()), (before, position))

    def test_who_shares_by_a_policy_can_share_with_everybody(self) -> None:
        """And take that back; its own policy stays, and is what it sees."""
        self.policy()
        operator = evolve(ADMIN, project_id=PROJECT)
        self.bed.update("network", self.network_id, operator, shared=True)
        self.assertTrue(self.network(BOB)["shared"])
        self.assertTrue(self.bed.update("network", self.network_id, operator, shared=False)["shared"])
        self.assertTrue(self.network(OTHER)["shared"])
        self.assert_refused(404, "NetworkNotFound", self.network, BOB)

    def test_others_share_nothing(self) -> None:
        """Only owners and administrators share a network."""
        message = self.assert_refused(400, "InvalidInput", self.policy, OTHER)
        self.assertIn("Only admins can manipulate policies on networks they do not own", message)


class ExternalNetworkTests(NetworkCase):
    """Networks external for one project."""

    def test_the_policy_makes_the_network_external(self) -> None:
        """For the project that it names; the last policy makes it internal again."""
        made = self.policy(ADMIN, action="access_as_external")
        self.assertTrue(self.network(OTHER)["router:external"])
        self.assert_refused(404, "NetworkNotFound", self.network, BOB)
        self.bed.delete("rbac_policy", made["id"])
        self.assertFalse(self.network()["router:external"])

    def test_an_external_network_has_a_policy(self) -> None:
        """For everybody; and it may be for fewer."""
        self.bed.update("network", self.network_id, router__external=True)
        (everybody,) = self.bed.listed("rbac_policy", ADMIN, object_id=(self.network_id,))
        self.assertEqual((everybody["action"], everybody["target_tenant"]), ("access_as_external", "*"))
        self.bed.update("rbac_policy", everybody["id"], target_tenant=PROJECT)
        self.assertTrue(self.network(OTHER)["router:external"])
        self.assert_refused(404, "NetworkNotFound", self.network, BOB)

    def test_a_default_network_is_for_everybody(self) -> None:
        """So its policy stays."""
        self.bed.update("network", self.network_id, router__external=True, is_default=True)
        (everybody,) = self.bed.listed("rbac_policy", ADMIN, object_id=(self.network_id,))
        message = self.assert_refused(409, "RbacPolicyInUse", self.bed.delete, "rbac_policy", everybody["id"])
        self.assertIn("Default external networks must be shared to everyone.", message)

    def test_gateways_keep_the_last_policy(self) -> None:
        """Routers depend on it."""
        made = self.policy(ADMIN, action="access_as_external")
        self.bed.create("port", network_id=self.network_id, device_owner="network:router_gateway")
        message = self.assert_refused(409, "RbacPolicyInUse", self.bed.delete, "rbac_policy", made["id"])
        self.assertIn("There are routers attached to this network", message)
