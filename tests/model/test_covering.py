"""Prefixes of which none holds another."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.covering import uncovered

NETWORKS = st.one_of(
    st.tuples(st.integers(0, 255), st.integers(24, 32)).map(
        lambda each: ip_network(f"10.0.0.{each[0]}/{each[1]}", strict=False)
    ),
    st.tuples(st.integers(0, 255), st.integers(120, 128)).map(
        lambda each: ip_network(f"fd00::{each[0]:x}/{each[1]}", strict=False)
    ),
)


class CoveringTests(SynchronousTestCase):
    """What a set of intervals is given."""

    @given(st.lists(NETWORKS, max_size=12))
    @settings(deadline=None)
    def test_it_holds_the_same_addresses_and_nothing_twice(self, networks: list[object]) -> None:
        """Of both IP versions."""
        some = [ip_network(str(each)) for each in networks]
        found = uncovered(some)
        addresses = [ip_address(f"10.0.0.{n}") for n in range(256)] + [ip_address(f"fd00::{n:x}") for n in range(256)]
        for address in addresses:
            holders = [each for each in found if address in each]
            self.assertEqual(len(holders), int(any(address in each for each in some)))

    def test_neighbours_are_not_made_one(self) -> None:
        """A member that comes or goes is one element."""
        some = [ip_network(f"10.0.0.{n}/32") for n in (4, 5)]
        self.assertEqual(uncovered(some), tuple(some))
