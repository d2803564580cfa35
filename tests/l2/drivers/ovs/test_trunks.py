"""Trunks on an Open vSwitch in memory: whose a tagged frame is, and with which tag frames arrive."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.converge.records import Records
from quantumd.edge.frames.interfaces import PortFrame, Purpose
from quantumd.edge.openflow.walk import Walk
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.l2.drivers.ovs.pipeline import Table
from quantumd.model.messages import Gone, PortReport, Update
from quantumd.model.records import FixedIp, NetworkRecord, PeerRecord, PortRecord, RemotePortRecord
from quantumd.model.security_records import SecurityGroupRecord
from tests.bed.guarded import EVERYTHING_OUT
from tests.bed.trunk_table import PORTS, ROWS, VLAN_OF, Row
from tests.contracts.l2_driver import HOST, DriverBed, site_for

BROADCAST = "ff:ff:ff:ff:ff:ff"


def port_id(n: int) -> str:
    """Return an id."""
    return f"{n:08x}-0000-4000-8000-000000000000"


def network(name: str, kind: str = "local") -> NetworkRecord:
    """Return a network with DHCP."""
    number = 5001 if kind == "vxlan" else None
    return NetworkRecord(name, 1, kind, None, number, 1450, True, "fa:16:3e:00:00:02", ("10.0.0.2",))


def port(n: int, on: str, **more: Any) -> PortRecord:
    """Return a port; on each network addresses begin anew."""
    fixed_ips = (FixedIp("s", f"10.0.0.{n % 16 + 10}"), FixedIp("s6", f"fd00::{n % 16 + 10:x}"))
    return PortRecord(port_id(n), 1, on, f"fa:16:3e:00:01:{n:02x}", fixed_ips, True, "compute:nova", **more)


NETWORKS = {name: network(f"n-{name}") for name in PORTS}
GROUP = SecurityGroupRecord("g", 1, True, EVERYTHING_OUT)
PARENT = port(0x10, "n-parent", port_security=True, security_groups=("g",))
FIRST = port(0x20, "n-first", port_security=True, security_groups=("g",), parent_id=PARENT.id, segmentation_id=101)
SECOND = port(0x31, "n-second", port_security=True, security_groups=("g",), parent_id=PARENT.id, segmentation_id=102)
OWN = {"parent": PARENT, "first": FIRST, "second": SECOND}
LISTENERS = {name: port(0x15 + 16 * at, f"n-{name}") for at, name in enumerate(PORTS)}


class TrunkCase(SynchronousTestCase):
    """A VM with two sub-ports, and a neighbour on each of the three networks."""

    def setUp(self) -> None:
        self.clock, self.records = Clock(), Records()
        self.world = MemoryOpenVswitch(self.clock, "br-int", CONTROLLER_ID)
        self.begin()
        self.bed.put(GROUP, *NETWORKS.values(), *OWN.values(), *LISTENERS.values())
        for each in (PARENT, *LISTENERS.values()):
            self.bed.plug(each.id)
        self.bed.settle()

    def begin(self, *records: Any) -> None:
        """Start a process that knows these records."""
        site = evolve(site_for(self.records, self.clock), l2=L2Settings(tunnel_ip="192.0.2.1"))
        self.bed = DriverBed(
            OvsDriver().install_on(site, edges_of(self.world)),
            self.clock,
            self.records,
            self.world.plug,
            self.world.unplug,
        )
        self.bed.start(*records)
        self.addCleanup(self.bed.stop)

    def send(self, sender: PortRecord, frame: Packet | bytes) -> Walk:
        """Let the VM of a port send a frame."""
        number = self.world.ofport_of(sender.id)
        assert number is not None
        return self.world.switch.walk(number, bytes(frame))

    def heard(self, walk: Walk) -> set[str]:
        """Return the listeners that a frame reached."""
        reached = {out.ofport for out in walk.outputs}
        return {name for name, each in LISTENERS.items() if self.world.ofport_of(each.id) in reached}

    def at_parent(self, walk: Walk) -> list[Packet]:
        """Return the frames that reached the VM with the trunk."""
        number = self.world.ofport_of(PARENT.id)
        return [Ether(out.frame) for out in walk.outputs if out.ofport == number]

    def tags(self, walk: Walk) -> list[int | None]:
        """Return the tags of the frames that reached the VM with the trunk; None of one without."""
        return [frame[Dot1Q].vlan if Dot1Q in frame else None for frame in self.at_parent(walk)]

    def gone(self, *records: Any) -> None:
        """Tell the host that ports are gone."""
        self.bed.update(Update(HOST, "l2", gone=tuple(Gone(each.kind, each.id, 99) for each in records)))


def tagged(record: PortRecord, packet: Packet, target: str = BROADCAST) -> Packet:
    """Return a frame of a sub-port, or of a plain port."""
    frame: Packet = Ether(src=record.mac_address, dst=target)
    if record.segmentation_id:
        frame /= Dot1Q(vlan=record.segmentation_id)
    return frame / packet


def who_has(record: PortRecord, address: str) -> Packet:
    """Return an ARP request."""
    mine = record.fixed_ips[0].ip_address
    return tagged(record, ARP(op=1, hwsrc=record.mac_address, psrc=mine, pdst=address))


class TagTests(TrunkCase):
    """Tags and what they mean."""

    def test_every_row(self) -> None:
        """Who hears what the VM sends."""

        def heard(row: Row) -> set[str]:
            frame = row.frame(OWN[row.mac_of].mac_address, OWN[row.ip_of].fixed_ips[0].ip_address)
            return self.heard(self.send(PARENT, frame))

        self.assertEqual({row.name: heard(row) for row in ROWS}, {row.name: set(row.heard_by) for row in ROWS})

    def test_what_is_for_a_sub_port_arrives_with_its_tag(self) -> None:
        """Broadcast once, and what is for its MAC; of the parent without a tag."""
        for name, listener in LISTENERS.items():
            for target in (BROADCAST, OWN[name].mac_address):
                walk = self.send(listener, Ether(src=listener.mac_address, dst=target) / ARP(op=2))
                self.assertEqual(self.tags(walk), [VLAN_OF.get(name)], str(walk))

    def test_other_ports_never_send_tags(self) -> None:
        """The tag of a sub-port on its own network neither."""
        for name, listener in LISTENERS.items():
            frame = Ether(src=listener.mac_address, dst=BROADCAST) / Dot1Q(vlan=VLAN_OF.get(name, 101)) / ARP()
            self.assertTrue(self.send(listener, frame).is_dropped)

    def test_two_ports_of_a_trunk_on_one_network_hear_each_other(self) -> None:
        """But not themselves; also the parent and a sub-port."""
        twin = evolve(port(0x3A, "n-second", parent_id=PARENT.id, segmentation_id=7))
        inner = evolve(port(0x1B, "n-parent", parent_id=PARENT.id, segmentation_id=8))
        self.bed.put(twin, inner)
        for sender, receiver, tag in (
            (SECOND, twin, 7),
            (twin, SECOND, 102),
            (PARENT, inner, 8),
            (inner, PARENT, None),
        ):
            for target in (BROADCAST, receiver.mac_address):
                mine = sender.fixed_ips[0].ip_address
                asked = ARP(op=1, hwsrc=sender.mac_address, psrc=mine, pdst="10.0.0.99")
                self.assertEqual(self.tags(self.send(PARENT, tagged(sender, asked, target))), [tag])

    def test_a_sub_port_has_port_security_of_its_own(self) -> None:
        """Without it any MAC is taken under its tag, and under no other."""
        self.bed.put(evolve(FIRST, version=9, port_security=False))
        strange = Ether(src="02:00:00:00:00:09", dst=BROADCAST) / Dot1Q(vlan=101) / ARP(op=2)
        self.assertEqual(self.heard(self.send(PARENT, strange)), {"first"})
        strange[Dot1Q].vlan = 102
        self.assertEqual(self.heard(self.send(PARENT, strange)), set())


class AnswerTests(TrunkCase):
    """Who asks with a tag is answered with it."""

    def test_dhcp(self) -> None:
        """The process learns which sub-port asks, without the tag; the answer has it."""
        seen: list[PortFrame] = []
        frames = self.bed.parts.frames.frames
        frames.subscribe(Purpose.DHCP4, seen.append)
        asked = Ether(src=FIRST.mac_address, dst=BROADCAST) / Dot1Q(vlan=101) / IP(src="0.0.0.0", dst="255.255.255.255")
        self.world.send(PARENT.id, bytes(asked / UDP(sport=68, dport=67)))
        (found,) = seen
        self.assertEqual((found.port_id, Dot1Q in Ether(found.frame)), (FIRST.id, False))
        heard: list[bytes] = []
        self.world.listen(PARENT.id, heard.append)
        frames.send(found.reply_to, found.frame)
        self.assertEqual([Ether(each)[Dot1Q].vlan for each in heard], [101])

    def test_arp_and_echo_of_the_address_server(self) -> None:
        """By flows."""
        answered = self.send(PARENT, who_has(FIRST, "10.0.0.2"))
        self.assertEqual(self.tags(answered), [101])
        self.assertEqual(self.at_parent(answered)[0][ARP].hwsrc, "fa:16:3e:00:00:02")
        ip = IP(src=FIRST.fixed_ips[0].ip_address, dst="10.0.0.2")
        self.assertEqual(self.tags(self.send(PARENT, tagged(FIRST, ip / ICMP(), "fa:16:3e:00:00:02"))), [101])
        self.assertEqual(self.tags(self.send(PARENT, who_has(PARENT, "10.0.0.2"))), [None])

    def test_neighbours_on_other_hosts(self) -> None:
        """ARP and neighbour discovery are answered here, with the tag; what is for them goes there, without one."""
        far = RemotePortRecord(
            "f1", 5, "n-first", "host-b", "fa:16:3e:00:0b:01",
            (FixedIp("s", "10.0.0.21"), FixedIp("s6", "fd00::21")),
        )  # fmt: skip
        self.bed.put(evolve(network("n-first", "vxlan"), version=9), PeerRecord("host-b", 4, "192.0.2.2"), far)
        self.assertEqual(self.tags(self.send(PARENT, who_has(FIRST, "10.0.0.21"))), [101])
        mine = FIRST.fixed_ips[1].ip_address
        asked = IPv6(src=mine, dst="ff02::1:ff00:21") / ICMPv6ND_NS(tgt="fd00::21")
        asked /= ICMPv6NDOptSrcLLAddr(lladdr=FIRST.mac_address)
        walk = self.send(PARENT, tagged(FIRST, asked, "33:33:ff:00:00:21"))
        self.assertEqual(self.tags(walk), [101], str(walk))
        self.assertIn(ICMPv6ND_NA, self.at_parent(walk)[0])
        sent = self.send(PARENT, tagged(FIRST, IP(src=FIRST.fixed_ips[0].ip_address) / ICMP(), far.mac_address))
        (out,) = sent.outputs
        self.assertEqual((dict(out.tunnel)["tun_id"], Dot1Q in Ether(out.frame)), (5001, False))


class LifeTests(TrunkCase):
    """Sub-ports come and go, and so does their parent's device."""

    def expect(self, record: PortRecord, version: int, plugged: bool) -> None:
        """This is what is reported of a port."""
        self.assertEqual(self.bed.report_of(record.id), PortReport(record.id, version, plugged))

    def reaches(self, record: PortRecord) -> bool:
        """Whether the neighbour of a sub-port hears it."""
        return bool(self.heard(self.send(PARENT, who_has(record, "10.0.0.99"))))

    def test_sub_ports_are_in_force_with_the_device_of_their_parent(self) -> None:
        """They have none of their own."""
        self.expect(FIRST, 1, plugged=True)
        self.bed.unplug(PARENT.id)
        self.bed.settle()
        self.expect(FIRST, 0, plugged=False)
        self.bed.plug(PARENT.id)
        self.bed.settle()
        self.expect(FIRST, 1, plugged=True)
        self.assertTrue(self.reaches(FIRST))

    def test_a_device_that_says_it_is_a_sub_port_is_dead(self) -> None:
        """Its frames are on its parent's."""
        self.bed.plug(FIRST.id)
        self.bed.settle()
        untagged = Ether(src=FIRST.mac_address, dst=BROADCAST) / ARP(op=2)
        self.assertTrue(self.send(FIRST, untagged).is_dropped)
        self.assertTrue(self.reaches(FIRST))

    def test_a_sub_port_that_is_taken_out_is_silent(self) -> None:
        """The other goes on; nothing of it is left."""
        before = self.world.switch.state()
        self.gone(FIRST)
        self.assertFalse(self.reaches(FIRST))
        self.assertTrue(self.reaches(SECOND))
        left = [flow for flow in self.world.switch.flows.values() if flow.cookie & 0xFFFF_FFFF == 0x1065_0001]
        self.assertEqual(left, [])
        self.bed.put(evolve(FIRST, version=100))
        self.assertEqual(set(self.world.switch.state().flows), set(before.flows))

    def test_a_tag_can_be_given_to_another(self) -> None:
        """At once, in whatever order the host hears of it."""
        heir = evolve(SECOND, id=port_id(0x32), version=9, segmentation_id=101)
        self.bed.put(heir)
        self.gone(FIRST)
        self.assertEqual(
            self.heard(
                self.send(PARENT, tagged(heir, ARP(op=1, hwsrc=heir.mac_address, psrc=heir.fixed_ips[0].ip_address)))
            ),
            {"second"},
        )
        self.assertEqual(self.heard(self.send(PARENT, who_has(FIRST, "10.0.0.99"))), set())

    def test_a_disabled_sub_port_is_silent(self) -> None:
        """The parent need not be enabled: it has a device."""
        self.bed.put(evolve(FIRST, version=9, admin_state_up=False), evolve(PARENT, version=9, admin_state_up=False))
        self.assertFalse(self.reaches(FIRST))
        self.assertTrue(self.reaches(SECOND))
        self.expect(FIRST, 0, plugged=True)

    def test_a_restart_changes_nothing(self) -> None:
        """All that is there is recognised."""
        before = self.world.switch.state()
        self.bed.stop()
        known, self.records = tuple(self.records), Records()
        self.world.switch.changes.clear()
        self.begin(*known)
        self.assertEqual((self.world.switch.state(), list(self.world.switch.changes)), (before, []))
        self.expect(FIRST, 1, plugged=True)

    def test_flows_of_ports_without_trunks_are_as_many_as_before(self) -> None:
        """What trunks need of the bridge is there once."""
        output = [flow for flow in self.world.switch.flows.values() if flow.table == Table.OUTPUT]
        # One for all, four of the bridge, two of each port of the trunk.
        self.assertEqual(len(output), 1 + 4 + 2 * 3)
