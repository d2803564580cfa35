"""Address groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.api.resources.bed import ALICE, BOB, NOW, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))


class AddressGroupTests(ResourceCase):
    """What a group holds."""

    def setUp(self) -> None:
        """Make a group."""
        super().setUp()
        self.group = self.bed.create("address_group", ALICE, name="offices", addresses=["10.2.0.1/16", "10.1.0.0/16"])

    def act(self, what: str, addresses: Any, context: Any = ALICE, group_id: str | None = None) -> View:
        """Add or remove addresses."""
        path = f"address-groups/<resource_id>/{what}_addresses"
        parts = {"resource_id": group_id or self.group["id"]}
        answer: dict[str, View] = self.bed.act("PUT", path, {"addresses": addresses}, context, **parts)
        return answer["address_group"]

    def test_the_view_is_whole(self) -> None:
        """Prefixes are in canonical form and in order."""
        self.assertEqual(
            self.group,
            {
                "id": self.group["id"],
                "name": "offices",
                "description": "",
                "project_id": "alice",
                "addresses": ["10.1.0.0/16", "10.2.0.0/16"],
                "created_at": NOW,
                "updated_at": NOW,
                "revision_number": 1,
            },
        )
        self.assertEqual(self.bed.show("address_group", self.group["id"], ALICE), self.group)
        self.assertEqual(self.bed.listed("address_group", ALICE), [self.group])

    def test_a_group_may_be_empty(self) -> None:
        """Null and nothing are no addresses."""
        self.assertEqual(self.bed.create("address_group", ALICE)["addresses"], [])
        self.assertEqual(self.bed.create("address_group", ALICE, addresses=None)["addresses"], [])

    def test_addresses_are_prefixes(self) -> None:
        """With a length."""
        message = self.assert_refused(
            400, "HTTPBadRequest", self.bed.create, "address_group", ALICE, addresses=["10.0.0.1"]
        )
        self.assertEqual(message, "Invalid input for addresses. Reason: '10.0.0.1' is not a valid IP subnet.")

    def test_addresses_come(self) -> None:
        """The group has a new revision."""
        changed = self.act("add", ["fd00::/8"])
        self.assertEqual(changed["addresses"], ["10.1.0.0/16", "10.2.0.0/16", "fd00::/8"])
        self.assertEqual(self.bed.show("address_group", self.group["id"], ALICE)["revision_number"], 2)

    def test_addresses_that_are_there_do_not_come(self) -> None:
        """All or none."""
        message = self.assert_refused(400, "AddressesAlreadyExist", self.act, "add", ["10.3.0.0/16", "10.1.2.3/16"])
        self.assertEqual(message, f"Addresses ['10.1.0.0/16'] already exist in the address group {self.group['id']}.")
        self.assertEqual(self.bed.show("address_group", self.group["id"], ALICE), self.group)

    def test_addresses_go(self) -> None:
        """The others stay."""
        self.assertEqual(self.act("remove", ["10.1.0.0/16"])["addresses"], ["10.2.0.0/16"])
        self.assertEqual(self.bed.show("address_group", self.group["id"], ALICE)["addresses"], ["10.2.0.0/16"])

    def test_addresses_that_are_not_there_do_not_go(self) -> None:
        """All or none."""
        message = self.assert_refused(404, "AddressesNotFound", self.act, "remove", ["10.9.0.0/16"])
        self.assertEqual(message, f"Addresses ['10.9.0.0/16'] not found in the address group {self.group['id']}.")

    def test_a_body_of_another_shape_is_refused(self) -> None:
        """With a clear 400."""
        path = "address-groups/<resource_id>/add_addresses"
        wrong: tuple[Any, ...] = (None, [], {"address": []}, {"addresses": "10.0.0.0/8"}, {"addresses": [[]]})
        for body in wrong:
            self.assert_refused(
                400, "HTTPBadRequest", self.bed.act, "PUT", path, body, ALICE, resource_id=self.group["id"]
            )

    def test_others_do_not_find_it(self) -> None:
        """Neither to see nor to change."""
        message = self.assert_refused(404, "AddressGroupNotFound", self.act, "add", [], BOB)
        self.assertEqual(message, f"Address group {self.group['id']} could not be found.")

    def test_a_group_is_renamed_and_goes(self) -> None:
        """As its owner likes."""
        self.assertEqual(self.bed.update("address_group", self.group["id"], ALICE, name="sites")["name"], "sites")
        self.bed.delete("address_group", self.group["id"], ALICE)
        self.assertEqual(self.bed.listed("address_group", ALICE), [])


class UseTests(ResourceCase):
    """Groups that rules name."""

    def setUp(self) -> None:
        """Make a group and a rule about it."""
        super().setUp()
        self.group_id = self.bed.create("address_group", ALICE, addresses=["10.1.0.0/16"])["id"]
        self.security_group_id = self.bed.create("security_group", ALICE, name="web")["id"]
        self.rule = self._rule(remote_address_group_id=self.group_id)

    def _rule(self, **said: Any) -> View:
        body = {"security_group_id": self.security_group_id, "direction": "ingress", **said}
        return self.bed.create("security_group_rule", ALICE, **body)

    def test_the_rule_shows_it(self) -> None:
        """Rules are found by it."""
        found = self.bed.listed("security_group_rule", ALICE, remote_address_group_id=(self.group_id,))
        self.assertEqual([each["id"] for each in found], [self.rule["id"]])

    def test_it_stays_while_a_rule_names_it(self) -> None:
        """And goes afterwards."""
        message = self.assert_refused(409, "AddressGroupInUse", self.bed.delete, "address_group", self.group_id, ALICE)
        self.assertEqual(message, f"Address group {self.group_id} is in use on one or more security group rules.")
        self.bed.delete("security_group_rule", self.rule["id"], ALICE)
        self.bed.delete("address_group", self.group_id, ALICE)

    def test_one_that_is_not_there_cannot_be_named(self) -> None:
        """With the type of today."""
        self.assert_refused(404, "AddressGroupNotFound", self._rule, remote_address_group_id=UNKNOWN)
