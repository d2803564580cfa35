"""RBAC policies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import evolve

from quantumd.api.extensions.rbac.shared import set_shared, shared_with
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))
PROJECT = "5f3a9ec0f0de4c0fa04b6f1fa19a6a5c"
OTHER = evolve(BOB, project_id=PROJECT)


class PolicyCase(ResourceCase):
    """Has an address group of Alice's."""

    def setUp(self) -> None:
        """Make the group."""
        super().setUp()
        self.object_id = self.bed.create("address_group", ALICE, addresses=["10.1.0.0/16"])["id"]

    def policy(self, context: Any = ALICE, **said: Any) -> View:
        """Make a policy about the group, for another project."""
        body = {
            "object_type": "address_group",
            "object_id": self.object_id,
            "action": "access_as_shared",
            "target_tenant": PROJECT,
            **said,
        }
        return self.bed.create("rbac_policy", context, **body)


class CreateTests(PolicyCase):
    """Creating policies."""

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a policy is there."""
        made = self.policy()
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "project_id": "alice",
                "object_type": "address_group",
                "object_id": self.object_id,
                "action": "access_as_shared",
                "target_tenant": PROJECT,
            },
        )
        self.assertEqual(self.bed.show("rbac_policy", made["id"], ALICE), made)
        self.assertEqual(self.bed.listed("rbac_policy", ALICE), [made])

    def test_the_target_sees_the_object(self) -> None:
        """Which it did not before."""
        self.assertEqual(self.bed.listed("address_group", OTHER), [])
        self.policy()
        self.assertEqual([each["id"] for each in self.bed.listed("address_group", OTHER)], [self.object_id])

    def test_only_the_owner_sees_the_policy(self) -> None:
        """Not the project that it is for."""
        made = self.policy()
        message = self.assert_refused(404, "RbacPolicyNotFound", self.bed.show, "rbac_policy", made["id"], OTHER)
        self.assertEqual(message, f"RBAC policy of type unknown with ID {made['id']} not found")

    def test_a_policy_exists_once(self) -> None:
        """The second is refused."""
        self.policy()
        message = self.assert_refused(409, "DuplicateRbacPolicy", self.policy)
        self.assertEqual(message, "An RBAC policy already exists with those values.")

    def test_only_administrators_share_with_everybody(self) -> None:
        """As today."""
        self.assert_refused(403, "PolicyNotAuthorized", self.policy, target_tenant="*")
        self.policy(ADMIN, target_tenant="*")
        self.assertEqual(len(self.bed.listed("address_group", BOB)), 1)

    def test_only_owners_share(self) -> None:
        """Others cannot tell whether there is such an object."""
        for object_id in (self.object_id, UNKNOWN):
            message = self.assert_refused(400, "InvalidInput", self.policy, BOB, object_id=object_id)
            self.assertIn("Only admins can manipulate policies on objects they do not own", message)

    def test_the_object_is_there(self) -> None:
        """An administrator hears which is not."""
        for object_type, type_name in (
            ("network", "NetworkNotFound"),
            ("qos_policy", "QosPolicyNotFound"),
            ("security_group", "SecurityGroupNotFound"),
            ("address_scope", "AddressScopeNotFound"),
            ("subnetpool", "SubnetPoolNotFound"),
            ("address_group", "AddressGroupNotFound"),
        ):
            message = self.assert_refused(
                404, type_name, self.policy, ADMIN, object_type=object_type, object_id=UNKNOWN
            )
            self.assertIn(UNKNOWN, message)

    def test_wrong_values_are_refused(self) -> None:
        """With the texts of today."""
        for said, type_name, message in (
            ({"object_type": "router"}, "InvalidInput", "'router' is not a valid RBAC object type"),
            (
                {"target_tenant": "bob"},
                "InvalidInput",
                "'bob' is not a valid target project ID; expected a UUID or '*'",
            ),
            (
                {"action": "access_as_external"},
                "InvalidActionForType",
                "Invalid action 'access_as_external' for object type 'address_group'. "
                "Valid actions: ('access_as_shared',)",
            ),
        ):
            self.assertIn(message, self.assert_refused(400, type_name, self.policy, **said))

    def test_filters(self) -> None:
        """By type, object, target."""
        made = self.policy()
        for filters in (
            {"object_type": ("address_group",)},
            {"object_id": (self.object_id,)},
            {"target_tenant": (PROJECT,)},
            {"action": ("access_as_shared",)},
        ):
            self.assertEqual(self.bed.listed("rbac_policy", ALICE, **filters), [made])
        self.assertEqual(self.bed.listed("rbac_policy", ALICE, object_type=("network",)), [])


class UseTests(PolicyCase):
    """Policies that somebody depends on."""

    def setUp(self) -> None:
        """Let the other project use the group."""
        super().setUp()
        self.shared = self.policy()
        group = self.bed.create("security_group", OTHER, name="web")["id"]
        self.rule = self.bed.create(
            "security_group_rule",
            OTHER,
            security_group_id=group,
            direction="ingress",
            remote_address_group_id=self.object_id,
        )

    def test_a_policy_in_use_stays(self) -> None:
        """And goes when the use has ended."""
        message = self.assert_refused(409, "RbacPolicyInUse", self.bed.delete, "rbac_policy", self.shared["id"], ALICE)
        self.assertEqual(
            message,
            f"RBAC policy on object {self.object_id} cannot be removed because other objects depend on it.\n"
            f"Details: project_id={PROJECT}",
        )
        self.bed.delete("security_group_rule", self.rule["id"], OTHER)
        self.bed.delete("rbac_policy", self.shared["id"], ALICE)

    def test_it_goes_when_everybody_may(self) -> None:
        """A policy for everybody is enough for each."""
        everybody = self.policy(ADMIN, target_tenant="*")
        self.bed.delete("rbac_policy", self.shared["id"], ALICE)
        self.assert_refused(409, "RbacPolicyInUse", self.bed.delete, "rbac_policy", everybody["id"])

    def test_another_target_takes_it_away_too(self) -> None:
        """But everybody holds the project that uses it."""
        other = UNKNOWN
        update = self.bed.update
        self.assert_refused(
            409, "RbacPolicyInUse", update, "rbac_policy", self.shared["id"], ALICE, target_tenant=other
        )
        self.assert_refused(
            403, "PolicyNotAuthorized", update, "rbac_policy", self.shared["id"], ALICE, target_tenant="*"
        )
        self.assertEqual(update("rbac_policy", self.shared["id"], target_tenant="*")["target_tenant"], "*")


class SharedTests(PolicyCase):
    """What other families use."""

    def test_sharing_with_everybody(self) -> None:
        """It is seen, journalled, and repeated without harm."""
        share = ("address_group", self.object_id, "alice")
        self.assertTrue(set_shared(self.bed.tx(), ADMIN, *share, True))
        self.assertFalse(set_shared(self.bed.tx(), ADMIN, *share, True))
        self.assertEqual(shared_with(self.bed.connection, BOB, "address_group", [self.object_id]), {self.object_id})
        self.assertTrue(set_shared(self.bed.tx(), ADMIN, *share, False))
        self.assertFalse(set_shared(self.bed.tx(), ADMIN, *share, False))
        self.assertEqual(shared_with(self.bed.connection, BOB, "address_group", [self.object_id]), set())
        self.assertEqual(self.journalled()[-2:], [("rbac_policy", "create"), ("rbac_policy", "delete")])

    def test_a_policy_for_a_project_is_no_sharing_with_others(self) -> None:
        """Each caller sees what is shared with it."""
        self.policy()
        ids = [self.object_id]
        self.assertEqual(shared_with(self.bed.connection, OTHER, "address_group", ids), {self.object_id})
        self.assertEqual(shared_with(self.bed.connection, BOB, "address_group", ids), set())
        self.assertEqual(shared_with(self.bed.connection, OTHER, "network", ids), set())
