"""Which host a router is given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.router import choose_host

NAMES = st.sampled_from("abcd")


class ChoiceTests(SynchronousTestCase):
    """The choice among those that may carry one."""

    def test_the_one_with_the_fewest(self) -> None:
        """One that carries none is not named among those that carry."""
        self.assertEqual(choose_host(("a", "b", "c"), {"a": 2, "b": 1}), "c")
        self.assertEqual(choose_host(("a", "b"), {"a": 2, "b": 1, "z": 0}), "b")

    def test_the_first_by_name(self) -> None:
        """In whatever order they come."""
        self.assertEqual(choose_host(("b", "a"), {"a": 1, "b": 1}), "a")

    def test_none(self) -> None:
        """Then no host carries it."""
        self.assertEqual(choose_host((), {"a": 1}), "")

    @given(st.sets(NAMES, min_size=1), st.integers(0, 40))
    def test_they_fill_evenly(self, hosts: set[str], number: int) -> None:
        """No host has two more than another."""
        carried = dict.fromkeys(hosts, 0)
        for _ in range(number):
            carried[choose_host(hosts, carried)] += 1
        self.assertLessEqual(max(carried.values()) - min(carried.values()), 1)
