"""The broker in memory keeps the contract."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from quantumd.edge.amqp.memory import MemoryBroker
from quantumd.edge.amqp.memory_server import MemoryServer
from tests.contracts.amqp import BrokerContract


class MemoryBrokerTests(BrokerContract, TestCase):
    """A server in this process."""

    def setUp(self) -> None:
        self.server = MemoryServer(reactor)
        self.broker = MemoryBroker(self.server, limit=self.limit)
        self.broker.startService()
        self.addCleanup(self.broker.stopService)

    def cut(self) -> None:
        """See BrokerContract."""
        self.broker.disconnect()

    def mend(self) -> None:
        """See BrokerContract."""
        self.broker.connect()

    async def delete_queue(self, name: str) -> Any:
        """See BrokerContract."""
        self.server.delete_queue(name)
