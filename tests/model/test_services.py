"""Addresses by which ports are known to services."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.services import MOST_IPV4, InnerAddress, inner_ipv4, inner_prefix, read_inner

NUMBERS = st.integers(1, 0xFF00) | st.tuples(st.integers(1, 4094), st.integers(1, 0xFF00)).map(
    lambda pair: pair[0] << 16 | pair[1]
)
"""Of ports, and of sub-ports, without the bit that these have."""
SPECIAL = [ip_network(each) for each in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")]


class InnerAddressTests(SynchronousTestCase):
    """There and back."""

    @given(NUMBERS, st.integers(0, MOST_IPV4 - 1))
    def test_ipv4(self, number: int, place: int) -> None:
        """An address says which port and which of its addresses it is, and is none of the special ones."""
        address = IPv4Address(inner_ipv4(number, place))
        self.assertEqual(read_inner(str(address)), InnerAddress(number, place))
        self.assertFalse(any(address in each for each in SPECIAL))

    @given(NUMBERS, st.integers(0, (1 << 64) - 1))
    def test_ipv6(self, number: int, low: int) -> None:
        """The address of the link is found again."""
        address = IPv6Address(inner_prefix(number) << 64 | low)
        expected = str(IPv6Address(0xFE80 << 112 | low))
        self.assertEqual(read_inner(str(address)), InnerAddress(number, link_local=expected))

    def test_what_is_nobody_s(self) -> None:
        """Addresses of services, of the router of answers, of others, and what is none."""
        for text in ("fd51::a9fe:a9fe", "169.254.0.1", "127.0.0.1", "224.0.0.1", "16.0.0.0", "fe80::1", "fd00::1", "x"):
            self.assertIsNone(read_inner(text), text)
