"""The bus between processes on a real RabbitMQ."""

from __future__ import annotations

import time
from typing import Any, cast
from uuid import uuid4

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from quantumd.bus.amqp import AmqpBus
from quantumd.bus.signing import Signer
from quantumd.bus.wiring import Wiring
from quantumd.edge.amqp.broker import AmqpBroker
from quantumd.edge.amqp.location import parse_location
from quantumd.edge.amqp.publisher import PublishLimits
from quantumd.edge.amqp.session import Login
from quantumd.errors import EdgeUnavailable
from quantumd.model.messages import Ack, Message
from tests.bed.rabbitmq import PASSWORD
from tests.contracts.bus import SOON, BusContract, update
from tests.functional.test_amqp import RETRY, RabbitmqCase


class BusCase(RabbitmqCase):
    """Two processes at one broker."""

    here: AmqpBus
    there: AmqpBus

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        self.wiring = Wiring(exchange=f"bus-{uuid4()}")
        self.here, self.there = self.make_bus("here"), self.make_bus("there")
        await self.until(lambda: self.here.is_connected and self.there.is_connected, "both")

    def make_bus(self, me: str, **how: Any) -> AmqpBus:
        """Return the bus of a process, started."""
        bus = AmqpBus(reactor, self.one_broker(), self.one_broker(), me, self.wiring, **how)
        bus.startService()
        self.addCleanup(bus.stopService)
        return bus

    def one_broker(self) -> AmqpBroker:
        """Return a connection; the bus starts and stops it."""
        login = Login(heartbeat=10, password=lambda: PASSWORD, connect_seconds=10.0)
        return AmqpBroker(reactor, [parse_location(self.server.url)], login, PublishLimits(), RETRY)

    async def until_answered(self, bus: AmqpBus, address: str) -> None:
        """Call until there is an answer."""
        for _ in range(500):
            try:
                await bus.call(address, update(1), SOON)
                return
            except EdgeUnavailable:
                await deferLater(reactor, 0.05)
        self.fail(f"nobody at {address}")

    def lose_all(self) -> None:
        """See BusContract. The connections come back by themselves."""
        for bus in (self.here, self.there):
            for broker in bus._brokers.values():
                cast("Any", broker)._client.transport.abortConnection()


class RabbitmqBusTests(BusCase, BusContract):
    """The contract, on the real thing."""


class SignedRabbitmqBusTests(RabbitmqBusTests):
    """The contract, with signatures."""

    def make_bus(self, me: str, **how: Any) -> AmqpBus:
        """See BusCase."""
        return super().make_bus(me, signer=Signer(b"k" * 32, time.time), **how)


class QuorumBusTests(BusCase):
    """Queues that are kept on several brokers."""

    async def test_quorum_queues_carry_calls_and_messages(self) -> None:
        """The setting is one of the broker's queue types."""
        self.wiring = Wiring(exchange=f"bus-{uuid4()}", is_quorum=True)
        here, there = self.make_bus("quorum-here"), self.make_bus("quorum-there")
        taken: list[Message] = []

        def take(message: Message) -> Message:
            taken.append(message)
            return Ack()

        there.consume("api", take)
        await self.until(lambda: here.is_connected and there.is_connected, "both")
        await self.until_answered(here, "api")
        await here.publish("api", update(7))
        await self.until(lambda: update(7) in taken, "the message")
        kinds = await deferToThread(self.server.control, "list_queues", "name", "type", "--no-table-headers")

        self.assertIn(f"{self.wiring.exchange}.ask.api\tquorum", kinds)


class BrokerLossTests(BusCase):
    """What becomes of a bus whose broker goes."""

    @pytest.mark.time_limit(180)
    async def test_a_bus_goes_on_with_a_broker_that_was_killed_and_came_back(self) -> None:
        """Queues of addresses and of answers are there again, and what is asked is answered."""
        self.there.consume("api", lambda message: Ack())
        lost: list[bool] = []
        self.here.on_lost(lambda: lost.append(True))
        await deferToThread(self.server.kill)
        await self.until(lambda: lost and not self.here.is_connected, "the loss")
        await self.assertFailure(self.here.call("api", update(1), SOON), EdgeUnavailable)
        await self.assertFailure(self.here.publish("api", update(1)), EdgeUnavailable)
        await deferToThread(self.server.start)
        await self.until(lambda: self.here.is_connected and self.there.is_connected, "both again", 60)
        await self.until_answered(self.here, "api")

    async def test_a_deleted_queue_is_made_again(self) -> None:
        """Its consumer hears that messages may have been lost."""
        self.there.consume("api", lambda message: Ack())
        await self.until_answered(self.here, "api")
        lost: list[bool] = []
        self.there.on_lost(lambda: lost.append(True))
        for kind in ("ask", "tell"):
            await deferToThread(self.server.control, "delete_queue", f"{self.wiring.exchange}.{kind}.api")
        await self.until(lambda: len(lost) == 2, "the loss of both")
        await self.until_answered(self.here, "api")
