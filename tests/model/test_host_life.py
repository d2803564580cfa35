"""How long hosts are alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.host_life import HostLife

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
