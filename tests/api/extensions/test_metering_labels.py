"""Metering labels and their rules."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import evolve

from quantumd.api.errors import InvalidValue
from quantumd.api.extensions.metering.attributes import RULE_ATTRIBUTES
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))
MANAGER = evolve(ALICE, roles=frozenset({"manager", "member"}))


class MeteringCase(ResourceCase):
    """Makes labels and rules."""

    def label(self, context: Any = MANAGER, **said: Any) -> View:
        """Make a label."""
        return self.bed.create("metering_label", context, **{"name": "web", **said})

    def rule(self, label_id: str, prefix: str, context: Any = MANAGER, **said: Any) -> View:
        """Make a rule of a label."""
        body = {"direction": "egress", "remote_ip_prefix": prefix, "metering_label_id": label_id, **said}
        return self.bed.create("metering_label_rule", context, **body)


class LabelTests(MeteringCase):
    """Labels."""

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a label is there, and it is journalled."""
        made = self.label(description="d", shared=True)
        self.assertEqual(
            made, {"id": made["id"], "name": "web", "description": "d", "project_id": "alice", "shared": True}
        )
        self.assertEqual(self.bed.show("metering_label", made["id"], ALICE), made)
        self.assertEqual(self.journalled()[-1], ("metering_label", "create"))

    def test_a_label_is_its_projects(self) -> None:
        """Others neither see nor delete it; who administers sees all."""
        made = self.label()
        self.assertEqual(self.bed.listed("metering_label", BOB), [])
        self.assert_refused(404, "MeteringLabelNotFound", self.bed.show, "metering_label", made["id"], BOB)
        self.assertEqual(self.bed.listed("metering_label", ADMIN), [made])

    def test_managers_make_labels(self) -> None:
        """A member looks at the labels of the project, whose manager makes and deletes them."""
        self.assert_refused(403, "PolicyNotAuthorized", self.label, ALICE)
        made = self.label()
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.delete, "metering_label", made["id"], ALICE)
        self.bed.delete("metering_label", made["id"], MANAGER)
        self.assertEqual(self.bed.listed("metering_label", ALICE), [])

    def test_labels_are_found_by_what_they_say(self) -> None:
        """Filters know every attribute."""
        made = self.label(shared=True)
        self.label(name="other")
        self.assertEqual(self.bed.listed("metering_label", ALICE, name=("web",), shared=("true",)), [made])

    def test_rules_go_with_their_label(self) -> None:
        """A label that is deleted takes its rules along."""
        made = self.label()
        self.rule(made["id"], "10.0.0.0/8")
        self.bed.delete("metering_label", made["id"], MANAGER)
        self.assertEqual(self.bed.listed("metering_label_rule"), [])


class RuleTests(MeteringCase):
    """Rules of labels."""

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a rule is there; it is of its label's project."""
        label_id = self.label()["id"]
        made = self.rule(label_id, "10.0.0.0/8", ADMIN, excluded=True)
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "metering_label_id": label_id,
                "direction": "egress",
                "excluded": True,
                "remote_ip_prefix": "10.0.0.0/8",
                "project_id": "alice",
            },
        )
        self.assertEqual(self.bed.show("metering_label_rule", made["id"], ALICE), made)
        self.assert_refused(404, "MeteringLabelRuleNotFound", self.bed.show, "metering_label_rule", made["id"], BOB)

    def test_nothing_is_counted_twice(self) -> None:
        """Rules of a label and direction do not overlap, unless one of them excludes; two families never do."""
        label_id = self.label()["id"]
        self.rule(label_id, "10.0.0.0/8")
        message = self.assert_refused(409, "MeteringLabelRuleOverlaps", self.rule, label_id, "10.1.0.0/16")
        self.assertEqual(message, "Metering label rule with remote_ip_prefix '10.1.0.0/16' overlaps another.")
        self.rule(label_id, "10.1.0.0/16", excluded=True)
        self.rule(label_id, "10.1.0.0/16", direction="ingress")
        self.rule(label_id, "::/0")
        self.rule(self.label()["id"], "10.0.0.0/8")
        self.assertEqual(len(self.bed.listed("metering_label_rule", ALICE)), 5)

    def test_prefixes_are_shown_as_today(self) -> None:
        """IPv6 in its short form, IPv4 as it was written; what is no prefix, or has a netmask, is refused."""
        label_id = self.label()["id"]
        self.assertEqual(self.rule(label_id, "2001:DB8::/64")["remote_ip_prefix"], "2001:db8::/64")
        self.assertEqual(self.rule(label_id, "10.0.0.1/24")["remote_ip_prefix"], "10.0.0.1/24")
        self.assert_refused(409, "MeteringLabelRuleOverlaps", self.rule, label_id, "10.0.0.7/32")
        for wrong in ("10.0.0.0/255.255.255.0", "10.0.0.0", "fe80::%eth0/64", "10.0.0.0/33", 7):
            prefix = next(each for each in RULE_ATTRIBUTES if each.name == "remote_ip_prefix")
            self.assertRaises(InvalidValue, prefix.convert, wrong)

    def test_a_rule_has_a_label(self) -> None:
        """A label that is not there, or that the caller does not see, has no rules."""
        message = self.assert_refused(404, "MeteringLabelNotFound", self.rule, UNKNOWN, "10.0.0.0/8")
        self.assertEqual(message, f"Metering label '{UNKNOWN}' does not exist.")
        theirs = self.label(ADMIN, project_id="bob")["id"]
        self.assert_refused(404, "MeteringLabelNotFound", self.rule, theirs, "10.0.0.0/8")

    def test_managers_make_rules(self) -> None:
        """A member only looks; what is deleted is gone."""
        label_id = self.label()["id"]
        self.assert_refused(403, "PolicyNotAuthorized", self.rule, label_id, "10.0.0.0/8", ALICE)
        made = self.rule(label_id, "10.0.0.0/8")
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.delete, "metering_label_rule", made["id"], ALICE)
        self.bed.delete("metering_label_rule", made["id"], MANAGER)
        self.assertEqual(self.bed.listed("metering_label_rule", ALICE), [])
