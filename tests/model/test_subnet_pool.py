"""Subnet pools: prefixes as sets of addresses."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.addresses import address_text, eui64_number
from quantumd.model.subnet_pool import (
    Bounds,
    BoundsFault,
    bounds_fault,
    bounds_of,
    choose_prefix,
    compacted,
    covers,
    is_free,
    is_overlapping,
    quota_units,
    without,
)


class PrefixTests(SynchronousTestCase):
    """Sets of prefixes."""

    def test_compacted_is_the_fewest(self) -> None:
        """Neighbours join, what is inside another goes."""
        self.assertEqual(
            compacted(4, ["10.0.1.0/24", "10.0.0.0/24", "10.0.2.0/24", "10.0.2.128/25"]),
            ["10.0.0.0/23", "10.0.2.0/24"],
        )
        self.assertEqual(compacted(6, ["8000::/1", "::/1"]), ["::/0"])

    def test_neighbours_that_are_no_prefix_stay_apart(self) -> None:
        """10.0.1.0/24 and 10.0.2.0/24 do not make a /23."""
        self.assertEqual(compacted(4, ["10.0.2.0/24", "10.0.1.0/24"]), ["10.0.1.0/24", "10.0.2.0/24"])

    def test_without_cuts_out(self) -> None:
        """What is left is the fewest prefixes."""
        self.assertEqual(without(4, ["10.0.0.0/24"], ["10.0.0.64/26"]), ["10.0.0.0/26", "10.0.0.128/25"])
        self.assertEqual(without(4, ["10.0.0.0/24"], ["10.0.0.0/16"]), [])
        self.assertEqual(without(4, ["10.0.0.0/24", "10.2.0.0/24"], ["10.1.0.0/16"]), ["10.0.0.0/24", "10.2.0.0/24"])

    def test_covers_joins_neighbours(self) -> None:
        """Two halves hold the whole."""
        self.assertTrue(covers(["10.0.0.0/25", "10.0.0.128/25"], ["10.0.0.0/24"]))
        self.assertFalse(covers(["10.0.0.0/25"], ["10.0.0.0/24"]))

    def test_overlap_is_a_shared_address(self) -> None:
        """Touching is none."""
        self.assertTrue(is_overlapping(["10.0.0.0/24"], ["10.0.0.255/32"]))
        self.assertFalse(is_overlapping(["10.0.0.0/24"], ["10.0.1.0/24"]))


class ChoiceTests(SynchronousTestCase):
    """The next prefix of a pool."""

    def test_smallest_that_fits_is_cut(self) -> None:
        """So that the large ones stay whole."""
        taken = ["10.0.0.0/26"]
        self.assertEqual(choose_prefix(4, ["10.0.0.0/24"], taken, 26), "10.0.0.64/26")
        self.assertEqual(choose_prefix(4, ["10.0.0.0/24"], taken, 25), "10.0.0.128/25")
        self.assertEqual(choose_prefix(4, ["10.0.0.0/24"], taken, 27), "10.0.0.64/27")

    def test_lowest_of_equals(self) -> None:
        """Prefixes of one size are used in order."""
        self.assertEqual(choose_prefix(4, ["10.2.0.0/24", "10.0.0.0/24"], [], 24), "10.0.0.0/24")

    def test_none_when_nothing_fits(self) -> None:
        """Free addresses are not enough: they must be one prefix."""
        self.assertIsNone(choose_prefix(4, ["10.0.0.0/24"], ["10.0.0.64/32", "10.0.0.192/32"], 25))

    def test_named_prefix_must_be_free_as_a_whole(self) -> None:
        """Inside of the pool, and of nobody."""
        self.assertTrue(is_free(["10.0.0.0/24"], ["10.0.0.0/26"], "10.0.0.64/26"))
        self.assertFalse(is_free(["10.0.0.0/24"], ["10.0.0.0/26"], "10.0.0.0/25"))
        self.assertFalse(is_free(["10.0.0.0/24"], [], "10.0.0.0/23"))

    def test_units_of_quotas(self) -> None:
        """IPv4 counts addresses, IPv6 /64s."""
        self.assertEqual(quota_units(4, 24), 256)
        self.assertEqual(quota_units(6, 62), 4)
        self.assertEqual(quota_units(6, 65), 0.5)


class BoundsTests(SynchronousTestCase):
    """Lengths of the prefixes that a pool gives."""

    def test_defaults_follow_from_the_version(self) -> None:
        """As today."""
        self.assertEqual(bounds_of(4, None, None, None), Bounds(8, 32, 8))
        self.assertEqual(bounds_of(6, None, None, None), Bounds(64, 128, 64))
        self.assertEqual(bounds_of(4, 24, None, None), Bounds(24, 32, 24))

    def test_faults(self) -> None:
        """The smallest is not above the largest, the default is between, and no prefix is longer than an address."""
        for bounds, fault in (
            (Bounds(24, 20, 24), BoundsFault("min_prefixlen", 24, "max_prefixlen", 20)),
            (Bounds(8, 33, 8), BoundsFault("max_prefixlen", 33, "ip_version_max", 32)),
            (Bounds(16, 24, 8), BoundsFault("default_prefixlen", 8, "min_prefixlen", 16)),
            (Bounds(16, 24, 28), BoundsFault("default_prefixlen", 28, "max_prefixlen", 24)),
        ):
            self.assertEqual(bounds_fault(4, bounds), fault)
        self.assertIsNone(bounds_fault(4, Bounds(0, 32, 16)))


class ComputedAddressTests(SynchronousTestCase):
    """Addresses that ports compute."""

    def test_eui64(self) -> None:
        """The seventh bit is turned, ff:fe is in the middle."""
        number = eui64_number("fd00:9::/64", "fa:16:3e:11:22:33")
        self.assertEqual(address_text(6, number), "fd00:9::f816:3eff:fe11:2233")
