"""Security groups by real packets: who reaches whom, and what ends when a rule goes. Needs root."""

from __future__ import annotations

from tests.bed.host import HostCase


class DefaultGroupTests(HostCase):
    """Ports that name no groups have the default group of their project."""

    def test_members_reach_each_other_and_strangers_do_not(self) -> None:
        """A port of another group on the same network gets no answer, though it may send."""
        network = self.make_network("10.0.0.0/24")
        other = self.appliance.create("security_group", name="other")
        first, second = self.plugged(network), self.plugged(network)
        stranger = self.plugged(network, security_groups=[other["id"]])
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))
        self.assertFalse(stranger.can_reach(first.ip, tries=2))
        self.assertTrue(stranger.can_reach("10.0.0.2"))
