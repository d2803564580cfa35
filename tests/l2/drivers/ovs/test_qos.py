"""Limits and marks, on an Open vSwitch in memory: which meters there are, what passes them, what a change touches."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.records import Records
from quantumd.edge.openflow.decode import unpack_instructions
from quantumd.edge.openflow.interfaces import Meter
from quantumd.edge.openflow.walk import Walk
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.features.qos import BURST_SECONDS
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.l2.drivers.ovs.pipeline import Feature, Table
from quantumd.model.qos_records import QosLimit, QosPolicyRecord
from tests.contracts.l2_driver import NETWORK, OTHER, OTHER_ID, PORT, PORT_ID, DriverBed, site_for

GOLD, SILVER = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
PLAIN = evolve(NETWORK, dhcp_mac=None, dhcp_addresses=())
OUT_KBITS, OUT_PACKETS, IN_KBITS, IN_PACKETS = (n << 16 for n in (1, 2, 3, 4))
"""The first numbers of meters."""

EVERYTHING = (
    QosLimit("egress", "kbps", 1000, 200),
    QosLimit("egress", "kpps", 2, 1),
    QosLimit("ingress", "kbps", 3000),
    QosLimit("ingress", "kpps", 4),
)


class QosCase(SynchronousTestCase):
    """Two ports on a network; the first has the policy ``GOLD``."""

    def setUp(self) -> None:
        """Plug them."""
        clock, records = Clock(), Records()
        self.world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        parts = OvsDriver().install_on(site_for(records, clock), edges_of(self.world))
        self.bed = DriverBed(parts, clock, records, self.world.plug, self.world.unplug)
        self.version = 10
        self.bed.start(PLAIN, evolve(PORT, qos_policy=GOLD), OTHER)
        self.addCleanup(self.bed.stop)
        for port_id in (PORT_ID, OTHER_ID):
            self.bed.plug(port_id)
        self.bed.settle()
        ports = (self.world.ofport_of(PORT_ID), self.world.ofport_of(OTHER_ID))
        self.port, self.other = (number or 0 for number in ports)

    def put(self, record: Any, **changes: Any) -> None:
        """Tell of a record as newer than all before."""
        self.version += 1
        self.bed.put(evolve(record, version=self.version, **changes))

    def policy(self, *limits: QosLimit, dscp_mark: int | None = None, name: str = GOLD) -> None:
        """Tell of what a policy says."""
        self.put(QosPolicyRecord(name, 1, limits, dscp_mark))

    def meters(self) -> dict[int, Meter]:
        """Return the meters."""
        return dict(self.world.switch.meters)

    def passed(self, sender: str, frame: Packet) -> set[int]:
        """Return the meters that a frame passes on its way."""
        used = (unpack_instructions(hop.flow.instructions).meter for hop in self.walk(sender, frame).hops if hop.flow)
        return {meter for meter in used if meter is not None}

    def walk(self, sender: str, frame: Packet) -> Walk:
        """Let a port send a frame."""
        done = self.world.send(sender, bytes(frame))
        assert done is not None
        return done

    def flows(self) -> int:
        """How many flows there are for limits and marks of ports."""
        own = (flow for flow in self.world.switch.flows.values() if flow.table != Table.QOS_COPY)
        return sum(flow.cookie >> 48 & 0xFF == Feature.QOS for flow in own)


def to_other(payload: Packet | None = None, target: str = OTHER.mac_address) -> Packet:
    """Return a frame of the first port."""
    return Ether(src=PORT.mac_address, dst=target) / (payload or IP(src="10.0.0.5", dst="10.0.0.6") / UDP())


def to_first() -> Packet:
    """Return a frame of the other port."""
    return Ether(src=OTHER.mac_address, dst=PORT.mac_address) / IP(src="10.0.0.6", dst="10.0.0.5") / UDP()


class LimitTests(QosCase):
    """Meters."""

    def test_each_limit_is_a_meter(self) -> None:
        """With the burst that was named, or that of the host; packets by the thousand."""
        self.policy(*EVERYTHING)
        expected = {
            OUT_KBITS: (1000, 200, True),
            OUT_PACKETS: (2000, 1000, False),
            IN_KBITS: (3000, int(3000 * BURST_SECONDS), True),
            IN_PACKETS: (4000, int(4000 * BURST_SECONDS), False),
        }
        meters = {first | self.port: Meter(first | self.port, *said) for first, said in expected.items()}
        self.assertEqual(self.meters(), meters)

    def test_what_a_port_sends_and_gets_passes_them(self) -> None:
        """And nothing of its neighbour's does."""
        self.policy(*EVERYTHING)
        self.assertEqual(self.passed(PORT_ID, to_other()), {OUT_KBITS | self.port, OUT_PACKETS | self.port})
        self.assertEqual(self.passed(OTHER_ID, to_first()), {IN_KBITS | self.port, IN_PACKETS | self.port})

    def test_each_limit_stands_alone(self) -> None:
        """Without the other unit, and without the other direction."""
        for limit in EVERYTHING:
            self.policy(limit)
            (number,) = self.meters()
            sender, frame = (PORT_ID, to_other()) if limit.direction == "egress" else (OTHER_ID, to_first())
            self.assertEqual(self.passed(sender, frame), {number}, limit)

    def test_copies_for_all_pass_them_as_packets_of_their_own(self) -> None:
        """What one receiver's meter drops others get; only copies for limited receivers are made so."""
        broadcast = Ether(src=OTHER.mac_address, dst="ff:ff:ff:ff:ff:ff") / ARP(pdst="10.0.0.99")
        self.policy(*EVERYTHING[:2])
        self.assertNotIn(Table.QOS_COPY, {hop.table for hop in self.walk(OTHER_ID, broadcast).hops})
        self.policy(*EVERYTHING)
        self.assertEqual(self.passed(OTHER_ID, broadcast), {IN_KBITS | self.port, IN_PACKETS | self.port})
        tables = [hop.table for hop in self.walk(OTHER_ID, broadcast).hops]
        self.assertEqual((tables.count(Table.QOS_COPY), tables.count(Table.FIREWALL_INGRESS)), (1, 2))
        everybody = to_other(ARP(pdst="10.0.0.99"), "ff:ff:ff:ff:ff:ff")
        self.assertEqual(self.passed(PORT_ID, everybody), {OUT_KBITS | self.port, OUT_PACKETS | self.port})

    def test_a_rate_of_nothing_is_no_limit(self) -> None:
        """As in Neutron."""
        self.policy(QosLimit("egress", "kbps", 0))
        self.assertEqual((self.meters(), self.flows()), ({}, 0))

    def test_numbers_that_a_meter_cannot_say_are_the_most_that_it_can(self) -> None:
        """The API takes up to 2^31 - 1 thousands of packets."""
        self.policy(QosLimit("egress", "kpps", (1 << 31) - 1, (1 << 31) - 1))
        self.assertEqual(
            self.meters(), {OUT_PACKETS | self.port: Meter(OUT_PACKETS | self.port, 0xFFFFFFFF, 0xFFFFFFFF)}
        )

    def test_small_rates_let_a_frame_pass(self) -> None:
        """A burst is never less than some frames."""
        self.policy(QosLimit("egress", "kbps", 8))
        (meter,) = self.meters().values()
        self.assertGreater(meter.burst * 1000 / 8, 2 * 1514)

    def test_a_named_burst_is_a_frame_at_least(self) -> None:
        """With less a meter lets none pass, for ever."""
        self.policy(QosLimit("egress", "kbps", 1000, 1))
        (meter,) = self.meters().values()
        self.assertEqual(meter.burst, 13)


