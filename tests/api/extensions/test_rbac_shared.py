"""``shared``, of everything that can be shared: shown, found and sorted by what it is to the caller."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from quantumd.api.attribute_map import attribute_map_of
from quantumd.api.resource import Page, Query, Sort
from quantumd.model.context import Context
from tests.api.resources.bed import ADMIN, BOB
from tests.api.resources.case import ResourceCase

PROJECT = "c0c0c0c0000040008000000000000001"
CAROL = Context("req-carol", project_id=PROJECT, roles=frozenset({"member"}))

_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "network": ("network", {}),
    "subnetpool": ("subnetpool", {"prefixes": ["10.0.0.0/8"]}),
    "address_scope": ("address_scope", {"ip_version": 4}),
    "security_group": ("security_group", {}),
    "policy": ("qos_policy", {}),
}
"""Members by the type that RBAC policies know them as, and what a body of one must say."""


class SharedTests(ResourceCase):
    """Of each kind the administrator has three: one is nobody else's, one is Carol's to use, one is everybody's."""

    def setUp(self) -> None:
        """Make and share them."""
        super().setUp()
        self.made: dict[str, list[str]] = {}
        for member, (object_type, body) in _KINDS.items():
            ids = [self.bed.create(member, name=f"{at}", **body)["id"] for at in range(3)]
            for object_id, target in ((ids[1], PROJECT), (ids[2], "*")):
                said = {"object_id": object_id, "target_tenant": target, "action": "access_as_shared"}
                self.bed.create("rbac_policy", object_type=object_type, **said)
            self.made[member] = ids

    def found(self, member: str, context: Any, *wanted: str) -> list[str]:
        """The names of those of the three that a filter finds."""
        views = self.bed.listed(member, context, shared=wanted, id=tuple(self.made[member]))
        return sorted(view["name"] for view in views)

    def test_it_is_shown_to_whom_it_is_shared_with(self) -> None:
        """An administrator's own are not shared with the administrator, nor is what only others were given."""
        for member, (_, one_of_carol, of_all) in self.made.items():
            for context, expected in ((ADMIN, (False, True)), (CAROL, (True, True))):
                shown = tuple(self.bed.show(member, each, context)["shared"] for each in (one_of_carol, of_all))
                self.assertEqual(shown, expected, member)
            listed = {view["id"]: view["shared"] for view in self.bed.listed(member, BOB)}
            self.assertEqual((listed.get(one_of_carol), listed[of_all]), (None, True), member)

    def test_it_is_found_as_it_is_shown(self) -> None:
        """By everybody for themselves."""
        for member in self.made:
            self.assertEqual(self.found(member, CAROL, "true"), ["1", "2"], member)
            self.assertEqual(self.found(member, CAROL, "false"), [], member)
            self.assertEqual(self.found(member, BOB, "true"), ["2"], member)
            self.assertEqual(self.found(member, ADMIN, "true"), ["2"], member)
            self.assertEqual(self.found(member, ADMIN, "false"), ["0", "1"], member)
            self.assertEqual(self.found(member, ADMIN, "false", "true"), ["0", "1", "2"], member)

    def test_it_sorts_where_the_api_says_so(self) -> None:
        """In both directions, and page by page."""
        sorting = [
            each.member
            for each in self.bed.served.resources
            if each.member in _KINDS and attribute_map_of(each).by_name["shared"].sorts
        ]
        self.assertEqual(sorted(sorting), ["address_scope", "subnetpool"])
        for member in sorting:
            for sorts, expected in (
                ((Sort("shared"), Sort("name")), ["0", "1", "2"]),
                ((Sort("shared", True), Sort("name", True)), ["2", "1", "0"]),
            ):
                whole = self.bed.query(member, Query(sorts=sorts))
                self.assertEqual([view["name"] for view in whole], expected)
                marker, pages = None, []
                while page := self.bed.query(member, Query(sorts=sorts, page=Page(1, marker))):
                    marker = page[-1]["id"]
                    pages += [view["name"] for view in page]
                self.assertEqual(pages, expected)

    def test_a_page_asks_once(self) -> None:
        """However long it is."""
        asked: list[str] = []
        event.listen(self.bed.connection, "before_cursor_execute", lambda *said: asked.append(said[2]))
        for member in self.made:
            asked.clear()
            self.assertGreaterEqual(len(self.bed.listed(member)), 3)
            self.assertEqual(sum("FROM rbac_entries" in each for each in asked), 1, (member, asked))
