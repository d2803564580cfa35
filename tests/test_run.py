"""What a run of all tests says in the end."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.run import verdict


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