class WhoseTests(QosCase):
    """Whose policy counts."""

    def test_that_of_the_network_is_for_ports_that_have_none(self) -> None:
        """A port's own wins, also when it says less."""
        self.policy(QosLimit("egress", "kbps", 1000))
        self.policy(QosLimit("ingress", "kbps", 500), name=SILVER)
        self.put(PLAIN, qos_policy=SILVER)
        self.assertEqual(set(self.meters()), {OUT_KBITS | self.port, IN_KBITS | self.other})
        self.put(PORT)
        self.assertEqual(set(self.meters()), {IN_KBITS | self.port, IN_KBITS | self.other})

    def test_that_of_the_network_is_not_for_ports_of_the_service(self) -> None:
        """Routers and the like; their own counts."""
        self.policy(QosLimit("ingress", "kbps", 500), name=SILVER)
        self.put(PLAIN, qos_policy=SILVER)
        self.put(OTHER, device_owner="network:router_interface")
        self.assertEqual(self.meters(), {})
        self.put(OTHER, device_owner="network:router_interface", qos_policy=SILVER)
        self.assertEqual(set(self.meters()), {IN_KBITS | self.other})


class ChangeTests(QosCase):
    """What a change touches."""

    def test_another_rate_changes_the_meter_alone(self) -> None:
        """No flow of anybody."""
        self.policy(*EVERYTHING)
        self.world.switch.changes.clear()
        self.policy(QosLimit("egress", "kbps", 5000, 200), *EVERYTHING[1:])
        (change,) = self.world.switch.changes
        self.assertEqual([meter.rate for meter in change.put_meters], [5000])
        self.assertEqual((change.put_flows, change.remove_flows, change.remove_meters), ((), (), ()))

    def test_what_ends_leaves_nothing(self) -> None:
        """A rule, all rules, the policy of the port, the port: the neighbour's traffic and the port's go on."""
        for end in (
            lambda: self.policy(),
            lambda: self.put(PORT),
            lambda: self.put(PORT, qos_policy="33333333-0000-4000-8000-000000000003"),
        ):
            self.put(PORT, qos_policy=GOLD)
            self.policy(*EVERYTHING, dscp_mark=26)
            self.assertEqual(len(self.meters()), 4)
            end()
            self.assertEqual((self.meters(), self.flows()), ({}, 0))
            self.assertEqual(len(self.walk(PORT_ID, to_other()).outputs), 1)
        self.put(PORT, qos_policy=GOLD)
        self.policy(*EVERYTHING)
        self.world.unplug(PORT_ID)
        self.bed.settle()
        self.assertEqual((self.meters(), self.flows()), ({}, 0))

    def test_a_meter_goes_after_the_flows_that_use_it(self) -> None:
        """With the meter its flows would go, and packets with them."""
        self.policy(*EVERYTHING)
        self.world.switch.changes.clear()
        self.policy(*EVERYTHING[2:])
        (change,) = self.world.switch.changes
        self.assertEqual(set(change.remove_meters), {OUT_KBITS | self.port, OUT_PACKETS | self.port})
        self.assertEqual({flow.table for flow in change.remove_flows}, {Table.QOS_EGRESS, Table.QOS_EGRESS_PACKETS})

    def test_a_switch_that_is_read_anew_stays_as_it_is(self) -> None:
        """Its meters are those that were asked for."""
        self.policy(*EVERYTHING, dscp_mark=26)
        converger = self.bed.parts.converger
        self.world.switch.changes.clear()
        self.world.switch.disconnect()
        self.world.switch.connect()
        self.bed.settle()
        self.assertEqual(list(self.world.switch.changes), [])
        self.assertEqual([stage.steps for stage in converger.plan(converger.every_key()).stages], [])


