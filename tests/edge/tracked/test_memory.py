"""The connections of a bridge in memory keep the contract."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from quantumd.edge.openflow.memory import MemorySwitch
from quantumd.edge.tracked.memory import MemoryConnections
from tests.contracts.connections import ConnectionsContract


class MemoryConnectionsContractTests(ConnectionsContract, TestCase):
    """The contract, kept by MemoryConnections."""

    def setUp(self) -> None:
        """Make a bridge."""
        self.switch = MemorySwitch()
        self.switch.start()
        self.connections = MemoryConnections(self.switch)

    def add_port(self, name: str) -> int:
        """Plug a port."""
        return self.switch.add_port(len(self.switch.ports) + 1, name).ofport

    def inject(self, ofport: int, frame: bytes) -> None:
        """Let a frame come in by a port."""
        self.switch.inject(ofport, frame)
