"""How much bandwidth a host can guarantee."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.bandwidth import Bandwidth, Shortage, beyond, on_network, parse_bandwidth, shortage
from quantumd.model.qos import DIRECTIONS

AMOUNTS = st.dictionaries(st.sampled_from(DIRECTIONS), st.integers(0, 100))


class BandwidthTests(SynchronousTestCase):
    """What is enough, and what is not."""

    def test_a_host_is_asked_for_the_physical_network(self) -> None:
        """Where it does not say it has nothing."""
        said = (Bandwidth("a", 1, 2), Bandwidth("b", 3, 4))
        self.assertEqual(on_network(said, "b"), {"egress": 3, "ingress": 4})
        self.assertEqual((on_network(said, "c"), on_network(said, None)), ({}, {}))

    def test_settings(self) -> None:
        """Names may have colons in them."""
        self.assertEqual(parse_bandwidth("a:b:10:0"), Bandwidth("a:b", 10, 0))
        for wrong in ("a", "a:1", ":1:1", "a:1:-1", "a:x:1"):
            self.assertRaises(ValueError, parse_bandwidth, wrong)

    def test_a_direction_that_is_too_much_already_keeps_nobody_of_the_other_out(self) -> None:
        """They are counted apart."""
        capacity = {"egress": 10, "ingress": 10}
        self.assertIsNone(shortage(capacity, {"egress": 20, "ingress": 5}, {"ingress": 5}))
        self.assertEqual(shortage(capacity, {"ingress": 6}, {"ingress": 5}), Shortage("ingress", 11, 10))

    @given(AMOUNTS, AMOUNTS, AMOUNTS)
    def test_what_is_let_in_fits(self, capacity: dict[str, int], taken: dict[str, int], more: dict[str, int]) -> None:
        """And what is kept out would not."""
        fits = all(taken.get(each, 0) + more[each] <= capacity.get(each, 0) for each in more)
        self.assertEqual(shortage(capacity, taken, more) is None, fits)

    @given(AMOUNTS, AMOUNTS)
    def test_only_what_grows_is_asked_for(self, wanted: dict[str, int], had: dict[str, int]) -> None:
        """As a whole."""
        grown = beyond(wanted, had)
        self.assertEqual(grown, {each: wanted[each] for each in wanted if wanted[each] > had.get(each, 0)})
