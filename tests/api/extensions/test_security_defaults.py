"""What administrators decide of new security groups."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

MANAGER = evolve(ALICE, roles=frozenset({"manager", "member"}))


class TemplateTests(ResourceCase):
    """Templates of rules."""

    def template(self, **said: Any) -> View:
        """Make a template for groups that are not default groups."""
        body = {"direction": "ingress", "used_in_default_sg": False, "used_in_non_default_sg": True, **said}
        return self.bed.create("default_security_group_rule", **body)

    def test_a_new_database_has_those_of_today(self) -> None:
        """All may leave every group; members enter the default group."""
        found = self.bed.listed("default_security_group_rule", ALICE)
        self.assertEqual(
            [(each["direction"], each["remote_group_id"], each["used_in_non_default_sg"]) for each in found],
            [("egress", None, True)] * 2 + [("ingress", "PARENT", False)] * 2,
        )

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a template is there."""
        made = self.template(protocol="tcp", port_range_min=22, port_range_max=22, description="ssh")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "direction": "ingress",
                "ethertype": "IPv4",
                "protocol": "tcp",
                "port_range_min": 22,
                "port_range_max": 22,
                "remote_ip_prefix": None,
                "remote_group_id": None,
                "remote_address_group_id": None,
                "description": "ssh",
                "used_in_default_sg": False,
                "used_in_non_default_sg": True,
            },
        )
        self.assertEqual(self.bed.show("default_security_group_rule", made["id"], ALICE), made)

    def test_new_groups_get_them(self) -> None:
        """Of those for groups of their kind."""
        self.template(protocol="tcp", remote_group_id="PARENT")
        group = self.bed.create("security_group", ALICE, name="web")
        said = {(each["protocol"], each["remote_group_id"]) for each in group["security_group_rules"]}
        self.assertEqual(said, {(None, None), ("tcp", group["id"])})
        (default,) = self.bed.listed("security_group", ALICE, name=("default",))
        self.assertNotIn("tcp", [each["protocol"] for each in default["security_group_rules"]])

    def test_a_template_about_what_is_gone_gives_no_rule(self) -> None:
        """What it would have let in stays out, and groups are made all the same."""
        gone = self.bed.create("security_group", ALICE, name="gone")["id"]
        self.template(remote_group_id=gone)
        self.bed.delete("security_group", gone)
        group = self.bed.create("security_group", ALICE, name="web")
        self.assertEqual({each["direction"] for each in group["security_group_rules"]}, {"egress"})

    def test_a_template_goes(self) -> None:
        """New groups do without it."""
        for each in self.bed.listed("default_security_group_rule"):
            self.bed.delete("default_security_group_rule", each["id"])
        self.assertEqual(self.bed.create("security_group", ALICE, name="web")["security_group_rules"], [])

    def test_it_exists_once(self) -> None:
        """For groups of one kind."""
        made = self.template(protocol="tcp")
        message = self.assert_refused(409, "DefaultSecurityGroupRuleExists", self.template, protocol="6")
        self.assertEqual(message, f"Default Security group rule already exists. Rule id is {made['id']}.")
        self.template(protocol="tcp", used_in_default_sg=True, used_in_non_default_sg=False)

    def test_it_says_what_rules_may_say(self) -> None:
        """Faults are those of rules."""
        self.assert_refused(400, "SecurityGroupProtocolRequiredWithPorts", self.template, port_range_min=1)

    def test_an_unknown_one_is_not_found(self) -> None:
        """With the type of today."""
        message = self.assert_refused(
            404, "DefaultSecurityGroupRuleNotFound", self.bed.show, "default_security_group_rule", "x"
        )
        self.assertEqual(message, "Default Security Group rule x does not exist")


class StatefulnessTests(ResourceCase):
    """Whether new groups are stateful."""

    def setting(self, context: Any = ADMIN, **said: Any) -> View:
        """Make a setting: new groups are not stateful."""
        return self.bed.create("security_groups_default_statefulness", context, **{"stateful": False, **said})

    def stateful(self, context: Any, **said: Any) -> bool:
        """Return whether a new group is stateful."""
        return bool(self.bed.create("security_group", context, name="g", **said)["stateful"])

    def test_a_project_has_its_own(self) -> None:
        """Others keep what holds for everybody."""
        self.setting(project_id="alice")
        self.assertEqual((self.stateful(ALICE), self.stateful(BOB)), (False, True))

    def test_there_is_one_for_everybody(self) -> None:
        """It holds where a project has none of its own."""
        made = self.setting(project_id=None)
        self.assertIsNone(made["project_id"])
        self.setting(project_id="bob", stateful=True)
        self.assertEqual((self.stateful(ALICE), self.stateful(BOB)), (False, True))

    def test_a_request_has_the_last_word(self) -> None:
        """What a request says holds."""
        self.setting(project_id=None)
        self.assertTrue(self.stateful(ALICE, stateful=True))

    def test_there_is_one_a_project(self) -> None:
        """The second is refused."""
        self.setting(project_id="alice")
        message = self.assert_refused(
            409, "SecurityGroupDefaultStatefulnessAlreadyExists", self.setting, project_id="alice"
        )
        self.assertEqual(message, "A security group default statefulness setting already exists for project 'alice'.")

    def test_managers_decide_for_their_project(self) -> None:
        """Members do not, and nobody but an administrator for all."""
        self.assert_refused(403, "PolicyNotAuthorized", self.setting, ALICE)
        self.assert_refused(403, "PolicyNotAuthorized", self.setting, MANAGER, project_id=None)
        made = self.setting(MANAGER)
        self.assertEqual(made["project_id"], "alice")
        self.assertTrue(
            self.bed.update("security_groups_default_statefulness", made["id"], MANAGER, stateful=True)["stateful"]
        )
        self.bed.delete("security_groups_default_statefulness", made["id"], MANAGER)
        self.assertEqual(self.bed.listed("security_groups_default_statefulness"), [])
