"""Security groups."""

from __future__ import annotations

from attrs import evolve
from sqlalchemy import event

from quantumd.api.resource import Query
from tests.api.resources.bed import ADMIN, ALICE, BOB, NOW, View
from tests.api.resources.case import ResourceCase


def said(rule: View) -> tuple[str, str, bool]:
    """Return what a rule of a new group says: direction, ethertype, whether it is about its own group."""
    return rule["direction"], rule["ethertype"], rule["remote_group_id"] == rule["security_group_id"]


class CreateTests(ResourceCase):
    """Creating groups."""

    def test_a_group_comes_with_its_way_out(self) -> None:
        """A new group lets everything out, of both ethertypes, and nothing in."""
        group = self.bed.create("security_group", ALICE, name="web")
        self.assertEqual(
            [said(rule) for rule in group["security_group_rules"]],
            [("egress", "IPv4", False), ("egress", "IPv6", False)],
        )

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a group is there, rules included."""
        group = self.bed.create("security_group", ALICE, name="web", description="d")
        rules = group.pop("security_group_rules")
        self.assertEqual(
            group,
            {
                "id": group["id"],
                "name": "web",
                "project_id": "alice",
                "description": "d",
                "stateful": True,
                "shared": False,
                "tags": [],
                "created_at": NOW,
                "updated_at": NOW,
                "revision_number": 1,
            },
        )
        self.assertEqual(self.bed.show("security_group", group["id"], ALICE)["security_group_rules"], rules)

    def test_the_default_group_is_made_first(self) -> None:
        """A project that makes its first group has its default group, too."""
        self.bed.create("security_group", ALICE, name="web")
        self.assertEqual(
            sorted(group["name"] for group in self.bed.listed("security_group", ALICE)), ["default", "web"]
        )

    def test_the_name_default_is_taken(self) -> None:
        """However it is written."""
        message = self.assert_refused(
            409, "SecurityGroupDefaultAlreadyExists", self.bed.create, "security_group", ALICE, name="Default"
        )
        self.assertEqual(message, "Default security group already exists.")

    def test_names_are_printable(self) -> None:
        """No blanks around a name, and nothing that cannot be printed."""
        for name in (" web", "web\n", "we\x07b"):
            self.assert_refused(400, "HTTPBadRequest", self.bed.create, "security_group", ALICE, name=name)

    def test_each_row_is_journalled(self) -> None:
        """Groups and rules have journal rows of their own."""
        self.bed.listed("security_group", ALICE)
        self.assertEqual(self.journalled(), [("security_group", "create"), *[("security_group_rule", "create")] * 4])


class DefaultTests(ResourceCase):
    """The default group of a project."""

    def setUp(self) -> None:
        """Look at the groups of a project for the first time."""
        super().setUp()
        (self.group,) = self.bed.listed("security_group", ALICE)

    def test_a_list_makes_it(self) -> None:
        """Whoever lists groups for the first time finds the default group."""
        self.assertEqual((self.group["name"], self.group["description"]), ("default", "Default security group"))

    def test_its_members_may_talk(self) -> None:
        """It lets in what has it, and lets everything out."""
        self.assertEqual(
            sorted(said(rule) for rule in self.group["security_group_rules"]),
            [
                ("egress", "IPv4", False),
                ("egress", "IPv6", False),
                ("ingress", "IPv4", True),
                ("ingress", "IPv6", True),
            ],
        )
        self.assertTrue(all(rule["belongs_to_default_sg"] for rule in self.group["security_group_rules"]))

    def test_it_is_made_once(self) -> None:
        """The second list finds the first one's group."""
        self.assertEqual([each["id"] for each in self.bed.listed("security_group", ALICE)], [self.group["id"]])

    def test_a_list_of_rules_makes_it_too(self) -> None:
        """Rules are asked for as groups are."""
        self.assertEqual(len(self.bed.listed("security_group_rule", BOB)), 4)

    def test_an_administrator_makes_that_of_another(self) -> None:
        """A list for a project makes the project's."""
        self.assertEqual(len(self.bed.listed("security_group", ADMIN, project_id=("carol",))), 1)
        self.assertEqual(self.bed.listed("security_group", BOB, project_id=("dave",)), [])

    def test_it_stays(self) -> None:
        """Its project cannot delete it."""
        message = self.assert_refused(
            409, "SecurityGroupCannotRemoveDefault", self.bed.delete, "security_group", self.group["id"], ALICE
        )
        self.assertEqual(message, "Insufficient rights for removing default security group.")

    def test_an_administrator_deletes_it(self) -> None:
        """And the next list makes another."""
        self.bed.delete("security_group", self.group["id"])
        (made,) = self.bed.listed("security_group", ALICE)
        self.assertNotEqual(made["id"], self.group["id"])

    def test_it_keeps_its_name(self) -> None:
        """Everything else may change."""
        message = self.assert_refused(
            409,
            "SecurityGroupCannotUpdateDefault",
            self.bed.update,
            "security_group",
            self.group["id"],
            ALICE,
            name="other",
        )
        self.assertEqual(message, "Updating default security group not allowed.")
        changed = self.bed.update("security_group", self.group["id"], ALICE, description="ours")
        self.assertEqual(changed["description"], "ours")


