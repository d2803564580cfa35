"""Connections of a real Open vSwitch: the contract, and what becomes of calls when it is away. Needs root."""

from __future__ import annotations

from twisted.internet import reactor

from quantumd.edge.tracked.ovs import OvsConnections
from quantumd.errors import EdgeUnavailable
from tests.contracts.connections import ConnectionsContract
from tests.functional.test_openflow import OvsTestCase


class OvsConnectionsContractTests(ConnectionsContract, OvsTestCase):
    """The contract, kept by OvsConnections."""

    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """Begin without any connection."""
        await super().setUp()
        self.ovs.appctl("dpctl/flush-conntrack")
        self.connections = OvsConnections(reactor, str(self.ovs.directory))

    async def test_a_switch_that_is_away_is_an_edge_error(self) -> None:
        """Back again, it is found under its new process id."""
        self.ovs.kill("ovs-vswitchd")
        await self.assertFailure(self.connections.read(frozenset({5})), EdgeUnavailable)
        await self.assertFailure(self.connections.settle(), EdgeUnavailable)
        self.ovs.start_vswitchd()
        self.assertEqual(await self.connections.read(frozenset({5})), ())
