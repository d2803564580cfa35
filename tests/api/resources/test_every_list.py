"""What holds of the list of every resource, whoever serves it."""

from __future__ import annotations

from quantumd.api.errors import UnknownMarker
from quantumd.api.resource import Page, Query, Resource, Sort
from quantumd.errors import ApiError
from tests.api.resources.case import ResourceCase

NOBODY = "00000000-0000-0000-0000-000000000000"


class EveryListTests(ResourceCase):
    """Filters, order and pages of all resources that are lists by themselves."""

    def setUp(self) -> None:
        """Make a network with a subnet, and a host."""
        super().setUp()
        self.bed.network_with_subnet()
        self.bed.add_host("h1")
        self.lists = [each for each in self.bed.served.resources if "list" in each.verbs and not each.is_nested]

    def test_a_page_is_no_larger_than_its_limit(self) -> None:
        """In every list."""
        sizes = {each.member: len(self.bed.query(each.member, Query(page=Page(1)))) for each in self.lists}
        self.assertEqual({member for member, size in sizes.items() if size > 1}, set())

    def test_an_unknown_marker_is_no_beginning(self) -> None:
        """In every list of what has ids."""
        named = [each for each in self.lists if any(attribute.name == "id" for attribute in each.attributes)]
        for each in named:
            self.assertRaises(UnknownMarker, self.bed.query, each.member, Query(page=Page(1, NOBODY)))

    def test_every_filter_and_sort_key_is_answered(self) -> None:
        """With a list, or with a refusal; never with a bug."""
        for each in self.lists:
            for query in (*_filters(each), *_sorts(each)):
                try:
                    self.bed.query(each.member, query)
                except ApiError as refusal:
                    self.assertEqual(refusal.status, 400, (each.member, query))


def _sorts(resource: Resource) -> list[Query]:
    return [Query(sorts=(Sort(each.name),), page=Page(5)) for each in resource.attributes if each.sorts]


def _filters(resource: Resource) -> list[Query]:
    queries = []
    for each in resource.attributes:
        for text in ("x", "1", "true", "", "subnet_id=x"):
            try:
                value = None if each.filter_convert is None else each.filter_convert(text)
            except ApiError:
                continue
            if each.filter_convert is not None:
                queries.append(Query(((each.name, (value,)),)))
    return queries
