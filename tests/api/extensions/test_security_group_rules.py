"""Rules of security groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import evolve

from tests.api.resources.bed import ADMIN, ALICE, BOB, NOW, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))


class RuleCase(ResourceCase):
    """Has a group of Alice's."""

    def setUp(self) -> None:
        """Make the group."""
        super().setUp()
        self.group_id = self.bed.create("security_group", ALICE, name="web")["id"]

    def rule(self, context: Any = ALICE, **said: Any) -> View:
        """Make a rule of the group."""
        body = {"security_group_id": self.group_id, "direction": "ingress", **said}
        return self.bed.create("security_group_rule", context, **body)

    def group(self) -> View:
        """Return the group."""
        return self.bed.show("security_group", self.group_id, ALICE)

    def refuse(self, status: int, type_name: str, context: Any = ALICE, **said: Any) -> str:
        """Check that the rule is refused and return why."""
        return self.assert_refused(status, type_name, self.rule, context, **said)


class CreateTests(RuleCase):
    """Creating rules."""

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a rule is there."""
        made = self.rule(protocol="tcp", port_range_min=22, port_range_max="22", remote_ip_prefix="10.1.2.3/8")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "project_id": "alice",
                "security_group_id": self.group_id,
                "direction": "ingress",
                "ethertype": "IPv4",
                "protocol": "tcp",
                "port_range_min": 22,
                "port_range_max": 22,
                "remote_ip_prefix": "10.1.2.3/8",
                "normalized_cidr": "10.0.0.0/8",
                "remote_group_id": None,
                "remote_address_group_id": None,
                "belongs_to_default_sg": False,
                "description": "",
                "created_at": NOW,
                "updated_at": NOW,
                "revision_number": 0,
            },
        )
        self.assertEqual(self.bed.show("security_group_rule", made["id"], ALICE), made)

    def test_the_group_has_a_new_revision(self) -> None:
        """A rule that comes or goes is a change of its group."""
        made = self.rule()
        self.assertEqual(self.group()["revision_number"], 2)
        self.bed.delete("security_group_rule", made["id"], ALICE)
        self.assertEqual(self.group()["revision_number"], 3)

    def test_values_are_taken_as_clients_write_them(self) -> None:
        """Protocols by name or number, ethertypes in any letters, addresses without a length."""
        made = self.rule(protocol=6, ethertype="ipv6", remote_ip_prefix="fd00::1")
        self.assertEqual((made["protocol"], made["ethertype"], made["remote_ip_prefix"]), ("6", "IPv6", "fd00::1/128"))

    def test_any_protocol_is_null(self) -> None:
        """``any`` is what null is."""
        self.assertIsNone(self.rule(protocol="ANY")["protocol"])

    def test_icmp_of_ipv6_is_kept_by_its_name(self) -> None:
        """The old names of it, too."""
        self.assertEqual(self.rule(protocol="icmpv6", ethertype="IPv6")["protocol"], "ipv6-icmp")

    def test_unknown_values_are_refused(self) -> None:
        """Each with the type that clients know."""
        for said, type_name, message in (
            ({"protocol": "sctpp"}, "SecurityGroupRuleInvalidProtocol", "Security group rule protocol sctpp not supp"),
            ({"protocol": 256}, "SecurityGroupRuleInvalidProtocol", "Security group rule protocol 256 not supported"),
            ({"ethertype": "IPv5"}, "SecurityGroupRuleInvalidEtherType", "Security group rule for ethertype 'IPv5'"),
            ({"port_range_min": "x"}, "SecurityGroupInvalidPortValue", "Invalid value for port x"),
            ({"port_range_max": 65536}, "SecurityGroupInvalidPortValue", "Invalid value for port 65536"),
            ({"remote_ip_prefix": "10/33"}, "InvalidCIDR", "Invalid CIDR 10/33 given as IP prefix."),
        ):
            self.assertIn(message, self.refuse(400, type_name, **said))

    def test_rules_that_contradict_themselves_are_refused(self) -> None:
        """With the type and text of today."""
        message = self.refuse(
            400, "SecurityGroupInvalidPortRange", protocol="tcp", port_range_min=80, port_range_max=22
        )
        self.assertEqual(message, "For TCP/UDP protocols, port_range_min must be <= port_range_max")

    def test_a_rule_exists_once(self) -> None:
        """The one that is there is named, however the new one is written."""
        first = self.rule(protocol="tcp", remote_ip_prefix="0.0.0.0/0")
        message = self.refuse(409, "SecurityGroupRuleExists", protocol="6")
        self.assertEqual(message, f"Security group rule already exists. Rule id is {first['id']}.")

    def test_a_group_that_is_not_there(self) -> None:
        """Neither as the rule's own nor as its remote."""
        for said in ({"security_group_id": UNKNOWN}, {"remote_group_id": UNKNOWN}, {"remote_group_id": "x"}):
            self.refuse(404, "SecurityGroupNotFound", **said)

    def test_a_group_of_others_is_not_there(self) -> None:
        """Nobody names what it cannot see."""
        theirs = self.bed.create("security_group", BOB, name="theirs")["id"]
        self.refuse(404, "SecurityGroupNotFound", security_group_id=theirs)
        self.refuse(404, "SecurityGroupNotFound", remote_group_id=theirs)

    def test_a_group_may_name_itself(self) -> None:
        """Members let each other in."""
        self.assertEqual(self.rule(remote_group_id=self.group_id)["remote_group_id"], self.group_id)

    def test_an_administrator_makes_rules_for_others(self) -> None:
        """They belong to the administrator's project, and the group's owner sees and deletes them."""
        made = self.rule(ADMIN)
        self.assertEqual(made["project_id"], "operator")
        self.assertIn(made["id"], [each["id"] for each in self.bed.listed("security_group_rule", ALICE)])
        self.bed.delete("security_group_rule", made["id"], ALICE)

    def test_others_see_no_rules(self) -> None:
        """A rule is seen by the owner of its group."""
        made = self.rule()
        message = self.assert_refused(
            404, "SecurityGroupRuleNotFound", self.bed.show, "security_group_rule", made["id"], BOB
        )
        self.assertEqual(message, f"Security group rule {made['id']} does not exist")


