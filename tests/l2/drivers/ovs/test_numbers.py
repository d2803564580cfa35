"""Network numbers are stable, and reused late."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.l2.drivers.ovs.numbers import FIRST, LAST, REUSE_SECONDS, NetworkNumbers, NoNetworkNumber


class NetworkNumbersTests(SynchronousTestCase):
    """Giving, remembering and reusing."""

    def test_number_is_given_once(self) -> None:
        """Asking again gives the same number."""
        numbers = NetworkNumbers()
        self.assertEqual(numbers.number_of("a", 0.0), numbers.number_of("a", 1.0))
        self.assertNotEqual(numbers.number_of("a", 0.0), numbers.number_of("b", 0.0))

    def test_number_survives_a_restart(self) -> None:
        """A new process reads from the bridge which number a network has."""
        old = NetworkNumbers()
        old.number_of("a", 0.0)
        number = old.number_of("b", 0.0)
        new = NetworkNumbers()
        new.restore(old.unsaved("b") | {"stranger": "7"})
        self.assertEqual(new.number_of("b", 0.0), number)
        self.assertNotEqual(new.number_of("c", 0.0), number)

    def test_nonsense_on_the_bridge_is_ignored(self) -> None:
        """A number that cannot be, or that is no number, is not taken."""
        numbers = NetworkNumbers()
        numbers.restore({"quantumd-network-a": "0", "quantumd-network-b": "x", "quantumd-network-c": str(LAST + 1)})
        self.assertEqual(numbers.known(), frozenset())

    def test_two_networks_never_share_a_number(self) -> None:
        """Two networks that claim the same number do not both get it."""
        numbers = NetworkNumbers()
        numbers.restore({"quantumd-network-a": "5", "quantumd-network-b": "5"})
        self.assertNotEqual(numbers.number_of("a", 0.0), numbers.number_of("b", 0.0))

    def test_freed_number_rests(self) -> None:
        """A number is not given again before its time of rest is over."""
        numbers = NetworkNumbers()
        for n in range(LAST - FIRST + 1):
            numbers.number_of(str(n), 0.0)
        freed = numbers.unsaved("17")
        numbers.saved(freed, frozenset(), 0.0)
        numbers.saved({}, numbers.leftover("17"), 10.0)
        self.assertRaises(NoNetworkNumber, numbers.number_of, "new", 10.0 + REUSE_SECONDS - 1)
        self.assertEqual(str(numbers.number_of("new", 10.0 + REUSE_SECONDS)), freed["quantumd-network-17"])
