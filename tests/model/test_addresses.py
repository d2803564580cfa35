"""Addresses of subnets, case by case; what holds for all of them is in tests/laws/test_addresses.py."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.addresses import (
    Pool,
    automatic_gateway,
    automatic_pools,
    is_gateway_valid,
    is_port_address,
    overlapping_pools,
    pool_out_of_bounds,
)


def shown(cidr: str, gateway: str | None) -> list[str]:
    """Return the automatic pools as text."""
    return [str(pool) for pool in automatic_pools(cidr, gateway)]


class GatewayTests(SynchronousTestCase):
    """The gateway of a subnet whose creator names none."""

    def test_ipv4_gateway_is_the_first_host(self) -> None:
        """10.9.0.0/24 gets 10.9.0.1."""
        self.assertEqual(automatic_gateway("10.9.0.0/24"), "10.9.0.1")

    def test_ipv6_gateway_is_the_subnet_router_anycast_address(self) -> None:
        """fd00:9::/64 gets fd00:9::."""
        self.assertEqual(automatic_gateway("fd00:9::/64"), "fd00:9::")

    def test_no_gateway_after_the_last_address(self) -> None:
        """The last single address of IPv4 has no next one."""
        self.assertIsNone(automatic_gateway("255.255.255.255/32"))

    def test_network_and_broadcast_are_no_gateways(self) -> None:
        """Addresses that no host can have are refused."""
        self.assertFalse(is_gateway_valid("10.9.0.0/24", "10.9.0.0"))
        self.assertFalse(is_gateway_valid("10.9.0.0/24", "10.9.0.255"))

    def test_gateway_outside_the_subnet_is_valid(self) -> None:
        """Routers on the link with other addresses exist, fe80::1 for one."""
        self.assertTrue(is_gateway_valid("fd00::/64", "fe80::1"))

    def test_both_addresses_of_a_31_are_valid(self) -> None:
        """A /31 has no network and no broadcast address (RFC 3021)."""
        self.assertTrue(is_gateway_valid("10.9.0.0/31", "10.9.0.0"))


class PoolTests(SynchronousTestCase):
    """Automatic pools."""

    def test_pool_follows_the_gateway(self) -> None:
        """A gateway at the beginning leaves one pool."""
        self.assertEqual(shown("10.9.0.0/24", "10.9.0.1"), ["10.9.0.2-10.9.0.254"])

    def test_gateway_in_the_middle_makes_two_pools(self) -> None:
        """Both sides of the gateway are given to ports."""
        self.assertEqual(shown("10.9.0.0/29", "10.9.0.3"), ["10.9.0.1-10.9.0.2", "10.9.0.4-10.9.0.6"])

    def test_no_gateway_gives_everything(self) -> None:
        """Without a gateway all hosts are in the pool."""
        self.assertEqual(shown("10.9.0.0/29", None), ["10.9.0.1-10.9.0.6"])

    def test_ipv6_pool_begins_after_the_anycast_address(self) -> None:
        """fd00:9::/64 has the pool that Neutron shows."""
        self.assertEqual(shown("fd00:9::/64", "fd00:9::"), ["fd00:9::1-fd00:9::ffff:ffff:ffff:ffff"])

    def test_short_prefixes(self) -> None:
        """/31, /32, /127 and /128 as Neutron has them."""
        self.assertEqual(shown("10.9.0.0/31", "10.9.0.1"), ["10.9.0.0-10.9.0.0"])
        self.assertEqual(shown("10.9.0.0/32", "10.9.0.1"), ["10.9.0.0-10.9.0.0"])
        self.assertEqual(shown("fd00::/127", "fd00::"), ["fd00::1-fd00::1"])
        self.assertEqual(shown("fd00::7/128", "fd00::7"), ["fd00::7-fd00::7"])

    def test_gateway_that_is_all_there_is_leaves_no_pool(self) -> None:
        """The one host of a /127 is not given away when it is the gateway."""
        self.assertEqual(shown("fd00::/127", "fd00::1"), [])

    def test_broadcast_is_out_of_bounds(self) -> None:
        """A pool up to the broadcast address is refused."""
        pool = Pool(4, 0x0A090001, 0x0A0900FF)
        self.assertEqual(pool_out_of_bounds("10.9.0.0/24", [pool]), pool)

    def test_touching_pools_do_not_overlap(self) -> None:
        """Pools may follow each other without a gap, and not share an address."""
        self.assertIsNone(overlapping_pools([Pool(4, 5, 9), Pool(4, 1, 4)]))
        self.assertIsNotNone(overlapping_pools([Pool(4, 4, 9), Pool(4, 1, 4)]))


class PortAddressTests(SynchronousTestCase):
    """Addresses that ports may name."""

    def test_network_and_broadcast_are_refused(self) -> None:
        """IPv4 network and broadcast addresses are no port's."""
        self.assertFalse(is_port_address("10.9.0.0/24", "10.9.0.0"))
        self.assertFalse(is_port_address("10.9.0.0/24", "10.9.0.255"))

    def test_foreign_address_is_refused(self) -> None:
        """An address of no subnet is no port's, nor one of the other family."""
        self.assertFalse(is_port_address("10.9.0.0/24", "192.0.2.9"))
        self.assertFalse(is_port_address("10.9.0.0/24", "fd00::1"))

    def test_outside_the_pools_is_fine(self) -> None:
        """The gateway's address can be named."""
        self.assertTrue(is_port_address("10.9.0.0/24", "10.9.0.1"))
