"""The bus over a broker: the contract, and what a broker adds to what can go wrong."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from quantumd.bus.amqp import AmqpBus
from quantumd.bus.codec import encode
from quantumd.bus.errors import AskedFailed, Untrusted
from quantumd.bus.signing import Signer
from quantumd.bus.wiring import STALE_SECONDS, Wiring
from quantumd.edge.amqp.errors import ConnectionLost
from quantumd.edge.amqp.interfaces import Delivered, Message, Queue
from quantumd.edge.amqp.memory import MemoryBroker
from quantumd.edge.amqp.memory_server import MemoryServer
from quantumd.errors import EdgeTimeout, EdgeUnavailable
from quantumd.model.messages import Ack
from tests.contracts.bus import SOON, BusContract, update

KEY = b"k" * 32


class AmqpCase(TestCase):
    """Processes at one broker in memory."""

    def setUp(self) -> None:
        self.server = MemoryServer(reactor)
        self.here, self.there = self.make_bus("here"), self.make_bus("there")

    def make_bus(self, me: str, **how: Any) -> AmqpBus:
        """Return the bus of a process, started."""
        bus = AmqpBus(reactor, MemoryBroker(self.server), MemoryBroker(self.server), me, **how)
        bus.startService()
        self.addCleanup(bus.stopService)
        return bus

    def brokers(self, bus: AmqpBus) -> list[Any]:
        """Return the connections of a process: for calls, for messages."""
        return list(bus._brokers.values())

    def lose_all(self) -> None:
        """See BusContract."""
        for bus in (self.here, self.there):
            for broker in self.brokers(bus):
                broker.disconnect()
                broker.connect()


class AmqpBusTests(AmqpCase, BusContract):
    """The contract, with a broker in memory."""


class SignedBusTests(AmqpCase, BusContract):
    """The contract, with signatures."""

    def make_bus(self, me: str, **how: Any) -> AmqpBus:
        """See AmqpCase."""
        return super().make_bus(me, signer=Signer(KEY, reactor.seconds), **how)


class BrokerFaultTests(AmqpCase):
    """What a broker does to a bus."""

    async def test_a_call_ends_when_the_broker_goes(self) -> None:
        """Its answer would have come over that connection, so nobody waits for it."""
        self.there.consume("api", lambda message: Deferred())
        waiting = self.here.call("api", update(1), SOON)
        await deferLater(reactor, 0.05)
        self.brokers(self.here)[0].disconnect()
        self.failureResultOf(waiting, ConnectionLost)

    async def test_without_a_broker_nothing_is_sent(self) -> None:
        """And the sender knows at once."""
        for broker in self.brokers(self.here):
            broker.disconnect()
        self.assertFalse(self.here.is_connected)
        self.failureResultOf(self.here.publish("api", update(1)), EdgeUnavailable)
        self.failureResultOf(self.here.call("api", update(1), SOON), EdgeUnavailable)

    async def test_what_nobody_meant_to_raise_is_not_told(self) -> None:
        """Only the log of the process that failed says what it was."""

        def fail(message: object) -> Ack:
            raise ZeroDivisionError("of secret numbers")

        self.there.consume("api", fail)
        error = await self.assertFailure(self.here.call("api", update(1), SOON), AskedFailed)
        self.assertNotIn("secret", str(error))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_an_unknown_version_is_refused_with_a_sentence(self) -> None:
        """A newer process learns that this one is too old for what it asks."""
        self.there.consume("api", lambda message: Ack())
        told: list[Delivered] = []
        broker = self.brokers(self.here)[0]
        await broker.declare(Queue("quantumd.answers.test", is_durable=False))
        broker.consume("quantumd.answers.test", told.append)
        asked = Message(
            encode(update(1)).replace(b'"version":1', b'"version":99'),
            reply_to="quantumd.answers.test",
            correlation_id="7",
        )
        await broker.publish("quantumd", "ask.api", asked)
        await deferLater(reactor, 0.05)
        self.assertEqual(told[0].message.correlation_id, "7")
        self.assertIn("version 99 is unknown here", told[0].message.headers["quantumd-error"])

    async def test_answers_go_to_queues_of_answers_only(self) -> None:
        """Nobody can have this process write into a queue that is not for that."""
        self.there.consume("api", lambda message: Ack())
        broker = self.brokers(self.here)[0]
        taken: list[Delivered] = []
        await broker.declare(Queue("notifications.info"))
        broker.consume("notifications.info", taken.append)
        await broker.publish("quantumd", "ask.api", Message(encode(update(1)), reply_to="notifications.info"))
        await deferLater(reactor, 0.05)
        self.assertEqual(taken, [])

    async def test_one_of_several_consumers_gets_each_call(self) -> None:
        """API processes share the work."""
        third = self.make_bus("third")
        taken: dict[str, int] = {"there": 0, "third": 0}

        def count(name: str) -> Any:
            def receive(message: object) -> Ack:
                taken[name] += 1
                return Ack()

            return receive

        self.there.consume("api", count("there"))
        third.consume("api", count("third"))
        for number in range(20):
            await self.here.call("api", update(number), SOON)
        self.assertEqual(sorted(taken.values()), [10, 10])

    def test_queues_are_bounded(self) -> None:
        """In time and number; as quorum queues where the settings say so."""
        self.assertEqual(
            Wiring().queue("ask", "api"),
            Queue("quantumd.ask.api", arguments={"x-message-ttl": STALE_SECONDS * 1000, "x-max-length": 100_000}),
        )
        self.assertEqual(Wiring(is_quorum=True).queue("ask", "api").arguments["x-queue-type"], "quorum")


class SignatureTests(AmqpCase):
    """Who has no key is not believed."""

    def setUp(self) -> None:
        self.now = 1_000_000.0
        self.server = MemoryServer(reactor)
        self.there = self.make_bus("there", signer=self.signer())
        self.taken: list[object] = []
        self.there.consume("api", self.take)

    def signer(self, key: bytes = KEY) -> Signer:
        """Return what signs with a key, by a clock of ours."""
        return Signer(key, lambda: self.now)

    def take(self, message: object) -> Ack:
        """Receive."""
        self.taken.append(message)
        return Ack()

    async def test_without_a_key_or_with_another_nobody_is_heard(self) -> None:
        """Calls are not even refused: they end with their time."""
        for signer in (None, self.signer(b"x" * 32)):
            bus = self.make_bus("here", signer=signer)
            await self.assertFailure(bus.call("api", update(1), 0.1), EdgeTimeout)
            await bus.publish("api", update(2))
        await deferLater(reactor, 0.05)
        self.assertEqual(self.taken, [])

    async def test_a_forged_answer_is_not_believed(self) -> None:
        """Nor one that says that it failed; the true one is waited for."""
        here = self.make_bus("here", signer=self.signer())
        forger = self.brokers(self.make_bus("forger"))[0]
        held: list[Deferred[Ack]] = []

        def hold(message: object) -> Deferred[Ack]:
            held.append(Deferred())
            return held[-1]

        self.there.consume("slow", hold)
        waiting = here.call("slow", update(1), SOON)
        await deferLater(reactor, 0.05)
        (number,) = here._calls._waiting
        queue: Any = here._calls._queue
        for forged in (Message(encode(Ack())), Message(b"", headers={"quantumd-error": "no"})):
            await forger.publish("", queue.name, evolve(forged, correlation_id=number))
        await deferLater(reactor, 0.05)
        self.assertNoResult(waiting)
        held[0].callback(Ack())
        self.assertEqual(await waiting, Ack())

    async def test_what_was_signed_cannot_be_changed(self) -> None:
        """Nor sent elsewhere, nor answered elsewhere, nor much later."""
        signed = self.signer().sign("ask.api", Message(b"{}", reply_to="a", correlation_id="1"))
        signer = self.signer()
        signer.check("ask.api", signed)
        for address, changed in (
            ("tell.api", signed),
            ("ask.api", evolve(signed, body=b"{ }")),
            ("ask.api", evolve(signed, reply_to="b")),
            ("ask.api", evolve(signed, correlation_id="2")),
            ("ask.api", evolve(signed, headers={**signed.headers, "quantumd-time": "1000001.000"})),
            ("ask.api", evolve(signed, headers={**signed.headers, "quantumd-error": "no"})),
            ("ask.api", evolve(signed, headers={})),
            ("ask.api", evolve(signed, headers={**signed.headers, "quantumd-signature": 7})),
        ):
            self.assertRaises(Untrusted, signer.check, address, changed)
        self.now += 301
        self.assertRaises(Untrusted, signer.check, "ask.api", signed)
