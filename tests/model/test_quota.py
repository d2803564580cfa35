"""How many of a resource a project may have."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.model.quota import UNLIMITED, default_limits, is_over, limits_of, too_low


class QuotaTests(SynchronousTestCase):
    """The rules."""

    def test_the_limit_itself_is_allowed(self) -> None:
        """A project may have as many as its limit says, and not one more."""
        self.assertEqual([is_over(10, 9, 1), is_over(10, 9, 2)], [False, True])

    def test_zero_allows_none(self) -> None:
        """A limit of 0 forbids the resource."""
        self.assertTrue(is_over(0, 0, 1))

    def test_no_limit_is_never_passed(self) -> None:
        """A limit of -1 is none."""
        self.assertFalse(is_over(UNLIMITED, 1_000_000, 1_000_000))

    def test_settings_win_over_families(self) -> None:
        """What the operator set is the default, else what the family says, else there is none."""
        limits = default_limits(("port", "trunk", "network"), {"trunk": 7, "port": 7}, {"port": 500})
        self.assertEqual(limits, {"network": -1, "port": 500, "trunk": 7})

    def test_own_limits_win_over_defaults(self) -> None:
        """A project's own limit counts; one of a resource that is not served is not shown."""
        self.assertEqual(limits_of({"port": 500, "network": 100}, {"port": 3, "gone": 1}), {"port": 3, "network": 100})

    def test_a_limit_below_use_is_found(self) -> None:
        """The first limit that is below what the project has is named; -1 is below nothing."""
        self.assertEqual(too_low({"network": -1, "port": 4}, {"network": 9, "port": 5}), "port")
        self.assertIsNone(too_low({"port": 5}, {"port": 5}))
