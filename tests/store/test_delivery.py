"""Outcomes reach the reactor in order, in slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.store.delivery import Delivery


class _Reactor(Clock):
    """A clock that also takes calls from threads."""

    def callFromThread(self, callable: Callable[..., Any], *args: object, **kwargs: object) -> None:  # noqa: A002
        """Run it at once."""
        callable(*args, **kwargs)


class DeliveryTests(SynchronousTestCase):
    """Delivery."""

    def setUp(self) -> None:
        """Make a delivery whose calls take 4 ms each."""
        self.reactor = _Reactor()
        self.delivery = Delivery(self.reactor)
        self.seen: list[int] = []

    def _slow(self, number: int) -> None:
        self.seen.append(number)
        self.reactor.rightNow += 0.004

    def test_a_turn_is_limited(self) -> None:
        """A turn runs calls until 10 ms are over, and leaves the rest to the next."""
        self.delivery.send([(self._slow, number) for number in range(5)])
        self.assertEqual(self.seen, [0, 1, 2])
        self.reactor.advance(0)
        self.assertEqual(self.seen, [0, 1, 2, 3, 4])

    def test_wakes_of_one_turn_share_a_slice(self) -> None:
        """Calls that arrive while some are left over wait behind them."""
        self.delivery.send([(self._slow, number) for number in range(5)])
        self.delivery.send([(self._slow, 5)])
        self.assertEqual(self.seen, [0, 1, 2])
        self.reactor.advance(0)
        self.assertEqual(self.seen, [0, 1, 2, 3, 4, 5])

    def test_a_call_that_raises_keeps_nobody(self) -> None:
        """After a call that raised the others are run."""

        def failing(_: object) -> None:
            raise KeyError

        self.assertRaises(KeyError, self.delivery.send, [(failing, 0), (self._slow, 1)])
        self.reactor.advance(0)
        self.assertEqual(self.seen, [1])
