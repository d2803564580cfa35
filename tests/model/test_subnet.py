"""Subnets: what can be one."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.subnet import Mismatch, cidr_fault, first_mismatch, is_host_content, is_served


class SubnetTests(SynchronousTestCase):
    """The pure rules of subnets."""

    def test_whole_address_space_is_no_subnet(self) -> None:
        """A prefix of length 0 is refused."""
        self.assertIsNotNone(cidr_fault("0.0.0.0/0", False))

    def test_multicast_and_loopback_have_no_dhcp(self) -> None:
        """They are refused with DHCP and taken without."""
        for cidr in ("224.0.0.0/24", "127.0.0.0/8"):
            self.assertIsNotNone(cidr_fault(cidr, True), cidr)
            self.assertIsNone(cidr_fault(cidr, False), cidr)

    def test_other_family_is_found(self) -> None:
        """Every address of a subnet is of its IP version."""
        values = (("cidr", "10.0.0.0/24"), ("gateway_ip", "fd00::1"))
        self.assertEqual(first_mismatch(4, values), Mismatch("gateway_ip", "fd00::1"))

    def test_only_ipv4_with_dhcp_is_served(self) -> None:
        """IPv6 subnets and those without DHCP have no address of the DHCP port."""
        self.assertEqual([is_served(4, True), is_served(4, False), is_served(6, True)], [True, False, False])

    def test_pools_are_no_news_for_hosts(self) -> None:
        """Hosts are told addresses, not what more could be given."""
        self.assertFalse(is_host_content({"name", "allocation_pools", "description"}))
        self.assertTrue(is_host_content({"dns_nameservers"}))
