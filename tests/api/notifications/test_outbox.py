"""What an outbox sends, in which order, to a broker that answers as a test wants."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import orjson
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.notifications.messages import Asker, Notification
from quantumd.api.notifications.outbox import PATIENCE_SECONDS, WINDOW, Address, Outbox
from quantumd.edge.amqp.errors import ConnectionLost
from quantumd.edge.amqp.interfaces import IBroker, Message
from quantumd.errors import EdgeUnavailable


class _Broker:
    """What of IBroker an outbox uses; confirms what it is told to."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.waiting: dict[int, Deferred[None]] = {}

    def publish(self, exchange: str, key: str, message: Message, mandatory: bool = False) -> Deferred[None]:
        """See IBroker."""
        told = orjson.loads(orjson.loads(message.body)["oslo.message"])
        number = UUID(told["message_id"]).int
        self.sent.append(number)
        self.waiting[number] = Deferred()
        return self.waiting[number]

    def confirm(self, *numbers: int) -> None:
        """It has these."""
        for number in numbers:
            self.waiting.pop(number).callback(None)

    def confirm_all(self) -> None:
        """It has everything, and what comes then."""
        while self.waiting:
            self.confirm(*self.waiting)

    def die(self) -> None:
        """The connection is gone."""
        waiting, self.waiting = self.waiting, {}
        for each in waiting.values():
            each.errback(ConnectionLost("gone"))


class OutboxTests(SynchronousTestCase):
    """Notifications by number, each of a resource of its own unless a test says otherwise."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.broker = _Broker()
        self.outbox = Outbox(cast("IBroker", self.broker), self.clock, Address(), "network.h")

    def send(self, *numbers: int, lanes: int = 1000) -> Deferred[None]:
        """Send those."""
        made = [self.notification(number, f"lane {number % lanes}") for number in numbers]
        return Deferred.fromCoroutine(self.outbox.send(made))

    def notification(self, number: int, lane: str) -> Notification:
        """Make one."""
        return Notification("network.create.end", {}, UUID(int=number), "2026-01-01T00:00:00Z", Asker("req-1"), lane)

    def test_one_that_waits_holds_those_up_that_come_long_after_it(self) -> None:
        """A listener knows a repeat among the last 16, so nothing is sent further behind what may be repeated."""
        done = self.send(*range(40))
        self.broker.confirm(*range(1, WINDOW))
        self.assertEqual(self.broker.sent, list(range(WINDOW)))
        self.broker.confirm(0)
        self.broker.confirm_all()
        self.successResultOf(done)
        self.assertEqual(self.broker.sent, list(range(40)))

    def test_what_was_sent_comes_again_first_and_in_its_order(self) -> None:
        """Whatever came before it in the list."""
        done = self.send(*range(100), lanes=20)
        self.broker.confirm(0)
        self.broker.confirm(20, 2)
        self.broker.die()
        before = self.broker.sent[:]
        self.clock.advance(1.0)
        again = [number for number in self.broker.sent[len(before) :] if number in before]
        self.assertEqual(again, [number for number in before if number not in {0, 20, 2}])
        self.assertEqual(self.broker.sent[len(before) :][: len(again)], again)
        self.broker.confirm_all()
        self.successResultOf(done)
        self.assertEqual(set(self.broker.sent), set(range(100)))

    def test_what_nobody_sends_again_holds_nothing_up(self) -> None:
        """A round that was given up is forgotten."""
        given_up = self.send(*range(WINDOW))
        for _ in range(int(PATIENCE_SECONDS) + 1):
            self.broker.die()
            self.clock.advance(1.0)
        self.failureResultOf(given_up, ConnectionLost)
        done = self.send(100, 101)
        self.broker.confirm(100, 101)
        self.successResultOf(done)

    def test_those_who_wait_do_not_send_when_one_fails(self) -> None:
        """They come in the next round."""
        self.send(*range(40))
        self.broker.waiting.pop(3).errback(EdgeUnavailable("away"))
        self.broker.confirm(*self.broker.waiting)
        self.assertEqual(len(self.broker.sent), WINDOW)
        self.clock.advance(1.0)
        self.assertEqual(self.broker.sent[WINDOW], 3)
