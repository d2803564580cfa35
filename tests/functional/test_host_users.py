"""A user of the broker for each host: the commands of docs/broker.md, and what a host's user cannot do."""

from __future__ import annotations

import contextlib
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from quantumd.bus.amqp import AmqpBus
from quantumd.bus.codec import encode
from quantumd.bus.made import make_amqp_bus
from quantumd.config import AmqpSettings, BusSettings
from quantumd.edge.amqp.broker import AmqpBroker
from quantumd.edge.amqp.errors import BrokerRefused, NoRoute
from quantumd.edge.amqp.interfaces import Binding, Declaration, Exchange, Queue
from quantumd.edge.amqp.interfaces import Message as Sent
from quantumd.edge.amqp.made import make_broker
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable
from quantumd.model.messages import Ack, CompareReply, CompareRequest, Message, PortReport, Report, Update
from tests.bed.needs import CHECKOUT
from tests.functional.test_amqp import RabbitmqCase

API, HOST_A, HOST_B = "quantumd-api", "quantumd-host-a", "quantumd-host-b"
PASSWORDS = {"api": "the password of the API", "host-a": "that of host-a", "host-b": "that of host-b"}


def commands() -> list[str]:
    """Return the blocks of commands in the page."""
    blocks = (CHECKOUT / "docs" / "broker.md").read_text().split("```")[1::2]
    return [block for block in blocks if block.startswith("\nrabbitmqctl ")]


class HostUsersCase(RabbitmqCase):
    """Three users: one of the API, one of each host."""

    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        """Run the commands of the page."""
        super().setUpClass()
        cls.addClassCleanup(super().tearDownClass)
        cls.folder = cls.server.folder
        for name, password in PASSWORDS.items():
            (cls.folder / f"{name}.password").touch(mode=0o600)
            (cls.folder / f"{name}.password").write_text(f"{password}\n")
        api, host, *_ = commands()
        for block in (api, host, host.replace("host-a", "host-b")):
            cls.server.shell(block)

    @classmethod
    def tearDownClass(cls) -> None:
        """The broker is stopped however far ``setUpClass`` came."""

    def amqp(self, name: str) -> AmqpSettings:
        """Return the settings of a process of a host, or of the API."""
        url = f"amqp://quantumd-{name}@127.0.0.1:{self.server.port}/"
        return AmqpSettings(urls=(url,), password_file=str(self.folder / f"{name}.password"))

    def bus(self, name: str, host: str = "") -> AmqpBus:
        """Return the bus of a process, started; ``host`` is whom it says it is."""
        settings = BusSettings(host_user="quantumd-{host}")
        bus = make_amqp_bus(reactor, settings, self.amqp(name), host or name)
        bus.startService()
        self.addCleanup(bus.stopService)
        return bus

    async def broker(self, name: str) -> AmqpBroker:
        """Return a connection of somebody who has a host's password and does as he likes."""
        broker = make_broker(reactor, self.amqp(name))
        broker.startService()
        self.addCleanup(broker.stopService)
        return await self.connected(broker)

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        self.asked: list[Message] = []
        self.api = self.bus("api", "controller")
        self.api.consume("api", self.answer)
        await self.until(lambda: self.api.is_connected, "the API")
        self.here = self.bus("host-a")
        self.told: list[Message] = []
        self.here.consume("l2.host-a", self.told.append)
        await self.until_answered(self.here, "host-a")
        self.asked.clear()

    def answer(self, message: Message) -> Message:
        """Answer as the API does."""
        self.asked.append(message)
        return CompareReply((1,)) if isinstance(message, CompareRequest) else Ack()

    async def until_answered(self, bus: AmqpBus, host: str) -> None:
        """Ask for a host until there is an answer."""
        for _ in range(200):
            with contextlib.suppress(EdgeUnavailable):
                self.assertEqual(await bus.call("api", CompareRequest(host, "l2", ()), 5.0), CompareReply((1,)))
                return
            await deferLater(reactor, 0.05)
        self.fail("no answer")


class OwnHostTests(HostUsersCase):
    """What a host's user can do."""

    async def test_a_host_asks_and_is_told(self) -> None:
        """With no more than the page's patterns allow."""
        update = Update("host-a", "l2")
        await self.until_told(update)
        report = Report("host-a", "l2", (PortReport("p1", 1, True),))
        self.assertEqual(await self.here.call("api", report, 5.0), Ack())
        self.assertEqual(self.asked, [report])

    async def until_told(self, update: Update) -> None:
        for _ in range(100):
            await self.api.publish("l2.host-a", update)
            if self.told:
                return
            await deferLater(reactor, 0.05)
        self.fail("the host heard nothing")

    async def test_a_user_that_is_deleted_is_out(self) -> None:
        """At once, with its connections."""
        *_, delete = commands()
        await deferToThread(self.server.shell, delete.replace("host-a", "host-b"))
        try:
            broker = make_broker(reactor, self.amqp("host-b"))
            broker.startService()
            self.addCleanup(broker.stopService)
            await deferLater(reactor, 1.0)
            self.assertFalse(broker.is_connected)
        finally:
            _, host, *_ = commands()
            await deferToThread(self.server.shell, host.replace("host-a", "host-b"))


