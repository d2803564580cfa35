"""The drivers of this distribution keep the contract of L2 drivers."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.converge.records import Records
from quantumd.l2.drivers import DRIVERS, find_driver
from quantumd.l2.drivers.interfaces import IL2Driver
from quantumd.l2.drivers.linuxbridge.driver import LinuxBridgeDriver
from quantumd.l2.drivers.linuxbridge.memory import MemoryHost
from quantumd.l2.drivers.memory import MemoryDriver, MemorySwitchboard
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from tests.contracts.l2_driver import DriverBed, L2DriverContract, site_for


class MemoryDriverTests(L2DriverContract):
    """The switch that is a dictionary."""

    __test__ = True

    def make_driver(self) -> IL2Driver:
        """See L2DriverContract."""
        return MemoryDriver()

    def make_bed(self) -> DriverBed:
        """See L2DriverContract."""
        clock, records = Clock(), Records()
        parts = MemoryDriver().install(site_for(records, clock))
        board = parts.converger
        if not isinstance(board, MemorySwitchboard):
            raise AssertionError("the memory driver's converger is its switchboard")
        return DriverBed(parts, clock, records, board.plug, board.unplug)


class OvsDriverTests(L2DriverContract):
    """Open vSwitch, whole and in memory."""

    __test__ = True

    def make_driver(self) -> IL2Driver:
        """See L2DriverContract."""
        return OvsDriver()

    def make_bed(self) -> DriverBed:
        """See L2DriverContract."""
        clock, records = Clock(), Records()
        world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        edges = edges_of(world)
        parts = OvsDriver().install_on(site_for(records, clock), edges)
        return DriverBed(parts, clock, records, world.plug, world.unplug)

    def test_its_host_has_the_physical_networks_of_its_bridges(self) -> None:
        """Those that the settings map; the server learns from it which segments reach the host."""
        site = site_for(Records(), Clock())
        mapped = evolve(site, l2=L2Settings(bridge_mappings=("physnet2:br-b", "physnet1:br-a")))
        converger = OvsDriver().install(mapped).converger
        self.assertEqual(converger.describe().physical_networks, ("physnet1", "physnet2"))


class LinuxBridgeDriverTests(L2DriverContract):
    """Linux bridges, with devices and filters in memory."""

    __test__ = True

    def make_driver(self) -> IL2Driver:
        """See L2DriverContract."""
        return LinuxBridgeDriver()

    def make_bed(self) -> DriverBed:
        """See L2DriverContract."""
        clock, records = Clock(), Records()
        host = MemoryHost(clock)
        parts = LinuxBridgeDriver().install_on(site_for(records, clock), host.edges(), host.frame_parts())
        return DriverBed(parts, clock, records, host.plug, host.unplug)


class FindTests(SynchronousTestCase):
    """By name."""

    def test_every_driver_is_found_by_its_name(self) -> None:
        """Those of this distribution."""
        self.assertEqual([find_driver(name).name for name in DRIVERS], list(DRIVERS))
