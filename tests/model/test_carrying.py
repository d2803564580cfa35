"""By which of its segments a host carries a network."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.carrying import NOWHERE, Reach, carried_segment, segment_on
from quantumd.model.network import Segment

FLAT, VLAN, VXLAN, GRE = (
    Segment("flat", "physnet1"),
    Segment("vlan", "physnet2", 5),
    Segment("vxlan", None, 5),
    Segment("gre", None, 5),
)


class CarryingTests(SynchronousTestCase):
    """The first that it can."""

    def test_the_first_that_the_host_reaches(self) -> None:
        """Whatever its kind."""
        host = Reach(frozenset({"vxlan"}), frozenset({"physnet2"}))
        self.assertEqual(carried_segment((FLAT, VLAN, VXLAN), host), VLAN)
        self.assertEqual(carried_segment((FLAT, VXLAN, VLAN), host), VXLAN)
        self.assertEqual(carried_segment((Segment("local"), VLAN), host), Segment("local"))

    def test_none_that_it_reaches(self) -> None:
        """It is told of the first, and says what it lacks."""
        host = Reach(frozenset({"geneve"}), frozenset())
        self.assertIsNone(carried_segment((GRE, FLAT), host))
        self.assertEqual(segment_on((GRE, FLAT), host), GRE)

    def test_a_host_that_does_not_say_which_physical_networks_it_has(self) -> None:
        """An older one may have all of them; tunnels it has none."""
        self.assertEqual(carried_segment((GRE, FLAT), NOWHERE), FLAT)
