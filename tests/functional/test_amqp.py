"""The broker's provider on a real RabbitMQ."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from quantumd.edge.amqp.broker import AmqpBroker, Retry
from quantumd.edge.amqp.errors import BrokerBusy
from quantumd.edge.amqp.interfaces import Message, Queue
from quantumd.edge.amqp.location import parse_location
from quantumd.edge.amqp.publisher import PublishLimits
from quantumd.edge.amqp.session import Login
from quantumd.edge.certificates import read_trust
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable
from tests.bed.rabbitmq import PASSWORD
from tests.bed.rabbitmq_case import WithRabbitmq
from tests.contracts.amqp import BrokerContract, Taker, Waiting

RETRY = Retry(0.05, 0.2)


class RabbitmqCase(WithRabbitmq, Waiting, TestCase):
    """One RabbitMQ for all tests of a class, and providers that talk to it."""

    def make_broker(self, *urls: str, limit: int = 1000, **login: Any) -> AmqpBroker:
        """Return a provider that is started, and stopped after the test."""
        login = {"heartbeat": 10, "password": lambda: PASSWORD, "connect_seconds": 10.0, **login}
        locations = [parse_location(url) for url in urls or (self.server.url,)]
        limits = PublishLimits(messages=limit, seconds=login.pop("confirm_seconds", 10.0))
        broker = AmqpBroker(reactor, locations, Login(**login), limits, RETRY)
        broker.startService()
        self.addCleanup(broker.stopService)
        return broker

    async def connected(self, broker: AmqpBroker) -> AmqpBroker:
        """Wait for the connection."""
        await self.until(lambda: broker.is_connected, "the connection")
        return broker


class RabbitmqBrokerTests(BrokerContract, RabbitmqCase):
    """The contract, over TCP."""

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        self.broker = await self.connected(self.make_broker(*self.urls(), limit=self.limit, **self.login()))

    def urls(self) -> tuple[str, ...]:
        """Where the broker is."""
        return (self.server.url,)

    def login(self) -> dict[str, Any]:
        """How to log in."""
        return {}

    def cut(self) -> None:
        """See BrokerContract. The connection comes back by itself."""
        self.broker._client.transport.abortConnection()

    async def delete_queue(self, name: str) -> Any:
        """See BrokerContract."""
        await deferToThread(self.server.control, "delete_queue", name)


class RabbitmqTlsTests(RabbitmqBrokerTests):
    """The contract, over TLS."""

    def urls(self) -> tuple[str, ...]:
        """See RabbitmqBrokerTests."""
        return (self.server.tls_url,)

    def login(self) -> dict[str, Any]:
        """See RabbitmqBrokerTests."""
        return {"trust": read_trust(str(self.server.ca_file), "amqp.ca_file")}


class ConnectionTests(RabbitmqCase):
    """Connections: whom we let in, whom we give up."""

    async def test_a_broker_with_a_certificate_of_somebody_else_is_not_talked_to(self) -> None:
        """The password goes to nobody who is not proved to be the broker."""
        broker = self.make_broker(self.server.tls_url)
        await deferLater(reactor, 1.0)
        self.assertFalse(broker.is_connected)

    async def test_a_wrong_password_is_said_once_a_try_and_never_shown(self) -> None:
        """It may be corrected in its file while the daemon runs."""
        words = ["wrong words", "wrong words", PASSWORD]
        broker = self.make_broker(password=lambda: words.pop(0) if len(words) > 1 else words[0])
        await self.connected(broker)
        self.assertEqual(words, [PASSWORD])

    async def test_the_next_broker_is_taken_when_one_is_not_there(self) -> None:
        """Of several the first that answers."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        broker = self.make_broker(f"amqp://quantumd@127.0.0.1:{port}/", self.server.url)
        await self.connected(broker)
        await broker.publish("", "nowhere", Message(b"x"))

    async def test_a_broker_that_takes_the_connection_and_says_nothing_is_left(self) -> None:
        """A time limit, then the next."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"amqp://quantumd@127.0.0.1:{silent.getsockname()[1]}/"
            broker = self.make_broker(url, self.server.url, connect_seconds=0.5)
            await self.connected(broker)

    async def test_a_broker_that_freezes_is_given_up_after_two_heartbeats(self) -> None:
        """Its connections stay open, and nothing comes over them."""
        broker = await self.connected(self.make_broker(heartbeat=1))
        sent = None
        began = reactor.seconds()
        self.server.freeze()
        try:
            sent = broker.publish("", "nowhere", Message(b"x"))
            await self.until(lambda: not broker.is_connected, "giving up")
        finally:
            self.server.thaw()
        self.assertLess(reactor.seconds() - began, 4.0)
        await self.assertFailure(sent, EdgeUnavailable)
        await self.connected(broker)

    async def test_an_idle_connection_stays(self) -> None:
        """The broker hears our heartbeats, and we its."""
        broker = await self.connected(self.make_broker(heartbeat=1))
        lost: list[None] = []
        broker.on_lost(lambda: lost.append(None))
        await deferLater(reactor, 5.0)
        self.assertEqual((broker.is_connected, lost), (True, []))

    async def test_a_call_that_is_not_answered_ends_in_time(self) -> None:
        """Whatever the broker does, nobody waits for ever."""
        broker = await self.connected(self.make_broker(heartbeat=30, call_seconds=0.5, confirm_seconds=0.5))
        self.server.freeze()
        try:
            sent = broker.publish("", "nowhere", Message(b"x"))
            await self.assertFailure(sent, EdgeTimeout)
            self.assertEqual(broker.unconfirmed, 1)
            await self.assertFailure(broker.declare(), EdgeTimeout)
        finally:
            self.server.thaw()
        await self.until(lambda: broker.unconfirmed == 0, "the confirmation that nobody waits for")

    async def test_a_broker_in_an_alarm_takes_nothing_and_callers_hear_of_it(self) -> None:
        """``connection.blocked``: nothing piles up on our side."""
        broker = await self.connected(self.make_broker())
        await deferToThread(self.server.control, "set_vm_memory_high_watermark", "absolute", "1")
        try:
            # The broker blocks who publishes.
            outcomes: list[object] = []
            for _ in range(100):
                sent: Deferred[None] = broker.publish("", "nowhere", Message(b"x"))
                sent.addBoth(outcomes.append)
                await deferLater(reactor, 0.05)
                if any(getattr(each, "type", None) is BrokerBusy for each in outcomes):
                    break
            else:
                self.fail("the broker was never said to be busy")
        finally:
            await deferToThread(self.server.control, "set_vm_memory_high_watermark", "absolute", "512MiB")
        await self.until(lambda: broker.unconfirmed == 0, "what was sent before")

        async def published() -> bool:
            try:
                await broker.publish("", "nowhere", Message(b"x"))
            except EdgeError:
                return False
            return True

        for _ in range(100):
            if await published():
                return
            await deferLater(reactor, 0.05)
        self.fail("the broker takes nothing after the alarm")


class RestartTests(RabbitmqCase):
    """The broker itself goes and comes."""

    async def test_a_broker_that_is_killed_and_started_again_is_found(self) -> None:
        """Durable queues keep what was confirmed."""
        broker = await self.connected(self.make_broker())
        name = "kept"
        await broker.declare(Queue(name))
        await broker.publish("", name, Message(b"confirmed"), mandatory=True)
        await deferToThread(self.server.stop)
        await self.until(lambda: not broker.is_connected, "the loss")
        await deferToThread(self.server.start)
        await self.connected(broker)
        taker = Taker()
        broker.consume(name, taker)
        await self.until(lambda: taker.taken, "the message")
        self.assertEqual(taker.bodies, [b"confirmed"])