class OtherHostTests(HostUsersCase):
    """What a host's user cannot do to another host."""

    async def test_it_cannot_make_or_consume_the_queues_of_another(self) -> None:
        """Neither those of its roles nor those of its answers."""
        broker = await self.broker("host-b")
        names = [f"quantumd.{kind}.{role}.host-a" for kind in ("ask", "tell") for role in ("l2", "dhcp")]
        for name in (*names, "quantumd.ask.api", "quantumd.tell.api", f"quantumd.answers.host-a.{uuid4()}"):
            await self.refused(broker.declare(Queue(name)))
        for name in ("quantumd.tell.l2.host-a", "quantumd.ask.api"):
            subscription = broker.consume(name, lambda delivered: None)
            await deferLater(reactor, 0.5)
            self.assertFalse(subscription.is_active)

    async def test_it_cannot_bind_or_bury_its_way_to_what_is_not_its_own(self) -> None:
        """Bindings, exchanges of its own, dead letters: each needs a right that it does not have."""
        broker = await self.broker("host-b")
        mine = f"quantumd.answers.host-b.{uuid4()}"
        await broker.declare(Queue(mine, is_durable=False))
        dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "quantumd.tell.l2.host-a"}
        attempts: tuple[Declaration, ...] = (
            Binding("quantumd", mine, "ask.api"),
            Binding("amq.fanout", mine, ""),
            Exchange("quantumd.mine"),
            Exchange("quantumd", kind="direct"),
            Queue(f"quantumd.answers.host-b.{uuid4()}", arguments=dead),
        )
        for attempt in attempts:
            await self.refused(broker.declare(attempt))

    async def test_it_cannot_tell_another_host_anything(self) -> None:
        """Nor answer it, in the API's place."""
        broker = await self.broker("host-b")
        for key in ("quantumd.tell.l2.host-a", "quantumd.ask.l2.host-a", "quantumd.answers.host-a.x"):
            await self.refused(broker.publish("", key, Sent(encode(Update("host-a", "l2")))))
            await self.connected(broker)
        for key in ("tell.l2.host-a", "quantumd.tell.l2.host-a"):
            sent = broker.publish("quantumd", key, Sent(encode(Update("host-a", "l2"))), mandatory=True)
            await self.assertFailure(sent, NoRoute)
        self.assertEqual(self.told, [])

    async def test_bindings_of_an_earlier_version_are_removed(self) -> None:
        """They would let it tell another host something; the page's commands end that."""
        self.here.consume("dhcp.host-a", self.told.append)
        api, there = await self.broker("api"), await self.broker("host-b")
        await self.until_routed(api)
        await api.declare(Binding("quantumd", "quantumd.tell.l2.host-a", "tell.l2.host-a"))
        sent = Sent(encode(Update("host-a", "l2")))
        await there.publish("quantumd", "tell.l2.host-a", sent, mandatory=True)
        await self.until(lambda: self.told, "the message")
        _, _, remove, _ = commands()
        await deferToThread(self.server.shell, remove)
        await self.assertFailure(there.publish("quantumd", "tell.l2.host-a", sent, mandatory=True), NoRoute)
        await self.until_routed(api)

    async def until_routed(self, api: AmqpBroker) -> None:
        """Wait until every queue of host-a is there."""
        sent = Sent(encode(Update("host-a", "l2")))
        for name in (f"quantumd.{kind}.{role}.host-a" for kind in ("ask", "tell") for role in ("l2", "dhcp")):
            for _ in range(200):
                with contextlib.suppress(NoRoute):
                    await api.publish("", name, sent, mandatory=True)
                    break
                await deferLater(reactor, 0.05)
            else:
                self.fail(f"no queue {name}")

    async def test_it_cannot_speak_for_another_host(self) -> None:
        """The API believes its reports, questions and descriptions of itself only."""
        there = self.bus("host-b")
        await self.until_answered(there, "host-b")
        self.asked.clear()
        report = Report("host-a", "l2", (PortReport("p1", 1, True),))
        for message in (report, CompareRequest("host-a", "l2", ())):
            await self.assertFailure(there.call("api", message, 0.5), EdgeTimeout)
        await there.publish("api", report)
        await deferLater(reactor, 0.2)
        self.assertEqual(self.asked, [])

    async def test_it_cannot_go_by_the_name_of_another(self) -> None:
        """The broker refuses the message, and without a name it is not believed."""
        broker = await self.broker("host-b")
        sent = Sent(encode(Report("host-a", "l2", ())))
        for user in (HOST_A, API):
            await self.refused(broker.publish("quantumd", "tell.api", evolve(sent, user_id=user)))
            await self.connected(broker)
        await broker.publish("quantumd", "tell.api", sent)
        await deferLater(reactor, 0.2)
        self.assertEqual(self.asked, [])

    async def refused(self, waiting: Deferred[Any]) -> None:
        """What the broker refuses."""
        error = await self.assertFailure(waiting, EdgeError)
        self.assertIsInstance(error, BrokerRefused)
        self.assertIn(error.code, (403, 406))


class PageTests(SynchronousTestCase):
    """The page itself."""

    def test_every_command_is_one_of_those_that_are_run(self) -> None:
        """Four blocks: the API's user, a host's user, its queues of an earlier version, and its end."""
        words = [line.split()[1] for line in chain.from_iterable(each.split("\n") for each in commands()) if line]
        self.assertEqual(words, ["add_user", "set_permissions"] * 2 + ["delete_queue"] * 4 + ["delete_user"])
