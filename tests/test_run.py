"""What a run of all tests says in the end."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.run import MOST_AGAIN, may_be_run_again, verdict


class VerdictTests(SynchronousTestCase):
    """The status of the whole, by those of its processes."""

    def test_all_passed(self) -> None:
        """Only then it is 0."""
        self.assertEqual(verdict([0, 0, 0]), 0)

    def test_one_failed(self) -> None:
        """Whichever it is."""
        self.assertEqual([verdict([1, 0]), verdict([0, 2])], [1, 1])

    def test_one_was_killed(self) -> None:
        """Its status is the signal's number, negative."""
        self.assertEqual(verdict([0, -9]), 1)


class AgainTests(SynchronousTestCase):
    """Tests that failed beside others."""

    def test_a_few_are_run_again(self) -> None:
        """Not many, not none, and not when a process was killed or could not collect its tests."""
        self.assertTrue(may_be_run_again([0, 1, 0], MOST_AGAIN))
        for statuses, failed in (([0, 1], MOST_AGAIN + 1), ([0, 0], 0), ([1, -9], 1), ([1, 2], 1), ([1, 0], 0)):
            self.assertFalse(may_be_run_again(statuses, failed))
