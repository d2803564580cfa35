"""What is reported of ports whose network's traffic cannot leave the host, on an Open vSwitch in memory."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.converge.records import Records
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.model.messages import PortReport
from tests.contracts.l2_driver import NETWORK, OTHER, OTHER_ID, PORT, PORT_ID, DriverBed, site_for

VLAN = evolve(NETWORK, network_type="vlan", physical_network="physnet1", segmentation_id=100)
LOCAL = evolve(NETWORK, id="0d0d0d0d-0000-4000-8000-000000000004")


class CutOffTests(SynchronousTestCase):
    """A port on a VLAN of physnet1 and one on a local network, both plugged."""

    def setUp(self) -> None:
        """Plug them."""
        clock, records = Clock(), Records()
        self.world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        edges = edges_of(self.world)
        site = evolve(site_for(records, clock), l2=L2Settings(bridge_mappings=("physnet1:br-ex",)))
        self.bed = DriverBed(OvsDriver().install_on(site, edges), clock, records, self.world.plug, self.world.unplug)
        self.bed.start()
        self.addCleanup(self.bed.stop)
        self.bed.put(VLAN, LOCAL, PORT, evolve(OTHER, network_id=LOCAL.id))
        self.bed.plug(PORT_ID)
        self.bed.plug(OTHER_ID)
        self.bed.settle()

    def expect(self, fault: str | None) -> None:
        """The port on the VLAN has the fault; the other one has none."""
        version = 0 if fault else PORT.version
        self.assertEqual(self.bed.report_of(PORT_ID), PortReport(PORT_ID, version, True, fault))
        self.assertEqual(self.bed.report_of(OTHER_ID), PortReport(OTHER_ID, OTHER.version, True))

    def test_a_port_that_is_cut_off_is_not_in_force_until_it_is_mended(self) -> None:
        """Whatever is wrong with the way out."""
        self.expect(None)
        for patch in ("phy-br-ex", "int-br-ex"):
            self.world.ovsdb.set_ofport(patch, -1, "no such bridge")
            self.bed.settle()
            self.expect(f"physnet1 is cut off: Open vSwitch does not open {patch} (no such bridge)")
            self.world.ovsdb.set_ofport(patch, 1)
            self.bed.settle()
            self.expect(None)

    def test_a_network_that_no_bridge_is_mapped_to_does_not_leave(self) -> None:
        """As after a mapping was taken out of the settings."""
        self.bed.put(evolve(VLAN, version=2, physical_network="physnet2"))
        self.expect("physnet2 is not connected on this host")
        self.bed.put(evolve(VLAN, version=3))
        self.expect(None)

    def test_what_was_broken_before_it_was_told_is_said_too(self) -> None:
        """A port that is plugged later."""
        self.bed.unplug(PORT_ID)
        self.world.ovsdb.set_ofport("phy-br-ex", None)
        self.world.ovsdb.set_ofport("phy-br-ex", -1)
        self.bed.settle()
        self.bed.plug(PORT_ID)
        self.bed.settle()
        self.expect("physnet1 is cut off: Open vSwitch does not open phy-br-ex")
