"""Status of ports, routers and floating IPs: every way from DOWN to ACTIVE and back."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.status import (
    ACTIVE,
    DHCP,
    DOWN,
    L2,
    L3,
    Realisation,
    Wanted,
    next_floating_status,
    next_status,
    roles_of,
)

WANTED = Wanted(is_enabled=True, host_id="h1", version=5, roles=(L2, DHCP))
L2_DONE = Realisation(L2, "h1", 5, True, None)
DHCP_DONE = Realisation(DHCP, "h1", 5, True, None)

REALISATIONS = st.builds(
    Realisation,
    role=st.sampled_from((L2, DHCP)),
    host=st.sampled_from(("h1", "h2")),
    version=st.integers(0, 9),
    plugged=st.booleans(),
    fault=st.sampled_from((None, "broken")),
)


class ActiveTests(SynchronousTestCase):
    """Becoming ACTIVE."""

    def test_active_when_every_role_is_done(self) -> None:
        """Flows and DHCP are both in place."""
        self.assertEqual(next_status(DOWN, WANTED, (L2_DONE, DHCP_DONE)), ACTIVE)

    def test_down_while_one_role_is_missing(self) -> None:
        """Flows alone are not enough for a port that is to get a lease."""
        self.assertEqual(next_status(DOWN, WANTED, (L2_DONE,)), DOWN)

    def test_l2_alone_for_a_port_without_dhcp(self) -> None:
        """Nothing waits for a role that has nothing to do."""
        self.assertEqual(next_status(DOWN, evolve(WANTED, roles=(L2,)), (L2_DONE,)), ACTIVE)

    def test_older_record_is_not_enough(self) -> None:
        """A record from before the last change does not make a port ACTIVE."""
        self.assertEqual(next_status(DOWN, WANTED, (evolve(L2_DONE, version=4), DHCP_DONE)), DOWN)

    def test_newer_record_is_enough(self) -> None:
        """A host may know more than the one who asks."""
        self.assertEqual(next_status(DOWN, WANTED, (evolve(L2_DONE, version=6), DHCP_DONE)), ACTIVE)

    def test_another_host_does_not_count(self) -> None:
        """What the host says that the port left is no news."""
        gone = Wanted(is_enabled=True, host_id="h2", version=5, roles=(L2,))
        self.assertEqual(next_status(DOWN, gone, (L2_DONE,)), DOWN)


class LeavingTests(SynchronousTestCase):
    """Leaving ACTIVE, and staying."""

    def test_lag_does_not_flap(self) -> None:
        """A port that was realised once stays ACTIVE while a change of it is on its way."""
        self.assertEqual(next_status(ACTIVE, evolve(WANTED, version=9), (L2_DONE, DHCP_DONE)), ACTIVE)

    def test_a_restarted_role_does_not_flap(self) -> None:
        """A host that realised nothing yet in this run, but sees the device, changes nothing."""
        self.assertEqual(next_status(ACTIVE, WANTED, (evolve(L2_DONE, version=0),)), ACTIVE)

    def test_silence_does_not_flap(self) -> None:
        """Nothing observed, nothing changed."""
        self.assertEqual(next_status(ACTIVE, WANTED, ()), ACTIVE)

    def test_unplugged_is_down(self) -> None:
        """The device is gone."""
        self.assertEqual(next_status(ACTIVE, WANTED, (evolve(L2_DONE, plugged=False), DHCP_DONE)), DOWN)

    def test_disabled_is_down(self) -> None:
        """admin_state_up of the port or its network is false."""
        self.assertEqual(next_status(ACTIVE, evolve(WANTED, is_enabled=False), (L2_DONE, DHCP_DONE)), DOWN)

    def test_unbound_is_down(self) -> None:
        """A port on no host carries nothing."""
        self.assertEqual(next_status(ACTIVE, evolve(WANTED, host_id=""), (L2_DONE, DHCP_DONE)), DOWN)

    def test_fault_is_down(self) -> None:
        """A role that says it is broken is believed."""
        self.assertEqual(next_status(ACTIVE, WANTED, (L2_DONE, evolve(DHCP_DONE, fault="no"))), DOWN)

    @settings(deadline=None)
    @given(st.sampled_from((ACTIVE, DOWN)), st.lists(REALISATIONS, max_size=2, unique_by=lambda item: item.role))
    def test_deciding_again_changes_nothing(self, current: str, seen: list[Realisation]) -> None:
        """The same observation repeated leads to the same status."""
        once = next_status(current, WANTED, seen)
        self.assertEqual(next_status(once, WANTED, seen), once)


class RoleTests(SynchronousTestCase):
    """Who must realise a port."""

    def test_dhcp_only_for_served_subnets(self) -> None:
        """A port without an address on a subnet with DHCP waits for l2 only."""
        self.assertEqual(roles_of(True), (L2, DHCP))
        self.assertEqual(roles_of(False), (L2,))


class RouterTests(SynchronousTestCase):
    """Routers, which one role realises."""

    def test_that_role_alone_decides(self) -> None:
        """Realised is ACTIVE, no longer there is DOWN; what other roles say does not matter."""
        wanted, done = evolve(WANTED, roles=(L3,)), Realisation(L3, "h1", 5, True, None)
        self.assertEqual(next_status(DOWN, wanted, (done, evolve(L2_DONE, plugged=False))), ACTIVE)
        self.assertEqual(next_status(DOWN, wanted, (L2_DONE,)), DOWN)
        self.assertEqual(next_status(DOWN, wanted, (evolve(done, version=4),)), DOWN)
        self.assertEqual(next_status(ACTIVE, wanted, (evolve(done, plugged=False, version=0),)), DOWN)


class FloatingTests(SynchronousTestCase):
    """Floating IPs that lead somewhere."""

    def test_active_when_what_is_realised_is_not_older(self) -> None:
        """An older report changes nothing, whichever it is now."""
        self.assertEqual(next_floating_status(DOWN, ACTIVE, 5, 5), ACTIVE)
        for current in (DOWN, ACTIVE):
            self.assertEqual(next_floating_status(current, ACTIVE, 5, 4), current)

    def test_down_with_the_router(self) -> None:
        """Whatever is realised."""
        self.assertEqual(next_floating_status(ACTIVE, DOWN, 5, 9), DOWN)