class MarkTests(QosCase):
    """Code points."""

    def marked(self, frame: Packet) -> Packet:
        """Return a frame of the first port as its neighbour gets it."""
        (out,) = self.walk(PORT_ID, frame).outputs
        return Ether(out.frame)

    def test_packets_of_both_families_are_marked(self) -> None:
        """The other bits beside the mark stay, and the header's checksum is right."""
        self.policy(dscp_mark=26)
        four = self.marked(to_other(IP(src="10.0.0.5", dst="10.0.0.6", tos=0x03) / UDP()))
        self.assertEqual(four[IP].tos, 26 << 2 | 3)
        self.assertEqual(four[IP].chksum, _right_checksum(four[IP]))
        six = self.marked(to_other(IPv6(src="fd00::5", dst="fd00::6", tc=0x01, fl=0xABCDE) / UDP()))
        self.assertEqual((six[IPv6].tc, six[IPv6].fl), (26 << 2 | 1, 0xABCDE))

    def test_what_has_no_mark_stays_as_it_is(self) -> None:
        """ARP."""
        self.policy(dscp_mark=26)
        frame = to_other(ARP(psrc="10.0.0.5", pdst="10.0.0.6"))
        self.assertEqual(bytes(self.marked(frame)), bytes(frame))

    def test_a_mark_of_nothing_is_a_mark(self) -> None:
        """It takes away what the VM wrote; no rule leaves it."""
        frame = to_other(IP(src="10.0.0.5", dst="10.0.0.6", tos=46 << 2) / UDP())
        self.assertEqual(self.marked(frame)[IP].tos, 46 << 2)
        self.policy(dscp_mark=0)
        self.assertEqual(self.marked(frame)[IP].tos, 0)

    def test_marked_packets_pass_the_meters_too(self) -> None:
        """Both of them."""
        self.policy(*EVERYTHING, dscp_mark=26)
        self.assertEqual(self.passed(PORT_ID, to_other()), {OUT_KBITS | self.port, OUT_PACKETS | self.port})


def _right_checksum(header: IP) -> int:
    again = header.copy()
    del again.chksum
    return int(IP(bytes(again)).chksum)
