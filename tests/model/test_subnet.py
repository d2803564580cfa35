"""Subnets: what can be one."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.subnet import (
    DHCPV6_STATEFUL,
    DHCPV6_STATELESS,
    SLAAC,
    Mismatch,
    cidr_fault,
    dhcp_fault,
    first_mismatch,
    gives_addresses,
    ipv6_modes_fault,
    is_auto_address,
    is_host_content,
    is_served,
    is_service_type,
)


class SubnetTests(SynchronousTestCase):
    """The pure rules of subnets."""

    def test_whole_address_space_is_no_subnet(self) -> None:
        """A prefix of length 0 is refused."""
        self.assertIsNotNone(cidr_fault("0.0.0.0/0"))
        self.assertIsNone(cidr_fault("0.0.0.0/1"))

    def test_some_prefixes_have_no_dhcp(self) -> None:
        """Multicast, loopback, the one with address 0, and those without room for a server and a client."""
        for cidr in ("224.0.0.0/24", "127.0.0.0/8", "0.0.0.0/8", "10.0.0.0/31", "fd00::/127", "ff02::/64"):
            self.assertIsNotNone(dhcp_fault(cidr), cidr)
        for cidr in ("10.0.0.0/30", "fd00::/126", "::/64"):
            self.assertIsNone(dhcp_fault(cidr), cidr)

    def test_equal_modes_are_fine(self) -> None:
        """Both of one value, or one of them, or none."""
        for mode in (SLAAC, DHCPV6_STATEFUL, DHCPV6_STATELESS):
            for modes in ((mode, mode), (mode, None), (None, mode), (None, None)):
                self.assertIsNone(ipv6_modes_fault(6, "fd00::/64", True, *modes), modes)

    def test_different_modes_are_refused(self) -> None:
        """With the sentence of Neutron."""
        self.assertEqual(
            ipv6_modes_fault(6, "fd00::/64", True, SLAAC, DHCPV6_STATEFUL),
            "ipv6_ra_mode set to 'slaac' with ipv6_address_mode set to 'dhcpv6-stateful' is not valid. "
            "If both attributes are set, they must be the same value",
        )

    def test_modes_need_ipv6_and_dhcp(self) -> None:
        """With the sentences of Neutron."""
        self.assertEqual(
            ipv6_modes_fault(4, "10.0.0.0/24", True, SLAAC, None), "ipv6_ra_mode is not valid when ip_version is 4"
        )
        self.assertEqual(
            ipv6_modes_fault(4, "10.0.0.0/24", True, None, SLAAC),
            "ipv6_address_mode is not valid when ip_version is 4",
        )
        self.assertEqual(
            ipv6_modes_fault(6, "fd00::/64", False, None, DHCPV6_STATEFUL),
            "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False",
        )

    def test_computed_addresses_need_64_bits(self) -> None:
        """EUI-64 fills the other 64; addresses that are given out need no such length."""
        for mode in (SLAAC, DHCPV6_STATELESS):
            self.assertIn("/64", ipv6_modes_fault(6, "fd00::/65", True, mode, mode) or "")
        self.assertIsNone(ipv6_modes_fault(6, "fd00::/65", True, DHCPV6_STATEFUL, DHCPV6_STATEFUL))

    def test_addresses_are_computed_by_either_mode(self) -> None:
        """One of the two is enough."""
        self.assertTrue(is_auto_address(SLAAC, None))
        self.assertTrue(is_auto_address(None, DHCPV6_STATELESS))
        self.assertFalse(is_auto_address(DHCPV6_STATEFUL, None))
        self.assertFalse(is_auto_address(None, None))

    def test_service_types_are_owners(self) -> None:
        """Of networks, of services, of computes."""
        for text in ("network:router_gateway", "neutron:LOADBALANCERV2", "compute:nova", "compute:"):
            self.assertTrue(is_service_type(text), text)
        for text in ("", "network", "nova:compute", "c"):
            self.assertFalse(is_service_type(text), text)

    def test_other_family_is_found(self) -> None:
        """Every address of a subnet is of its IP version."""
        values = (("cidr", "10.0.0.0/24"), ("gateway_ip", "fd00::1"))
        self.assertEqual(first_mismatch(4, values), Mismatch("gateway_ip", "fd00::1"))

    def test_what_is_served(self) -> None:
        """Without DHCP nothing is; over IPv6 the modes say what clients ask for, and no mode is as if stateful."""
        self.assertEqual([is_served(4, True), is_served(4, False), is_served(6, False)], [True, False, False])
        for ra_mode, address_mode, served, gives in (
            (None, None, True, True),
            (None, DHCPV6_STATEFUL, True, True),
            (DHCPV6_STATEFUL, DHCPV6_STATEFUL, True, True),
            (None, DHCPV6_STATELESS, True, False),
            (DHCPV6_STATELESS, DHCPV6_STATELESS, True, False),
            (SLAAC, SLAAC, False, False),
            (None, SLAAC, False, False),
            (SLAAC, None, False, False),
            (DHCPV6_STATEFUL, None, False, False),
        ):
            modes = (ra_mode, address_mode)
            self.assertEqual((is_served(6, True, *modes), gives_addresses(*modes)), (served, gives), modes)
            self.assertFalse(is_served(6, False, *modes))

    def test_pools_are_no_news_for_hosts(self) -> None:
        """Hosts are told addresses, not what more could be given."""
        self.assertFalse(is_host_content({"name", "allocation_pools", "description"}))
        self.assertTrue(is_host_content({"dns_nameservers"}))
