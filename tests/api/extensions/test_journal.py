"""The journal as administrators read it."""

from __future__ import annotations

from quantumd.api.errors import UnknownMarker
from quantumd.api.resource import Page, Query, Sort
from tests.api.resources.bed import View
from tests.api.resources.case import ResourceCase

EVERYTHING = Query()


class JournalTests(ResourceCase):
    """GET /v2.0/journal."""

    def setUp(self) -> None:
        """Make and change two networks."""
        super().setUp()
        self.first = self.bed.create("network", name="a")["id"]
        self.second = self.bed.create("network", name="b")["id"]
        self.bed.update("network", self.first, name="c")

    def entries(self, query: Query = EVERYTHING) -> list[View]:
        """Return what a query finds."""
        return self.bed.query("journal_entry", query)

    def test_changes_are_in_the_order_of_commits(self) -> None:
        """Each change is listed once, with what was and what is."""
        listed = self.entries()
        self.assertEqual([each["operation"] for each in listed], ["create", "create", "update"])
        last = listed[-1]
        self.assertEqual((last["resource"], last["resource_id"]), ("network", self.first))
        self.assertEqual((last["before"]["name"], last["after"]["name"]), ("a", "c"))

    def test_filters(self) -> None:
        """By what was changed and how."""
        found = self.bed.listed("journal_entry", resource_id=(self.first,), operation=("update",))
        self.assertEqual([each["after"]["name"] for each in found], ["c"])

    def test_pages(self) -> None:
        """Pages go by position, forward and backward."""
        listed = [each["id"] for each in self.entries()]
        pages = [Page(2), Page(2, str(listed[1])), Page(2, str(listed[2]), is_reverse=True)]
        found = [[each["id"] for each in self.entries(Query(page=page))] for page in pages]
        self.assertEqual(found, [listed[:2], listed[2:], listed[:2]])
        self.assertRaises(UnknownMarker, self.entries, Query(page=Page(2, "nope")))

    def test_newest_first(self) -> None:
        """Sorting takes the position too."""
        newest = self.entries(Query(sorts=(Sort("id", is_descending=True),), page=Page(1)))
        self.assertEqual(newest[0]["operation"], "update")

    def test_one_entry(self) -> None:
        """One is shown by its position; text that is none is not found."""
        listed = self.entries()
        self.assertEqual(self.bed.show("journal_entry", str(listed[0]["id"])), listed[0])
        for wrong in ("0", "nope"):
            self.assert_refused(404, "JournalEntryNotFound", self.bed.show, "journal_entry", wrong)
