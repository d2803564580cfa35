"""Reading the journal for streams, on every database."""

from __future__ import annotations

from quantumd.api.events.reading import PAGE_ROWS, read_ends, read_news, read_page
from quantumd.model.context import Scope
from tests.api.resources.bed import ALICE, BOB
from tests.api.resources.case import ResourceCase
from tests.bed.databases import lacking

EVERYTHING = Scope(None)


class ReadingTests(ResourceCase):
    """Pages and news."""

    def setUp(self) -> None:
        """Alice makes two networks, Bob one between them."""
        super().setUp()
        for context in (ALICE, BOB, ALICE):
            self.bed.create("network", context)
        self.ends = read_ends(self.bed.connection)
        self.before = self.ends.first - 1

    def test_a_page_is_of_its_scope(self) -> None:
        """And goes up to the newest position, whoever's that is."""
        for scope, count in ((Scope("alice"), 2), (Scope("bob"), 1), (Scope("(none)"), 0), (EVERYTHING, 3)):
            page = read_page(self.bed.connection, scope, self.before)
            self.assertEqual((len(page.rows), page.up_to, page.is_complete), (count, self.ends.last, True))

    def test_names_of_projects_are_compared_exactly(self) -> None:
        """Another case, blanks at the end and patterns are other projects."""
        for project_id in ("ALICE", "alice ", "alic%", "álice", "*", ""):
            page = read_page(self.bed.connection, Scope(project_id), self.before)
            self.assertEqual(page.rows, (), project_id)
            news = read_news(self.bed.connection, self.before, {project_id}, False)
            self.assertEqual(news.by_project.get(project_id), None, project_id)

    def test_a_page_is_bounded(self) -> None:
        """The next one goes on where it ended."""
        for _ in range(PAGE_ROWS):
            self.bed.create("network", ALICE)
        first = read_page(self.bed.connection, Scope("alice"), self.before)
        second = read_page(self.bed.connection, Scope("alice"), first.up_to)
        self.assertEqual([len(first.rows), len(second.rows)], [PAGE_ROWS, 2])
        positions = [row.position for row in (*first.rows, *second.rows)]
        self.assertEqual(positions, sorted(set(positions)))

    def test_news_are_for_those_who_listen(self) -> None:
        """Read once, whoever they are."""
        news = read_news(self.bed.connection, self.before, {"alice", "carol"}, False)
        self.assertEqual({name: len(rows) for name, rows in news.by_project.items()}, {"alice": 2})
        self.assertEqual((news.everything, news.up_to, news.is_whole), ((), self.ends.last, False))
        every = read_news(self.bed.connection, self.before, set(), True)
        self.assertEqual((len(every.everything), dict(every.by_project)), (3, {}))
        self.assertTrue(read_news(self.bed.connection, self.ends.last, {"alice"}, True).is_whole)

    def test_what_is_gone_is_noticed(self) -> None:
        """Before the oldest row, and beyond the newest."""
        for position in (self.before - 1, self.ends.last + 1):
            page = read_page(self.bed.connection, EVERYTHING, position)
            self.assertEqual((page.rows, page.up_to, page.is_complete), ((), self.ends.last, False))


class PostgresqlReadingTests(ReadingTests):
    """The same on PostgreSQL."""

    database = "postgresql"
    skip = lacking("postgresql")


class MariadbReadingTests(ReadingTests):
    """The same on MariaDB."""

    database = "mariadb"
    skip = lacking("mariadb")
