"""Devices of other roles on the integration bridge; on a database in memory."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantumd.edge.ovsdb.interfaces import BridgeRow
from quantumd.edge.ovsdb.memory import MemoryOvsdb
from quantumd.errors import EdgeError, EdgeUnavailable
from quantumd.interfaces import IPlugs
from quantumd.l2.drivers.ovs.plugs import CONNECT_SECONDS, OvsPlugs

BRIDGE = BridgeRow("br-int", "system", "secure", frozenset(), {}, False)
MAC = "fa:16:3e:00:00:01"


class PlugsCase(SynchronousTestCase):
    """A bridge with a port of a VM."""

    def setUp(self) -> None:
        """Start the database."""
        self.clock = Clock()
        self.devices = {"tap1", "tap2", "tapvm"}
        self.ovsdb = MemoryOvsdb(self.clock, lambda _, name: 7 if name in self.devices else -1)
        self.ovsdb.put_bridge_row(BRIDGE)
        self.ovsdb.plug("br-int", "tapvm", {"iface-id": "vm", "iface-status": "active"})
        self.plugs = self.make()

    def make(self) -> OvsPlugs:
        """Return what a process that starts has."""
        return OvsPlugs(self.ovsdb, "br-int", self.clock)

    def start(self) -> None:
        """Have the database connected."""
        self.ovsdb.startService()
        self.turn()

    def turn(self) -> None:
        """Let happen what is due."""
        self.clock.pump([0.0] * 8)

    def done(self, deferred: Deferred[None]) -> None:
        """Let something come to its end."""
        self.turn()
        self.successResultOf(deferred)


class PlugTests(PlugsCase):
    """Plugged and unplugged."""

    def setUp(self) -> None:
        """Connect."""
        super().setUp()
        self.start()

    def test_it_is_what_it_says(self) -> None:
        """All of the interface is there."""
        self.assertTrue(verifyObject(IPlugs, self.plugs))

    def test_a_device_is_plugged_as_a_vm_s_is_and_says_whose_it_is(self) -> None:
        """However often."""
        for _ in range(2):
            self.done(self.plugs.plug("router", "port", "tap1", MAC))
            ids = {"iface-id": "port", "attached-mac": MAC, "iface-status": "active", "quantumd-owner": "router"}
            self.assertEqual(self.ovsdb.interfaces()["tap1"].external_ids, ids)
            self.assertEqual(self.plugs.plugged("router"), {"tap1": "port"})
            self.assertEqual(self.plugs.owners(), {"router"})
        self.assertEqual(self.plugs.plugged("other"), {})

    def test_a_device_is_unplugged_however_often(self) -> None:
        """One that is not there too; those of others stay."""
        self.done(self.plugs.plug("router", "port", "tap1", MAC))
        for _ in range(2):
            self.done(self.plugs.unplug("tap1"))
            self.assertEqual((self.plugs.plugged("router"), self.plugs.owners()), ({}, frozenset()))
        self.assertEqual(self.ovsdb.ports_of("br-int"), {"br-int", "tapvm"})

    def test_a_process_that_starts_knows_what_is_there(self) -> None:
        """By what is written beside the devices, and nothing else."""
        self.done(self.plugs.plug("router", "port", "tap1", MAC))
        self.done(self.plugs.plug("other", "port-2", "tap2", MAC))
        new = self.make()
        self.assertEqual((new.plugged("router"), new.plugged("other")), ({"tap1": "port"}, {"tap2": "port-2"}))
        self.assertEqual(new.owners(), {"router", "other"})

    def test_a_broken_device_is_that_of_no_port_and_can_be_unplugged(self) -> None:
        """It has an owner still, who takes it away."""
        self.devices.discard("tap1")
        self.done(self.plugs.plug("router", "port", "tap1", MAC))
        self.assertEqual((self.plugs.plugged("router"), self.plugs.owners()), ({"tap1": ""}, {"router"}))
        self.done(self.plugs.unplug("tap1"))
        self.assertEqual(self.plugs.owners(), frozenset())

    def test_what_cannot_be_written_is_an_error_of_the_edge(self) -> None:
        """Refused, of a bridge that is gone, or while the database is away."""
        self.ovsdb.refuse_next()
        refused = self.plugs.plug("router", "port", "tap1", MAC)
        self.turn()
        self.failureResultOf(refused, EdgeError)
        self.ovsdb.disconnect()
        self.failureResultOf(self.plugs.unplug("tap1"), EdgeUnavailable)

    def test_only_the_userspace_datapath_lets_checksums_be_completed(self) -> None:
        """In the kernel it is done by whoever needs it."""
        self.assertFalse(self.plugs.completes_checksums)
        self.ovsdb.put_bridge_row(BridgeRow("br-int", "netdev", "secure", frozenset(), {}, False))
        self.turn()
        self.assertTrue(self.plugs.completes_checksums)
        self.ovsdb.remove_bridge("br-int")
        self.turn()
        self.assertFalse(self.plugs.completes_checksums)


class NewsTests(PlugsCase):
    """What is told."""

    def setUp(self) -> None:
        """Connect, and listen."""
        super().setUp()
        self.told: list[str] = []
        self.plugs.on_change(self.told.append)
        self.plugs.on_known(lambda: self.told.append("known"))
        self.start()

    def heard(self) -> set[str]:
        """Return what was told since this was asked last."""
        self.turn()
        heard, self.told[:] = set(self.told), []
        return heard

    def test_it_is_told_whose_device_came_changed_broke_or_went(self) -> None:
        """Of VMs nothing is told; of a device that has a new owner both hear."""
        self.assertEqual(self.heard(), {"known"})
        self.done(self.plugs.plug("router", "port", "tap1", MAC))
        self.assertEqual(self.heard(), {"router"})
        self.ovsdb.edit_interface("tap1", {"quantumd-owner": "other"})
        self.assertEqual(self.heard(), {"router", "other"})
        self.assertEqual((self.plugs.plugged("router"), self.plugs.plugged("other")), ({}, {"tap1": "port"}))
        self.ovsdb.set_ofport("tap1", -1, "gone")
        self.assertEqual(self.heard(), {"other"})
        self.ovsdb.unplug("br-int", "tap1")
        self.ovsdb.unplug("br-int", "tapvm")
        self.assertEqual(self.heard(), {"other"})

    def test_a_new_connection_is_told(self) -> None:
        """What changed meanwhile is known then."""
        self.done(self.plugs.plug("router", "port", "tap1", MAC))
        self.heard()
        self.ovsdb.disconnect()
        self.ovsdb.unplug("br-int", "tap1")
        self.assertEqual(self.heard(), set())
        self.ovsdb.reconnect()
        self.assertEqual(self.heard(), {"known", "router"})
        self.assertEqual(self.plugs.plugged("router"), {})


class WaitTests(PlugsCase):
    """Until the database is known."""

    def test_who_looks_waits_until_it_is_known(self) -> None:
        """Afterwards nobody waits."""
        waiting = self.plugs.observe()
        self.assertNoResult(waiting)
        self.start()
        self.successResultOf(waiting)
        self.successResultOf(self.plugs.observe())

    def test_nobody_waits_for_ever(self) -> None:
        """A connection that comes afterwards finds nobody waiting."""
        waiting = self.plugs.observe()
        self.clock.advance(CONNECT_SECONDS)
        self.failureResultOf(waiting, EdgeUnavailable)
        self.start()
        self.successResultOf(self.plugs.observe())
