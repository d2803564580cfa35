"""Lists of rows: pages by key, order with ties and absent values, and the indexes that filters use."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from quantumd.api.errors import HTTPBadRequest, UnknownMarker
from quantumd.api.resource import Page, Query, Sort, TagFilter
from tests.api.resources.bed import ADMIN, ALICE, View
from tests.api.resources.case import ResourceCase

SORTS: tuple[tuple[Sort, ...], ...] = (
    (),
    (Sort("name"),),
    (Sort("name", is_descending=True),),
    (Sort("provider:physical_network"),),
    (Sort("provider:physical_network", is_descending=True), Sort("name")),
    (Sort("admin_state_up"), Sort("name", is_descending=True)),
    (Sort("id", is_descending=True), Sort("name")),
    (Sort("name"), Sort("id", is_descending=True), Sort("status")),
)


class PageTests(ResourceCase):
    """Pages of networks with equal names, and with and without a physical network."""

    physical_networks = ("physnet1", "physnet2")

    def setUp(self) -> None:
        """Make nine networks."""
        super().setUp()
        for number in range(9):
            physnet = f"physnet{number}"
            physical: dict[str, Any] = {"provider__network_type": "flat", "provider__physical_network": physnet}
            flat: dict[str, Any] = physical if number in (1, 2) else {}
            self.bed.create("network", name="aab"[number % 3], admin_state_up=number % 4 != 0, **flat)

    def ids(self, query: Query) -> list[str]:
        """Return the ids that a query finds."""
        return [view["id"] for view in self.bed.query("network", query)]

    def paged(self, sorts: tuple[Sort, ...], limit: int, is_reverse: bool = False, **more: Any) -> list[str]:
        """Return all ids, page by page."""
        seen: list[str] = []
        while True:
            marker = (seen[0] if is_reverse else seen[-1]) if seen else None
            page = self.ids(Query(sorts=sorts, page=Page(limit, marker, is_reverse), **more))
            seen = page + seen if is_reverse else seen + page
            if len(page) < limit:
                return seen

    def test_pages_hold_everything_once_in_order(self) -> None:
        """Whatever the order and the size of a page, forward and backward."""
        for sorts in SORTS:
            whole = self.paged(sorts, 100)
            self.assertEqual(len(set(whole)), 9)
            for limit in (1, 2, 3, 4):
                self.assertEqual(self.paged(sorts, limit), whole, (sorts, limit))
                self.assertEqual(self.paged(sorts, limit, is_reverse=True), whole, (sorts, limit))

    def test_without_sort_keys_pages_go_by_id(self) -> None:
        """As today."""
        self.assertEqual(self.paged((), 2), sorted(self.ids(Query())))

    def test_an_order_is_the_one_asked_for(self) -> None:
        """Most important key first, absent values before others, ties by id."""
        views = self.bed.query("network", Query(sorts=SORTS[4]))
        keys = [(view["provider:physical_network"] or "", view["name"], view["id"]) for view in views]
        self.assertEqual([key[0] for key in keys], ["physnet2", "physnet1", *[""] * 7])
        self.assertEqual(keys[2:], sorted(keys[2:]))

    def test_lists_of_any_length_are_paged_too(self) -> None:
        """Also when the filter does not fit into one statement."""
        every = tuple(self.ids(Query()))
        unknown = tuple(f"00000000-0000-0000-0000-{number:012x}" for number in range(1_200))
        filters = (("id", (*unknown, *every)),)
        for sorts in SORTS:
            self.assertEqual(self.paged(sorts, 2, filters=filters), self.paged(sorts, 2))
            self.assertEqual(self.paged(sorts, 2, is_reverse=True, filters=filters), self.paged(sorts, 2))

    def test_a_marker_need_not_match_the_filter(self) -> None:
        """A page begins after a row, whether or not it would be listed."""
        whole = self.ids(Query(sorts=(Sort("name"),)))
        found = self.ids(Query((("name", ("b",)),), sorts=(Sort("name"),), page=Page(2, whole[0])))
        self.assertEqual(found, whole[6:8])

    def test_a_marker_must_be_visible(self) -> None:
        """Whoever may not see a row cannot begin after it."""
        hidden = self.ids(Query())[0]
        self.assertRaises(UnknownMarker, self.bed.query, "network", Query(page=Page(2, hidden)), ALICE)
        self.assertRaises(UnknownMarker, self.bed.query, "network", Query(page=Page(2, "nope")), ADMIN)

    def test_what_no_column_holds_orders_nothing(self) -> None:
        """It is refused like what nobody knows."""
        self.assertRaises(HTTPBadRequest, self.bed.query, "network", Query(sorts=(Sort("subnets"),)))

    def test_changed_since(self) -> None:
        """What was changed at that time or later."""
        first, *_ = self.ids(Query())
        self.bed.now = "2026-11-20T12:00:00Z"
        self.bed.update("network", first, name="new")
        self.assertEqual(self.ids(Query(changed_since="2026-11-20T12:00:00Z")), [first])
        self.assertEqual(self.ids(Query(changed_since="2026-11-20T12:00:01Z")), [])


PORT_FILTERS: dict[str, Query] = {
    "device_id": Query((("device_id", ("vm",)),)),
    "network": Query((("network_id", ("n",)),)),
    "mac": Query((("mac_address", ("fa:16:3e:00:00:01",)),)),
    "address": Query((("fixed_ips", (("ip_address", "10.9.0.17"),)),)),
    "subnet": Query((("fixed_ips", (("subnet_id", "s"),)),)),
    "host": Query((("binding:host_id", ("h1",)),)),
    "project": Query((("project_id", ("alice",)),)),
    "ids": Query((("id", tuple(str(number) for number in range(50))),)),
    "tags": Query(tags=TagFilter(every=("red", "blue"))),
    "any tag": Query(tags=TagFilter(some=("red", "blue"))),
}


class PlanTests(ResourceCase):
    """How the database finds ports. With 100,000 of them a look at each takes too long."""

    def plan(self, query: Query) -> list[str]:
        """Return what SQLite does for a list of ports."""
        asked: list[tuple[str, Any]] = []

        def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
            asked.append((statement, parameters))

        engine = self.bed.connection.engine
        event.listen(engine, "before_cursor_execute", note)
        self.bed.query("port", query)
        event.remove(engine, "before_cursor_execute", note)
        plans = (self.bed.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", with_) for text, with_ in asked)
        return [row[3] for plan in plans for row in plan]

    def test_filters_use_indexes(self) -> None:
        """No filter that clients use looks at every port."""
        for name, query in PORT_FILTERS.items():
            steps = self.plan(query)
            self.assertEqual([step for step in steps if step.startswith("SCAN")], [], f"{name}: {steps}")

    def test_filtered_pages_use_indexes(self) -> None:
        """Nor does a page of what a filter finds."""
        for name, query in PORT_FILTERS.items():
            steps = self.plan(Query(query.filters, tags=query.tags, page=Page(100)))
            self.assertEqual([step for step in steps if step.startswith("SCAN")], [], f"{name}: {steps}")

    def test_a_page_of_a_network_begins_at_its_marker(self) -> None:
        """A page of the ports of one network reads no more than a page, however many the network has."""
        self.network_id, _ = self.bed.network_with_subnet()
        marker: View = self.bed.create("port", network_id=self.network_id)
        steps = self.plan(Query((("network_id", (self.network_id,)),), page=Page(100, marker["id"])))
        self.assertTrue(any("network_id=? AND id>?" in step for step in steps), steps)
        self.assertFalse([step for step in steps if "SCAN" in step or "TEMP B-TREE" in step], steps)

    def test_a_page_begins_at_its_marker(self) -> None:
        """The rows before it are not read, and nothing is sorted."""
        self.network_id, _ = self.bed.network_with_subnet()
        marker: View = self.bed.create("port", network_id=self.network_id)
        steps = self.plan(Query(page=Page(100, marker["id"])))
        self.assertTrue(any("SEARCH ports USING COVERING INDEX" in step and "id>?" in step for step in steps), steps)
        self.assertFalse([step for step in steps if "SCAN" in step or "TEMP B-TREE" in step], steps)
