"""MAC addresses."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.macs import generate_mac, is_port_mac


class MacTests(SynchronousTestCase):
    """Made and given MAC addresses."""

    @settings(deadline=None)
    @given(st.integers(0, 2**64))
    def test_generated_mac_keeps_the_base_and_is_valid(self, randomness: int) -> None:
        """Whatever the random number, the first three octets are those of the base."""
        mac = generate_mac("FA:16:3E:00:00:00", randomness)
        self.assertRegex(mac, r"^fa:16:3e(:[0-9a-f]{2}){3}$")
        self.assertTrue(is_port_mac(mac))

    def test_different_numbers_make_different_macs(self) -> None:
        """All 24 bits count."""
        made = {generate_mac("fa:16:3e:00:00:00", 1 << bit) for bit in range(24)}
        self.assertEqual(len(made), 24)

    def test_group_and_zero_addresses_are_no_ports(self) -> None:
        """Multicast, broadcast and all zero are refused."""
        for mac in ("01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"):
            self.assertFalse(is_port_mac(mac), mac)
