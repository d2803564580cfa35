"""What strangers and accidents do to a switch, and what is then reported and repaired; on an Open vSwitch in memory."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.records import Records
from quantumd.edge.openflow.interfaces import Flow
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch, device_of
from quantumd.model.messages import PortReport
from tests.contracts.l2_driver import NETWORK, PORT, PORT_ID, DriverBed, site_for


class StrangerTests(SynchronousTestCase):
    """One plugged port."""

    def setUp(self) -> None:
        """Plug it."""
        clock, records = Clock(), Records()
        self.world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        edges = edges_of(self.world)
        parts = OvsDriver().install_on(site_for(records, clock), edges)
        self.bed = DriverBed(parts, clock, records, self.world.plug, self.world.unplug)
        self.bed.start()
        self.addCleanup(self.bed.stop)
        self.bed.put(NETWORK, PORT)
        self.bed.plug(PORT_ID)
        self.bed.settle()

    def flows(self) -> frozenset[Flow]:
        """Return what the switch holds."""
        return frozenset(self.world.switch.flows.values())

    def set_controller(self, has_controller: bool, flush_after_seconds: float) -> None:
        """Set a controller or take it away; the switch flushes its flows for that, sooner or later."""
        row = self.world.ovsdb.bridge("br-int")
        if row is None:
            self.fail("there is no bridge")
        self.world.ovsdb.put_bridge_row(evolve(row, has_controller=has_controller))
        self.bed.clock.callLater(flush_after_seconds, self.world.switch.flows.clear)
        self.bed.settle()

    def test_flows_are_put_back_when_a_controller_comes_and_when_it_goes(self) -> None:
        """Whether the switch flushes before quantumd has looked or after."""
        before = self.flows()
        for delay in (0.0, 0.3):
            for has_controller in (True, False):
                self.set_controller(has_controller, delay)
                self.assertEqual(self.flows(), before, (delay, has_controller))
        self.assertEqual(self.bed.report_of(PORT_ID), PortReport(PORT_ID, PORT.version, True))

    def test_a_device_that_the_switch_has_lost_is_not_plugged(self) -> None:
        """The database still lists it, as after a crash of the machine."""
        self.world.switch.disconnect()
        self.world.switch.restart()
        ofport = self.world.ofport_of(PORT_ID)
        if ofport is not None:
            self.world.switch.remove_port(ofport)
        self.bed.settle()
        self.assertIn(device_of(PORT_ID), self.world.ovsdb.interfaces())
        self.assertEqual(self.bed.report_of(PORT_ID), PortReport(PORT_ID, 0, False))
