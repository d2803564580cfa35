"""Tags: the requests beside resources, the filters, the revision."""

from __future__ import annotations

from typing import Any

from quantumd.api.resource import Query, TagFilter
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

MANY = "networks/<resource_id>/tags"
ONE = f"{MANY}/<tag>"


class TagCase(ResourceCase):
    """Has a network of Alice's."""

    def setUp(self) -> None:
        """Make the network."""
        super().setUp()
        self.network_id = self.bed.create("network", ALICE)["id"]

    def tag(self, method: str, tag: str | None = None, body: Any = None, context: Any = ALICE) -> Any:
        """Send one request about the network's tags."""
        parts = {"resource_id": self.network_id} if tag is None else {"resource_id": self.network_id, "tag": tag}
        return self.bed.act(method, MANY if tag is None else ONE, body, context, **parts)

    def shown(self) -> View:
        """Return the network."""
        return self.bed.show("network", self.network_id, ALICE)


class TagTests(TagCase):
    """Adding, replacing and taking away."""

    def test_one_tag_is_added(self) -> None:
        """PUT of a tag adds it to those there are."""
        self.tag("PUT", "red")
        self.tag("PUT", "blue")
        self.assertEqual(self.tag("GET"), {"tags": ["blue", "red"]})
        self.assertEqual(self.shown()["tags"], ["blue", "red"])

    def test_the_journal_calls_what_is_tagged_as_ever(self) -> None:
        """A policy's tags change the qos_policy whose making the journal has told of."""
        policy_id = self.bed.create("policy", name="gold")["id"]
        self.bed.act("PUT", "qos/policies/<resource_id>/tags/<tag>", None, ADMIN, resource_id=policy_id, tag="red")
        told = self.bed.listed("journal_entry", resource_id=(policy_id,))
        self.assertEqual({each["resource"] for each in told}, {"qos_policy"})

    def test_all_tags_are_replaced(self) -> None:
        """PUT of a list leaves these and no others, and answers them as they came."""
        self.tag("PUT", "green")
        self.assertEqual(self.tag("PUT", body={"tags": ["red", "blue"]}), {"tags": ["red", "blue"]})
        self.assertEqual(self.shown()["tags"], ["blue", "red"])

    def test_several_tags_are_added(self) -> None:
        """POST of a list keeps those there are."""
        self.tag("PUT", "green")
        self.tag("POST", body={"tags": ["red", "green"]})
        self.assertEqual(self.shown()["tags"], ["green", "red"])

    def test_a_tag_is_looked_for(self) -> None:
        """GET of a tag succeeds when it is there."""
        self.tag("PUT", "red")
        self.assertIsNone(self.tag("GET", "red"))
        message = self.assert_refused(404, "TagNotFound", self.tag, "GET", "green")
        self.assertEqual(message, "Tag green could not be found.")

    def test_tags_are_taken_away(self) -> None:
        """One, or all; one that is not there is not found."""
        self.tag("PUT", body={"tags": ["a", "b", "c"]})
        self.tag("DELETE", "a")
        self.assertEqual(self.shown()["tags"], ["b", "c"])
        self.assert_refused(404, "TagNotFound", self.tag, "DELETE", "a")
        self.tag("DELETE")
        self.assertEqual(self.shown()["tags"], [])

    def test_wrong_tags_are_refused(self) -> None:
        """A tag is text of 1 to 255 characters without a comma, and named once."""
        self.tag("PUT", "x" * 255)
        self.assert_refused(400, "InvalidInput", self.tag, "PUT", "x" * 256)
        lists = ("red", [1], [""], ["a,b"], ["a", "a"])
        bodies: tuple[Any, ...] = (None, [], {}, *({"tags": each} for each in lists))
        for wrong in bodies:
            self.assert_refused(400, "InvalidInput", self.tag, "PUT", body=wrong)

    def test_only_the_owner_tags(self) -> None:
        """Who may not see the resource does not find it; who may only see it is refused."""
        message = self.assert_refused(404, "TagResourceNotFound", self.tag, "PUT", "red", context=BOB)
        self.assertEqual(message, f"Resource networks {self.network_id} could not be found.")
        self.bed.update("network", self.network_id, ADMIN, shared=True)
        self.assert_refused(403, "PolicyNotAuthorized", self.tag, "PUT", "red", context=BOB)
        self.assertEqual(self.tag("GET", context=BOB), {"tags": []})

    def test_tags_are_a_revision(self) -> None:
        """A change of tags grows the revision and is journalled; no change is not."""
        before = self.shown()["revision_number"]
        self.bed.now = "2026-11-20T11:00:00Z"
        self.tag("PUT", "red")
        after = self.shown()
        self.assertEqual((after["revision_number"], after["updated_at"]), (before + 1, self.bed.now))
        _, was, now = self.last_journalled()
        self.assertEqual(((was or {})["tags"], (now or {})["tags"]), ([], ["red"]))
        self.tag("PUT", "red")
        self.assertEqual(self.shown()["revision_number"], before + 1)

    def test_tags_go_with_the_resource(self) -> None:
        """A deleted resource leaves no tags behind."""
        self.tag("PUT", "red")
        self.bed.delete("network", self.network_id)
        again = self.bed.create("network", ALICE)["id"]
        self.assertEqual(self.bed.show("network", again)["tags"], [])
        self.assertEqual(self.bed.query("network", Query(tags=TagFilter(every=("red",)))), [])


class TagFilterTests(TagCase):
    """The four filters."""

    def setUp(self) -> None:
        """Tag three networks: red, red and blue, none."""
        super().setUp()
        self.bed.delete("network", self.network_id)
        for name, tags in (("r", ["red"]), ("b", ["red", "blue"]), ("n", [])):
            self.network_id = self.bed.create("network", ALICE, name=name)["id"]
            self.tag("PUT", body={"tags": tags})

    def found(self, **tags: tuple[str, ...]) -> str:
        """Return the names of what a filter finds."""
        return "".join(sorted(view["name"] for view in self.bed.query("network", Query(tags=TagFilter(**tags)))))

    def test_every_tag(self) -> None:
        """tags=: those that have all."""
        self.assertEqual(self.found(every=("red",)), "br")
        self.assertEqual(self.found(every=("red", "blue")), "b")

    def test_any_tag(self) -> None:
        """tags-any=: those that have one of them."""
        self.assertEqual(self.found(some=("blue", "green")), "b")

    def test_not_every_tag(self) -> None:
        """not-tags=: those that lack one of them."""
        self.assertEqual(self.found(not_every=("red", "blue")), "nr")

    def test_not_any_tag(self) -> None:
        """not-tags-any=: those that have none of them."""
        self.assertEqual(self.found(not_some=("red", "blue")), "n")

    def test_together(self) -> None:
        """All filters must match."""
        self.assertEqual(self.found(every=("red",), not_some=("blue",)), "r")


class TaggableTests(ResourceCase):
    """What can be tagged."""

    def test_every_taggable_resource_keeps_its_revision(self) -> None:
        """A resource that can be tagged names the table whose revision number grows, and shows its tags."""
        taggable = [each for each in self.bed.served.resources if each.is_taggable]
        self.assertLessEqual({"network", "subnet", "port"}, {each.member for each in taggable})
        for each in taggable:
            self.assertIsNotNone(each.table, each.member)
            self.assertIn("tags", [attribute.name for attribute in each.attributes], each.member)
            self.assertTrue(any(action.path == f"{each.path}/<resource_id>/tags" for action in self.bed.served.actions))
