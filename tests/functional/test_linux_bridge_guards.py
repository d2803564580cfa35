"""Security groups and port security on Linux bridges: the same tables and attacks as on Open vSwitch. Needs root."""

from __future__ import annotations

from tests.bed.bridges import BridgedCase
from tests.functional import test_port_security as port_security
from tests.functional import test_security_groups as groups


class TableTests(BridgedCase, groups.TableTests):
    """Every row of the table that all drivers keep."""


class ReachTests(BridgedCase, groups.ReachTests):
    """Who reaches whom."""

    def test_members_reach_each_other_and_strangers_do_not(self) -> None:
        """A port of another group on the same network gets no answer, though it may send."""
        network = self.make_network("10.0.0.0/24")
        first, second = self.plugged(network), self.plugged(network)
        stranger = self.members(network, self.group())
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))
        self.assertFalse(stranger.can_reach(first.ip, tries=2))


class RevocationTests(BridgedCase, groups.RevocationTests):
    """What ends when a rule goes."""


class SpoofingTests(BridgedCase, port_security.SpoofingTests):
    """What a port says it is."""
