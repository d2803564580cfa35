"""Measurements and what they cost."""

from __future__ import annotations

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from quantumd.metrics import Metrics
from quantumd.watchdog import Turns


class MetricsTests(SynchronousTestCase):
    """``/metrics``."""

    def test_every_name_is_ours_or_the_process(self) -> None:
        """A prefix keeps them apart from others' on the same server."""
        names = {family.name for family in text_string_to_metric_families(Metrics().text().decode())}
        foreign = {name for name in names if not name.startswith(("quantumd_", "process_", "python_info"))}
        self.assertEqual(foreign, set())

    def test_two_of_them_do_not_meet(self) -> None:
        """Nothing is kept in the package's global registry."""
        first, second = Metrics(), Metrics()
        first.process.stalls.inc()
        self.assertIn(b"quantumd_reactor_stalls_total 0.0", second.text())
        self.assertIsNone(REGISTRY.get_sample_value("quantumd_reactor_stalls_total"))

    def test_turns_are_read_at_each_scrape(self) -> None:
        """The watchdog's figures need no copying."""
        metrics, turns = Metrics(), Turns()
        metrics.process.watch(turns)
        turns.longest_seconds = 0.25
        self.assertIn(b"quantumd_reactor_longest_turn_seconds 0.25", metrics.text())
