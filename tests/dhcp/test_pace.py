"""How much one port may ask."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.dhcp.pace import Paces


class PaceTests(SynchronousTestCase):
    """Token buckets by port."""

    def count(self, paces: Paces, port_id: str, now: float, tries: int) -> int:
        """Return how many of so many tries at one moment get an answer."""
        return sum(paces.of(port_id, now).may_answer(now, paces.rate_pps) for _ in range(tries))

    def test_a_flood_gets_one_seconds_worth(self) -> None:
        """And one a rate's part of a second later."""
        paces = Paces(20.0)
        self.assertEqual(self.count(paces, "p", 5.0, 100), 20)
        self.assertEqual(self.count(paces, "p", 5.25, 100), 5)

    def test_ports_do_not_share(self) -> None:
        """A flood of one costs another nothing."""
        paces = Paces(20.0)
        self.count(paces, "p", 5.0, 100)
        self.assertEqual(self.count(paces, "q", 5.0, 3), 3)

    def test_a_clock_that_goes_back_gives_nothing(self) -> None:
        """Nor does it take."""
        paces = Paces(2.0)
        self.count(paces, "p", 5.0, 2)
        self.assertEqual(self.count(paces, "p", 1.0, 5), 0)

    def test_silent_ports_are_forgotten(self) -> None:
        """Memory follows the ports that speak, not those that ever did."""
        paces = Paces(20.0)
        for number in range(1000):
            paces.of(f"p{number}", 100.0)
        for moment in (170.0, 240.0):
            paces.of("q", moment)
        self.assertLess(len(paces), 3)

    def test_a_flood_does_not_end_by_being_remembered_elsewhere(self) -> None:
        """A port that goes on is not given a new bucket."""
        paces = Paces(1.0)
        moments = [100.0 + step / 10 for step in range(2000)]
        answered = sum(self.count(paces, "p", moment, 1) for moment in moments)
        self.assertLess(answered, 205)

    def test_lines_are_few(self) -> None:
        """Ten at once, then one in five seconds; what is not told is counted."""
        paces = Paces(1000.0)
        pace = paces.of("p", 1.0)
        pace.may_answer(1.0, 1000.0)
        self.assertEqual(sum(pace.may_log() for _ in range(50)), 10)
        self.assertEqual(pace.untold, 40)
        pace.may_answer(6.5, 1000.0)
        self.assertEqual(sum(pace.may_log() for _ in range(50)), 1)
