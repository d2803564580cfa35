"""Telling hosts what was committed."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from quantumd.api.hosts.announce import tell_all
from quantumd.bus.amqp import AmqpBus
from quantumd.edge.amqp.memory import MemoryBroker
from quantumd.edge.amqp.memory_server import MemoryServer
from quantumd.model.messages import Ack, Message, Update
from tests.contracts.amqp import Waiting


class ManyHostsTests(Waiting, TestCase):
    """A change may concern very many hosts, a network's name servers for instance."""

    async def test_more_hosts_are_told_than_messages_may_be_unconfirmed(self) -> None:
        """Each of 1,500, though the broker's client refuses more than 1,000 at a time."""
        server = MemoryServer(reactor)
        bus = AmqpBus(reactor, MemoryBroker(server), MemoryBroker(server), "controller")
        bus.startService()
        self.addCleanup(bus.stopService)
        told: list[Message] = []

        def take(message: Message) -> Message:
            told.append(message)
            return Ack()

        updates = [Update(f"host-{number}", "l2") for number in range(1500)]
        for update in (updates[0], updates[-1]):
            bus.consume(f"l2.{update.host}", take)
        await tell_all(bus, updates)
        await self.until(lambda: len(told) == 2, "the first and the last")
        self.assertEqual(told, [updates[0], updates[-1]])
