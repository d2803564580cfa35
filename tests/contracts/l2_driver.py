"""What every L2 driver keeps: its tests are run for those of this distribution and for a plug-in alike.

A driver is installed on a host whose clock is in the test's hand and driven by the loop that every role has.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from attrs import define, evolve, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantumd.config import DhcpSettings, L2Settings
from quantumd.converge.loop import ConvergeService
from quantumd.converge.records import Records
from quantumd.edge.frames.interfaces import IFrames
from quantumd.interfaces import IConverger
from quantumd.l2.drivers.interfaces import IL2Driver, L2Parts, Site
from quantumd.model.messages import Gone, PortReport, Update
from quantumd.model.records import FixedIp, NetworkRecord, PortRecord, Record

HOST = "host-a"
PORT_ID = "0a0a0a0a-0000-4000-8000-000000000001"
OTHER_ID = "0b0b0b0b-0000-4000-8000-000000000002"
NETWORK = NetworkRecord(
    "0c0c0c0c-0000-4000-8000-000000000003", 1, "local", None, None, 1500, True, "fa:16:3e:00:00:02", ("10.0.0.2",)
)
PORT = PortRecord(
    PORT_ID, 2, NETWORK.id, "fa:16:3e:00:00:05", (FixedIp("s", "10.0.0.5"),), True, "compute:nova"
)  # fmt: skip
OTHER = evolve(PORT, id=OTHER_ID, version=3, mac_address="fa:16:3e:00:00:06", fixed_ips=(FixedIp("s", "10.0.0.6"),))


def site_for(records: Records, clock: Clock, run_dir: str = "") -> Site:
    """Return a site on memory edges."""
    return Site(HOST, L2Settings(ovs_run_dir=run_dir), DhcpSettings(), records, clock, "memory", False)


@define(eq=False)
class DriverBed:
    """A host that the driver is installed on, and what it was heard to report.

    ``plug`` and ``unplug`` are what a hypervisor does, with a port's id.
    """

    parts: L2Parts
    clock: Clock
    records: Records
    plug: Callable[[str], None]
    unplug: Callable[[str], None]
    told: dict[str, PortReport] = field(factory=dict, init=False)
    loop: ConvergeService = field(init=False)

    def start(self, *records: Record) -> None:
        """Connect, with a complete snapshot: these records."""
        self.loop = ConvergeService(self.parts.converger, self.clock, self._tell)
        self.loop.startService()
        self.parts.connections.startService()
        self.parts.frames.connection.startService()
        self.loop.records_changed(self.records.apply(Update(HOST, "l2", records)), True)
        self.settle()

    def stop(self) -> None:
        """Disconnect."""
        self.parts.frames.connection.stopService()
        self.parts.connections.stopService()
        self.loop.stopService()

    def settle(self) -> None:
        """Let everything happen that is due within a few seconds."""
        for _ in range(20):
            self.clock.pump([0.0] * 8 + [0.2])

    def put(self, *records: Record) -> None:
        """Tell the host of records."""
        self.update(Update(HOST, "l2", records))

    def update(self, update: Update) -> None:
        """Tell the host of changes."""
        self.loop.records_changed(self.records.apply(update), False)
        self.settle()

    def report_of(self, port_id: str) -> PortReport:
        """Return what was last reported of a port; before any report it is not there."""
        return self.told.get(port_id, PortReport(port_id, 0, plugged=False))

    def _tell(self, reports: tuple[PortReport, ...], is_complete: bool) -> None:
        if is_complete:
            self.told.clear()
        self.told.update((report.port_id, report) for report in reports)


class L2DriverContract(SynchronousTestCase):
    """The tests; a driver's own class mixes in ``make_driver`` and ``make_bed``."""

    # Collected only in the classes that say how to make a bed.
    __test__ = False

    def make_driver(self) -> IL2Driver:
        """Return the driver."""
        raise AssertionError("each driver makes its own bed")

    def make_bed(self) -> DriverBed:
        """Return a bed with the driver installed; it is not started."""
        raise AssertionError("each driver makes its own bed")

    def setUp(self) -> None:
        """Start it."""
        self.bed = self.make_bed()
        self.bed.start()
        self.addCleanup(self.bed.stop)

    def plug(self, *port_ids: str) -> None:
        """Plug devices and let the driver see them."""
        for port_id in port_ids:
            self.bed.plug(port_id)
        self.bed.settle()

    def expect(self, port_id: str, version: int, plugged: bool) -> None:
        """This is what is reported of the port."""
        self.assertEqual(self.bed.report_of(port_id), PortReport(port_id, version, plugged))

    def test_it_is_a_driver_and_gives_its_parts(self) -> None:
        """All of the interfaces is there."""
        driver = self.make_driver()
        self.assertTrue(verifyObject(IL2Driver, driver))
        self.assertTrue(verifyObject(IConverger, self.bed.parts.converger))
        self.assertTrue(verifyObject(IFrames, self.bed.parts.frames.frames))
        self.assertIsInstance(driver.name, str)
        self.assertIsInstance(driver.capabilities, frozenset)
        self.assertEqual(self.bed.parts.converger.role, "l2")

    def test_it_says_who_it_is_and_how_to_plug(self) -> None:
        """Host, role, and the binding that ports of this host are answered with."""
        about = self.bed.parts.converger.describe()
        self.assertEqual((about.host, about.role), (HOST, "l2"))
        self.assertTrue(about.vif_type)
        self.assertIsInstance(json.loads(about.vif_details), dict)

    def test_frames_flow_once_it_is_connected(self) -> None:
        """What answers clients waits for that."""
        self.assertTrue(self.bed.parts.frames.frames.is_connected)

    def test_frames_can_be_had_without_the_ports(self) -> None:
        """By a process that answers them while another one carries the ports."""
        alone = self.make_driver().frames(site_for(Records(), Clock()))
        self.assertTrue(verifyObject(IFrames, alone.frames))
        alone.connection.startService()
        self.addCleanup(alone.connection.stopService)

    def test_a_known_port_that_is_not_plugged_is_not_realised(self) -> None:
        """Nothing is reported of it, or that it is not there."""
        self.bed.put(NETWORK, PORT)
        self.expect(PORT_ID, 0, plugged=False)

    def test_a_plugged_port_is_realised_at_its_version(self) -> None:
        """It, and not its neighbour on the same network."""
        self.bed.put(NETWORK, PORT, OTHER)
        self.plug(PORT_ID)
        self.expect(PORT_ID, PORT.version, plugged=True)
        self.expect(OTHER_ID, 0, plugged=False)

    def test_an_unplugged_port_is_reported_so(self) -> None:
        """Its neighbour stays as it is."""
        self.bed.put(NETWORK, PORT, OTHER)
        self.plug(PORT_ID, OTHER_ID)
        self.bed.unplug(PORT_ID)
        self.bed.settle()
        self.expect(PORT_ID, 0, plugged=False)
        self.expect(OTHER_ID, OTHER.version, plugged=True)

    def test_a_port_can_be_plugged_again(self) -> None:
        """After it was unplugged."""
        self.bed.put(NETWORK, PORT)
        self.plug(PORT_ID)
        self.bed.unplug(PORT_ID)
        self.bed.settle()
        self.plug(PORT_ID)
        self.expect(PORT_ID, PORT.version, plugged=True)

    def test_a_device_of_an_unknown_port_is_reported_unknown(self) -> None:
        """It is plugged, nothing of it is realised: the server may bind it."""
        self.plug(PORT_ID)
        self.assertTrue(self.bed.report_of(PORT_ID).is_unknown)

    def test_a_record_that_comes_after_the_device_is_realised(self) -> None:
        """In either order of port and network."""
        self.plug(PORT_ID)
        self.bed.put(PORT)
        self.assertTrue(self.bed.report_of(PORT_ID).is_unknown)
        self.bed.put(NETWORK)
        self.expect(PORT_ID, PORT.version, plugged=True)

    def test_a_changed_record_is_realised_anew(self) -> None:
        """At the new version."""
        self.bed.put(NETWORK, PORT)
        self.plug(PORT_ID)
        self.bed.put(evolve(PORT, version=9, fixed_ips=(FixedIp("s", "10.0.0.9"),)))
        self.expect(PORT_ID, 9, plugged=True)

    def test_an_older_record_changes_nothing(self) -> None:
        """Updates may overtake each other."""
        self.bed.put(NETWORK, evolve(PORT, version=9))
        self.plug(PORT_ID)
        self.bed.put(PORT)
        self.expect(PORT_ID, 9, plugged=True)

    def test_a_disabled_port_is_not_realised_until_it_is_enabled(self) -> None:
        """Its device is there all the time."""
        self.bed.put(NETWORK, PORT)
        self.plug(PORT_ID)
        self.bed.put(evolve(PORT, version=9, admin_state_up=False))
        self.expect(PORT_ID, 0, plugged=True)
        self.bed.put(evolve(PORT, version=10))
        self.expect(PORT_ID, 10, plugged=True)

    def test_ports_of_a_disabled_network_are_not_realised(self) -> None:
        """None of them."""
        self.bed.put(NETWORK, PORT, OTHER)
        self.plug(PORT_ID, OTHER_ID)
        self.bed.put(evolve(NETWORK, version=9, admin_state_up=False))
        self.expect(PORT_ID, 0, plugged=True)
        self.expect(OTHER_ID, 0, plugged=True)

    def test_a_port_whose_record_is_gone_is_not_realised(self) -> None:
        """Deleted or moved: its device is dead."""
        self.bed.put(NETWORK, PORT)
        self.plug(PORT_ID)
        self.bed.update(Update(HOST, "l2", gone=(Gone(PortRecord.kind, PORT_ID, 9),)))
        self.expect(PORT_ID, 0, plugged=True)

    def test_it_rests_when_all_is_realised(self) -> None:
        """Asked again, it plans nothing, and nothing is left over."""
        self.bed.put(NETWORK, PORT, OTHER)
        self.plug(PORT_ID)
        converger = self.bed.parts.converger
        self.assertEqual([stage.steps for stage in converger.plan(converger.every_key()).stages], [])
        self.assertEqual([stage.steps for stage in converger.sweep().stages], [])
        self.assertTrue(self.bed.loop.is_converged, self.bed.loop.waits_for)
