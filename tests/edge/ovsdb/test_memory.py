"""The database in memory does what every provider does, and what only it can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from quantumd.edge.ovsdb.errors import OvsdbRefused
from quantumd.edge.ovsdb.memory import LOCAL_OFPORT, MemoryOvsdb
from tests.contracts.ovsdb import BR_INT, PATCH, VIF, OvsdbContract


class MemoryOvsdbTests(OvsdbContract, TestCase):
    """MemoryOvsdb."""

    def setUp(self) -> None:
        """Start it; nothing happens until the clock turns."""
        self.clock = Clock()
        self.ovsdb = MemoryOvsdb(self.clock, self.number)
        self.ovsdb.startService()

    def number(self, _: str, interface: str) -> int:
        """The switch beside it: one device is missing."""
        return -1 if interface == "tapmissing" else 7

    async def plug(self, bridge: str, name: str, external_ids: Mapping[str, str]) -> None:
        """See OvsdbContract."""
        self.ovsdb.plug(bridge, name, external_ids)

    async def unplug(self, bridge: str, name: str) -> None:
        """See OvsdbContract."""
        self.ovsdb.unplug(bridge, name)

    async def set_controller(self, bridge: str) -> None:
        """See OvsdbContract."""
        self.ovsdb.put_bridge_row(evolve(self.ovsdb.bridge(bridge), has_controller=True))

    async def lose_connection(self) -> None:
        """See OvsdbContract."""
        self.ovsdb.disconnect()

    async def regain_connection(self) -> None:
        """See OvsdbContract."""
        self.ovsdb.reconnect()

    async def until(self, is_so: Callable[[], object]) -> None:
        """See OvsdbContract."""
        self.clock.advance(0)
        self.assertTrue(is_so())

    async def test_the_next_transaction_can_be_refused(self) -> None:
        """One transaction is refused with the given reason and does nothing; the next is not."""
        await self.until(lambda: self.ovsdb.is_connected)
        self.ovsdb.refuse_next("constraint violation")
        error = await self.refused(self.ovsdb.transact((BR_INT,)), OvsdbRefused)
        self.assertIn("constraint violation", str(error))
        self.assertIsNone(self.ovsdb.bridge("br-int"))
        await self.transact(BR_INT)
        self.assertIsNotNone(self.ovsdb.bridge("br-int"))

    async def test_the_switch_beside_it_numbers_the_ports(self) -> None:
        """The callback gives the numbers, except that of the bridge's own port."""
        self.ovsdb = MemoryOvsdb(self.clock, lambda bridge, name: {"tap1": 7}.get(name, -1))
        self.ovsdb.startService()
        await self.transact(BR_INT)
        self.ovsdb.plug("br-int", "tap1", VIF)
        self.ovsdb.plug("br-int", "tap2", VIF)
        self.clock.advance(0)
        numbers = {name: row.ofport for name, row in self.ovsdb.interfaces().items()}
        self.assertEqual(numbers, {"br-int": LOCAL_OFPORT, "tap1": 7, "tap2": -1})
        self.assertIn("tap2", self.ovsdb.interfaces()["tap2"].error)

    async def test_what_the_world_does_while_it_is_disconnected_is_told_afterwards(self) -> None:
        """A plug and an unplug are heard after the reconnection."""
        await self.transact(BR_INT, PATCH)
        self.ovsdb.disconnect()
        changes = self.heard()
        self.ovsdb.plug("br-int", "tap1", VIF)
        self.ovsdb.unplug("br-int", "int-ex")
        self.clock.advance(0)
        self.assertEqual(changes, [])
        self.ovsdb.reconnect()
        self.clock.advance(0)
        self.assertEqual([c.new and c.new.name for c in changes[:2]], ["tap1", None])
        self.assertEqual(set(self.ovsdb.interfaces()), {"br-int", "tap1"})

    async def test_editing_an_interface_is_heard(self) -> None:
        """Keys set on an interface are told with what was there before."""
        await self.transact(BR_INT, PATCH)
        changes = self.heard()
        self.ovsdb.edit_interface("int-ex", {"iface-id": "x"})
        self.clock.advance(0)
        self.assertEqual(
            [dict(change.new.external_ids) for change in changes if change.new],
            [{**PATCH.external_ids, "iface-id": "x"}],
        )

    async def test_a_transaction_on_its_way_fails_when_the_connection_is_lost(self) -> None:
        """The caller hears that the database is away."""
        await self.until(lambda: self.ovsdb.is_connected)
        done = self.ovsdb.transact((BR_INT,))
        self.ovsdb.disconnect()
        self.clock.advance(0)
        self.failureResultOf(done)
