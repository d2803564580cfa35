"""Security groups of ports."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import event

from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))


class PortCase(ResourceCase):
    """Has a network and a group of Alice's."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, _ = self.bed.network_with_subnet(context=ALICE)
        self.group_id = self.group("web")

    def group(self, name: str, context: Any = ALICE, **said: Any) -> str:
        """Return the id of a new group."""
        return str(self.bed.create("security_group", context, name=name, **said)["id"])

    def default(self, context: Any = ALICE) -> str:
        """Return the id of the project's default group."""
        (found,) = self.bed.listed("security_group", context, name=("default",))
        return str(found["id"])

    def port(self, context: Any = ALICE, **said: Any) -> View:
        """Make a port."""
        return self.bed.create("port", context, network_id=self.network_id, **said)


class CreateTests(PortCase):
    """Groups of new ports."""

    def test_a_port_that_says_nothing_has_the_default_group(self) -> None:
        """That of its project."""
        made = self.port()
        self.assertEqual(made["security_groups"], [self.default()])
        self.assertEqual(self.bed.show("port", made["id"], ALICE)["security_groups"], [self.default()])

    def test_the_first_port_of_a_project_makes_its_default_group(self) -> None:
        """Nobody has to list groups first."""
        made = self.port(ADMIN, project_id="carol")
        (group,) = self.bed.listed("security_group", ADMIN, project_id=("carol",))
        self.assertEqual((made["security_groups"], group["name"]), ([group["id"]], "default"))

    def test_a_port_has_the_groups_that_it_names(self) -> None:
        """And not the default group."""
        other = self.group("db")
        made = self.port(security_groups=[self.group_id, other])
        self.assertEqual(made["security_groups"], sorted([self.group_id, other]))

    def test_a_port_may_have_none(self) -> None:
        """An empty list and null are none."""
        self.assertEqual(self.port(security_groups=[])["security_groups"], [])
        self.assertEqual(self.port(security_groups=None)["security_groups"], [])

    def test_ports_of_the_network_have_none(self) -> None:
        """They are trusted."""
        made = self.port(ADMIN, device_owner="network:router_interface")
        self.assertEqual(made["security_groups"], [])

    def test_a_port_without_port_security_has_none(self) -> None:
        """Nothing guards it."""
        self.assertEqual(self.port(port_security_enabled=False)["security_groups"], [])

    def test_unknown_groups_are_named(self) -> None:
        """All of them."""
        theirs = self.group("theirs", BOB)
        message = self.assert_refused(
            404, "SecurityGroupNotFound", self.port, security_groups=[theirs, self.group_id, UNKNOWN]
        )
        self.assertEqual(message, f"Security group {', '.join(sorted((theirs, UNKNOWN)))} does not exist")

    def test_stateful_and_stateless_groups_do_not_mix(self) -> None:
        """On one port."""
        stateless = self.group("fast", stateful=False)
        message = self.assert_refused(
            409, "SecurityGroupConflict", self.port, security_groups=[stateless, self.group_id]
        )
        self.assertEqual(
            message,
            "Error Cannot apply both stateful and stateless security groups on the same port at the same time "
            "while attempting the operation.",
        )

    def test_many_ports_ask_for_the_default_group_once(self) -> None:
        """A bulk request costs what one port costs."""
        asked: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if "default_security_groups" in statement:
                asked.append(statement)

        event.listen(self.bed.connection, "before_cursor_execute", note)
        made = self.bed.create_many("port", [{"network_id": self.network_id}] * 20, ALICE)
        event.remove(self.bed.connection, "before_cursor_execute", note)
        self.assertEqual([each["security_groups"] for each in made], [[self.default()]] * 20)
        self.assertLessEqual(len(asked), 1)


class ChangeTests(PortCase):
    """Groups of ports that are there."""

    def test_the_groups_are_replaced(self) -> None:
        """As a change of the port."""
        made = self.port()
        changed = self.bed.update("port", made["id"], ALICE, security_groups=[self.group_id])
        self.assertEqual((changed["security_groups"], changed["revision_number"]), ([self.group_id], 2))
        self.assertEqual(self.bed.show("port", made["id"], ALICE)["security_groups"], [self.group_id])

    def test_the_same_groups_are_no_change(self) -> None:
        """In any order."""
        other = self.group("db")
        made = self.port(security_groups=[self.group_id, other])
        changed = self.bed.update("port", made["id"], ALICE, security_groups=[other, self.group_id])
        self.assertEqual(changed["revision_number"], made["revision_number"])
        changed = self.bed.update("port", made["id"], ALICE, security_groups=[self.group_id, other])
        self.assertEqual(changed["revision_number"], made["revision_number"])

    def test_other_changes_leave_the_groups(self) -> None:
        """A name is not a group."""
        made = self.port(security_groups=[self.group_id])
        self.assertEqual(self.bed.update("port", made["id"], ALICE, name="n")["security_groups"], [self.group_id])

    def test_ports_are_found_by_their_groups(self) -> None:
        """Any of those that a list names."""
        first, second = self.port(security_groups=[self.group_id]), self.port()
        found = self.bed.listed("port", ALICE, security_groups=(self.group_id,))
        self.assertEqual([each["id"] for each in found], [first["id"]])
        found = self.bed.listed("port", ALICE, security_groups=(self.group_id, self.default()))
        self.assertEqual({each["id"] for each in found}, {first["id"], second["id"]})


class InUseTests(PortCase):
    """Groups that ports have."""

    def test_a_group_in_use_stays(self) -> None:
        """And goes after the port."""
        made = self.port(security_groups=[self.group_id])
        message = self.assert_refused(
            409, "SecurityGroupInUse", self.bed.delete, "security_group", self.group_id, ALICE
        )
        self.assertEqual(message, f"Security Group {self.group_id} in use.")
        self.bed.delete("port", made["id"], ALICE)
        self.bed.delete("security_group", self.group_id, ALICE)

    def test_a_group_in_use_stays_stateful(self) -> None:
        """What its ports rely on does not change under them."""
        made = self.port(security_groups=[self.group_id])
        update = self.bed.update
        self.assert_refused(409, "SecurityGroupInUse", update, "security_group", self.group_id, ALICE, stateful=False)
        update("security_group", self.group_id, ALICE, stateful=True)
        self.bed.delete("port", made["id"], ALICE)
        self.assertFalse(update("security_group", self.group_id, ALICE, stateful=False)["stateful"])