class BulkTests(RuleCase):
    """Several rules in one request."""

    def bodies(self, *said: View) -> list[View]:
        """Return bodies of rules of the group."""
        return [{"security_group_id": self.group_id, "direction": "ingress", **each} for each in said]

    def test_all_are_made(self) -> None:
        """In the order of the request, and as one change of the group."""
        made = self.bed.create_many("security_group_rule", self.bodies({"protocol": "tcp"}, {"protocol": "udp"}), ALICE)
        self.assertEqual([each["protocol"] for each in made], ["tcp", "udp"])
        self.assertEqual(self.group()["revision_number"], 2)

    def test_none_is_made_twice(self) -> None:
        """Two that say the same refuse all."""
        bodies = self.bodies({"protocol": "tcp"}, {"protocol": "6"})
        self.assert_refused(
            409,
            "DuplicateSecurityGroupRuleInPost",
            self.bed.create_many,
            "security_group_rule",
            bodies,
            ALICE,
        )
        self.assertEqual(len(self.group()["security_group_rules"]), 2)

    def test_all_are_of_one_group(self) -> None:
        """As today."""
        other = self.bed.create("security_group", ALICE, name="db")["id"]
        self.assert_refused(
            400,
            "SecurityGroupNotSingleGroupRules",
            self.bed.create_many,
            "security_group_rule",
            self.bodies({}, {"security_group_id": other}),
            ALICE,
        )

    def test_all_are_of_one_project(self) -> None:
        """As today."""
        self.assert_refused(
            400,
            "SecurityGroupRulesNotSingleProject",
            self.bed.create_many,
            "security_group_rule",
            self.bodies({"project_id": "alice"}, {"project_id": "bob", "protocol": "tcp"}),
            ADMIN,
        )


class ListTests(RuleCase):
    """Listing rules."""

    def test_filters(self) -> None:
        """By what rules say."""
        made = self.rule(protocol="tcp", port_range_min=22, port_range_max=22, remote_ip_prefix="10.1.0.0/16")
        for filters in (
            {"protocol": ("tcp",)},
            {"port_range_min": ("22",)},
            {"remote_ip_prefix": ("10.1.0.0/16",)},
            {"normalized_cidr": ("10.1.0.0/16",)},
            {"security_group_id": (self.group_id,), "direction": ("ingress",)},
        ):
            self.assertEqual(
                [each["id"] for each in self.bed.listed("security_group_rule", ALICE, **filters)], [made["id"]]
            )

    def test_rules_of_default_groups_are_found(self) -> None:
        """``belongs_to_default_sg`` is a filter."""
        self.assertEqual(len(self.bed.listed("security_group_rule", ALICE, belongs_to_default_sg=("true",))), 4)
        self.assertEqual(len(self.bed.listed("security_group_rule", ALICE, belongs_to_default_sg=("false",))), 2)


class SharedGroupTests(RuleCase):
    """Rules about groups that are shared."""

    def test_a_shared_group_may_be_named(self) -> None:
        """A project that sees a group lets it in."""
        project = "5f3a9ec0f0de4c0fa04b6f1fa19a6a5c"
        other = evolve(BOB, project_id=project)
        self.bed.create(
            "rbac_policy",
            ALICE,
            object_type="security_group",
            object_id=self.group_id,
            action="access_as_shared",
            target_tenant=project,
        )
        theirs = self.bed.create("security_group", other, name="theirs")["id"]
        made = self.rule(other, security_group_id=theirs, remote_group_id=self.group_id)
        self.assertEqual(made["remote_group_id"], self.group_id)
