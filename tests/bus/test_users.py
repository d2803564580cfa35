"""Which user of the broker may speak for which host."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase, TestCase

from quantumd.bus.amqp import AmqpBus
from quantumd.bus.errors import Untrusted
from quantumd.bus.made import make_users
from quantumd.bus.users import HostUsers
from quantumd.config import AmqpSettings, BusSettings
from quantumd.edge.amqp.memory import MemoryBroker
from quantumd.edge.amqp.memory_server import MemoryServer
from quantumd.errors import EdgeTimeout, SettingsError
from quantumd.model.messages import Ack, CompareRequest, HostReport, Message, Report
from tests.contracts.bus import SOON

USERS = HostUsers("quantumd-{host}", frozenset({"quantumd-api"}))
OF_A: tuple[Message, ...] = (
    Report("host-a", "l2", ()),
    CompareRequest("host-a", "l2", ()),
    HostReport("host-a", "l2", "1"),
)


class HostUsersTests(SynchronousTestCase):
    """The rule."""

    def test_a_host_speaks_for_itself_and_the_server_for_everybody(self) -> None:
        """The roles beside an API process use its connection."""
        for message in OF_A:
            USERS.check("quantumd-host-a", message)
            USERS.check("quantumd-api", message)

    def test_nobody_else_speaks_for_a_host(self) -> None:
        """Nor does who has no name, nor anybody by a message that is of no host."""
        for user in ("quantumd-host-b", "quantumd-", "host-a", ""):
            for message in OF_A:
                self.assertRaises(Untrusted, USERS.check, user, message)
        self.assertRaises(Untrusted, USERS.check, "quantumd-host-a", Ack())

    def test_the_settings_say_who(self) -> None:
        """The server's users are those of the process's own URLs."""
        amqp = AmqpSettings(urls=("amqp://quantumd-api@one/", "amqps://quantumd-api@two/"))
        self.assertEqual(make_users(BusSettings(host_user="quantumd-{host}"), amqp), USERS)
        self.assertIsNone(make_users(BusSettings(), amqp))
        self.assertRaises(SettingsError, make_users, BusSettings(host_user="quantumd"), amqp)


class UsersOnTheBusTests(TestCase):
    """The rule where messages come in."""

    def setUp(self) -> None:
        self.server = MemoryServer(reactor)
        self.taken: list[Message] = []
        self.there = self.make_bus("quantumd-api", users=USERS)
        self.there.consume("api", self.take)
        self.there.consume("l2.host-b", self.take)

    def make_bus(self, user: str, **how: Any) -> AmqpBus:
        """Return the bus of a process that is connected as a user."""
        brokers = [MemoryBroker(self.server, user=user) for _ in range(2)]
        bus = AmqpBus(reactor, brokers[0], brokers[1], user, **how)
        bus.startService()
        self.addCleanup(bus.stopService)
        return bus

    def take(self, message: Message) -> Ack:
        """Receive."""
        self.taken.append(message)
        return Ack()

    async def test_what_a_host_says_of_another_is_not_heard(self) -> None:
        """No call, no message; what it says of itself is."""
        other = self.make_bus("quantumd-host-b")
        await self.assertFailure(other.call("api", OF_A[0], 0.1), EdgeTimeout)
        await other.publish("api", OF_A[0])
        await deferLater(reactor, 0.05)
        self.assertEqual(self.taken, [])
        self.assertEqual(await self.make_bus("quantumd-host-a").call("api", OF_A[0], SOON), Ack())

    async def test_at_a_host_s_own_address_the_broker_s_rights_count(self) -> None:
        """There the server speaks, of any host, by whatever name it has."""
        await self.make_bus("quantumd-other-api").publish("l2.host-b", OF_A[0])
        await deferLater(reactor, 0.05)
        self.assertEqual(self.taken, [OF_A[0]])
