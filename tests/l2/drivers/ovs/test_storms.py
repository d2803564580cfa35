"""Broadcast, on an Open vSwitch in memory: over a meter, looked at again, and never tracked."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.converge.records import Records
from quantumd.edge.openflow.decode import unpack_instructions
from quantumd.edge.openflow.decoded import Ct
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.l2.drivers.ovs.pipeline import SECOND_LOOK, Feature, Table, storm_meter
from tests.bed.guarded import EVERYTHING_OUT, GuardedBed, Member, frame_of, rule, traffic_between
from tests.contracts.l2_driver import NETWORK, PORT, PORT_ID, DriverBed, site_for

UDP = 17


class BroadcastTests(SynchronousTestCase):
    """Two ports of groups that let UDP in, one of a group that does not, one without port security."""

    def setUp(self) -> None:
        """Plug them."""
        self.host = GuardedBed()
        self.addCleanup(self.host.stop)
        self.host.group("open", *EVERYTHING_OUT, rule(protocol=UDP))
        self.host.group("closed", *EVERYTHING_OUT)
        self.sender, self.open = Member(1, groups=("open",)), Member(2, groups=("open",))
        self.closed, self.free = Member(3, groups=("closed",)), Member(4, port_security=False)
        self.host.plug(self.sender, self.open, self.closed, self.free)

    def walk(self, sender: Member):  # type: ignore[no-untyped-def]
        """Return the way of a datagram to everybody."""
        frame = frame_of(sender, self.open, traffic_between(sender, self.open, UDP, 5000))
        walk = self.host.world.send(sender.id, b"\xff" * 6 + frame[6:])
        self.assertIsNotNone(walk)
        return walk

    def test_everybody_gets_it_whose_groups_let_it_in(self) -> None:
        """Each receiver is asked by itself, whoever sends."""
        number = self.host.world.ofport_of
        reached = {out.ofport for out in self.walk(self.sender).outputs}
        self.assertEqual(reached, {number(self.open.id), number(self.free.id)})
        reached = {out.ofport for out in self.walk(self.free).outputs}
        self.assertEqual(reached, {number(self.open.id), number(self.sender.id)})

    def test_it_is_not_tracked(self) -> None:
        """Neither at its sender nor once for each receiver."""
        for sender in (self.sender, self.free):
            actions = [unpack_instructions(hop.flow.instructions).actions for hop in self.walk(sender).hops]
            self.assertFalse([each for some in actions for each in some if isinstance(each, Ct)])

    def test_it_passes_the_senders_meter_first(self) -> None:
        """And is looked at again before it is copied."""
        hops = self.walk(self.sender).hops
        number = self.host.world.ofport_of(self.sender.id) or 0
        self.assertEqual(unpack_instructions(hops[0].flow.instructions).meter, storm_meter(number))
        self.assertEqual([hop.table for hop in hops].count(Table.FLOOD), 1)
        self.assertTrue(self.host.world.switch.groups[SECOND_LOOK].is_select)

    def test_what_is_to_one_port_passes_no_meter(self) -> None:
        """However much it is."""
        frame = frame_of(self.sender, self.open, traffic_between(self.sender, self.open, UDP, 5000))
        walk = self.host.world.send(self.sender.id, frame)
        meters = [unpack_instructions(hop.flow.instructions).meter for hop in walk.hops if hop.flow]  # type: ignore[union-attr]
        self.assertEqual(set(meters), {None})


class RateTests(SynchronousTestCase):
    """What the setting says."""

    def storm_flows(self, rate_pps: int) -> int:
        """Plug a port under this setting; return how many flows there are of it, each with its meter."""
        clock, records = Clock(), Records()
        world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        site = evolve(site_for(records, clock), l2=L2Settings(storm_rate_pps=rate_pps))
        bed = DriverBed(OvsDriver().install_on(site, edges_of(world)), clock, records, world.plug, world.unplug)
        bed.start(NETWORK, PORT)
        self.addCleanup(bed.stop)
        world.plug(PORT_ID)
        bed.settle()
        meter = world.switch.meters.get(storm_meter(world.ofport_of(PORT_ID) or 0))
        self.assertEqual(meter.rate if meter is not None else 0, rate_pps)
        return sum(flow.cookie >> 48 & 0xFF == Feature.STORM for flow in world.switch.flows.values())

    def test_each_port_has_a_meter(self) -> None:
        """Of that rate; of 0 none."""
        self.assertEqual([self.storm_flows(rate) for rate in (0, 5, 1000)], [0, 1, 1])
