"""The bus inside one process keeps the contract."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from quantumd.bus.memory import MemoryBus
from tests.contracts.bus import BusContract


class MemoryBusTests(BusContract, TestCase):
    """Both ends are one."""

    def setUp(self) -> None:
        self.here = self.there = MemoryBus(reactor)

    def lose_all(self) -> None:
        """See BusContract."""
        self.here.lose()
