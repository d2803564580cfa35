"""How long hosts are alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.host_life import Deafness, HostLife, report_seconds

THEN = datetime(2026, 11, 20, 10, tzinfo=UTC)


class HostLifeTests(SynchronousTestCase):
    """By the last report."""

    def alive(self, host: str, seconds: int) -> bool:
        """Return whether a host is alive so long after its last report."""
        return HostLife(150, "here").is_alive(host, THEN, THEN + timedelta(seconds=seconds))

    def test_others_are_alive_for_so_long(self) -> None:
        """To the second."""
        self.assertEqual([self.alive("there", seconds) for seconds in (0, 150, 151)], [True, True, False])

    def test_a_clock_that_was_set_back_kills_nobody(self) -> None:
        """A report from the future is a report."""
        self.assertTrue(self.alive("there", -3600))

    def test_this_process_is_alive(self) -> None:
        """Or nobody would ask."""
        self.assertTrue(self.alive("here", 3600))

    def test_no_host_is_here_where_no_roles_are(self) -> None:
        """A process that only serves the API knows others by their reports alone."""
        self.assertFalse(HostLife(150).is_alive("there", THEN, THEN + timedelta(hours=1)))


class DeafTests(SynchronousTestCase):
    """The server side could hear nobody from ``THEN`` on, for ten minutes."""

    def setUp(self) -> None:
        """Note it."""
        deafness = Deafness(THEN, THEN + timedelta(minutes=10))
        self.life = HostLife(150, "", lambda: deafness)

    def alive(self, reported: int, asked: int) -> bool:
        """Return whether a host is alive that reported so many seconds after it began, when asked as long after it."""
        return self.life.is_alive("there", THEN + timedelta(seconds=reported), THEN + timedelta(seconds=asked))

    def test_who_was_alive_has_time_for_a_report(self) -> None:
        """As long as any host has, from the moment when it can be heard again."""
        self.assertEqual([self.alive(-150, asked) for asked in (600, 750, 751)], [True, True, False])

    def test_who_was_silent_before_still_is(self) -> None:
        """That nobody listened makes nobody alive."""
        self.assertFalse(self.alive(-151, 600))

    def test_who_reported_since_is_as_any_other(self) -> None:
        """Its time goes from its report."""
        self.assertEqual([self.alive(610, asked) for asked in (760, 761)], [True, False])

    def test_it_may_still_go_on(self) -> None:
        """Then it ends now."""
        self.assertEqual([self.alive(reported, 300) for reported in (-150, -151)], [True, False])


class PaceTests(SynchronousTestCase):
    """How often hosts report."""

    def test_two_reports_may_be_lost(self) -> None:
        """However short the time is; and there is one a minute at least."""
        self.assertEqual([report_seconds(seconds) for seconds in (3, 150, 600)], [1.0, 50.0, 60.0])