class ChangeTests(ResourceCase):
    """Changing and deleting groups."""

    def setUp(self) -> None:
        """Make a group."""
        super().setUp()
        self.group = self.bed.create("security_group", ALICE, name="web")

    def test_a_group_is_renamed(self) -> None:
        """Its revision grows, its rules stay."""
        changed = self.bed.update("security_group", self.group["id"], ALICE, name="api")
        self.assertEqual((changed["name"], changed["revision_number"]), ("api", 2))
        self.assertEqual(changed["security_group_rules"], self.group["security_group_rules"])

    def test_others_do_not_find_it(self) -> None:
        """A group is its project's own."""
        message = self.assert_refused(
            404, "SecurityGroupNotFound", self.bed.show, "security_group", self.group["id"], BOB
        )
        self.assertEqual(message, f"Security group {self.group['id']} does not exist")

    def test_a_group_goes_with_its_rules(self) -> None:
        """No rule stays behind."""
        self.bed.delete("security_group", self.group["id"], ALICE)
        self.assertEqual(self.bed.listed("security_group_rule", ALICE, security_group_id=(self.group["id"],)), [])

    def test_rules_about_it_go_with_it(self) -> None:
        """Rules of other groups that let it in go, and those groups have a new revision."""
        other = self.bed.create("security_group", ALICE, name="db")
        self.bed.create(
            "security_group_rule",
            ALICE,
            security_group_id=other["id"],
            direction="ingress",
            remote_group_id=self.group["id"],
        )
        self.bed.delete("security_group", self.group["id"], ALICE)
        left = self.bed.show("security_group", other["id"], ALICE)
        self.assertEqual((len(left["security_group_rules"]), left["revision_number"]), (2, 3))

    def test_lists_filter_by_name_and_state(self) -> None:
        """As attributes say."""
        self.bed.create("security_group", ALICE, name="fast", stateful=False)
        self.assertEqual([each["name"] for each in self.bed.listed("security_group", ALICE, name=("web",))], ["web"])
        found = self.bed.listed("security_group", ALICE, stateful=("false",))
        self.assertEqual([each["name"] for each in found], ["fast"])

    def test_fields_without_rules_read_no_rules(self) -> None:
        """A list that asks for ids leaves the rules where they are."""
        found = self.bed.query("security_group", Query(fields=frozenset({"id"})), ALICE)
        self.assertNotIn("security_group_rules", found[0])


class ManyTests(ResourceCase):
    """Lists of many groups."""

    def test_the_number_of_queries_does_not_grow(self) -> None:
        """Eight groups take the queries of one."""
        statements: list[str] = []
        self.bed.listed("security_group", ALICE)
        one = self._counted(statements)
        for n in range(7):
            self.bed.create("security_group", ALICE, name=f"g{n}")
        self.assertEqual(self._counted(statements), one)

    def _counted(self, statements: list[str]) -> int:
        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        statements.clear()
        event.listen(self.bed.connection, "before_cursor_execute", note)
        self.bed.listed("security_group", ALICE)
        event.remove(self.bed.connection, "before_cursor_execute", note)
        return len(statements)


class SharedTests(ResourceCase):
    """Groups that are shared."""

    project = "5f3a9ec0f0de4c0fa04b6f1fa19a6a5c"

    def setUp(self) -> None:
        """Share a group with a project."""
        super().setUp()
        self.other = evolve(BOB, project_id=self.project)
        self.group = self.bed.create("security_group", ALICE, name="web")
        self.policy = self.bed.create(
            "rbac_policy",
            ALICE,
            object_type="security_group",
            object_id=self.group["id"],
            action="access_as_shared",
            target_tenant=self.project,
        )

    def test_it_is_seen_as_shared(self) -> None:
        """By the project that it is shared with; its owner sees that it is its own."""
        self.assertTrue(self.bed.show("security_group", self.group["id"], self.other)["shared"])
        self.assertFalse(self.bed.show("security_group", self.group["id"], ALICE)["shared"])

    def test_lists_find_what_is_shared(self) -> None:
        """The filter finds what the view shows."""
        found = self.bed.listed("security_group", self.other, shared=("true",))
        self.assertEqual([each["id"] for each in found], [self.group["id"]])
        found = self.bed.listed("security_group", self.other, shared=("false",))
        self.assertEqual([each["name"] for each in found], ["default"])

    def test_sharing_gives_no_right_to_change(self) -> None:
        """Neither the group nor its rules."""
        for verb, more in (("update", {"name": "x"}), ("delete", {})):
            work = getattr(self.bed, verb)
            self.assert_refused(
                403, "PolicyNotAuthorized", work, "security_group", self.group["id"], self.other, **more
            )
        self.assert_refused(
            403,
            "PolicyNotAuthorized",
            self.bed.create,
            "security_group_rule",
            self.other,
            security_group_id=self.group["id"],
            direction="ingress",
        )

    def test_its_policies_go_with_it(self) -> None:
        """A group that goes leaves no policy."""
        self.bed.delete("security_group", self.group["id"], ALICE)
        self.assertEqual(self.bed.listed("rbac_policy", ALICE), [])
