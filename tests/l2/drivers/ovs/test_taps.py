"""Taps on an Open vSwitch in memory: who gets copies, and that nobody else notices."""

from __future__ import annotations

from attrs import evolve
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet

from quantumd.edge.openflow.walk import Emission, Walk
from quantumd.model.records import PeerRecord, PortRecord
from quantumd.model.tap_records import TapRecord
from tests.l2.drivers.ovs.test_trunks import BROADCAST, FIRST, LISTENERS, PARENT, TrunkCase, network, port, tagged

ALICE = port(0x66, "n-parent")
BOB = port(0x67, "n-parent")
EAR = port(0x68, "n-second", port_security=True)
HERE, THERE = "192.0.2.1", "192.0.2.2"
NUMBER = 77


def tap(source: PortRecord, direction: str = "BOTH", target: PortRecord = EAR, n: int = 1) -> TapRecord:
    """Return a tap on this host."""
    return TapRecord(f"t{n}", 1, source.id, target.id, direction, NUMBER)


def datagram(sender: PortRecord, target: str) -> Packet:
    """Return a frame of a port."""
    return Ether(src=sender.mac_address, dst=target) / IP(src=sender.fixed_ips[0].ip_address) / UDP()


class TapCase(TrunkCase):
    """Two VMs, one that listens to them, and a VM with a trunk."""

    def setUp(self) -> None:
        super().setUp()
        self.bed.put(ALICE, BOB, EAR)
        for each in (ALICE, BOB, EAR):
            self.bed.plug(each.id)
        self.bed.settle()

    def number(self, record: PortRecord) -> int:
        """Return the OpenFlow number of a VM."""
        found = self.world.ofport_of(record.id)
        assert found is not None
        return found

    def copies(self, walk: Walk, ear: PortRecord = EAR) -> list[bytes]:
        """Return what came to a port."""
        return [out.frame for out in walk.outputs if out.ofport == self.number(ear)]

    def others(self, walk: Walk) -> list[Emission]:
        """Return what went elsewhere."""
        return [out for out in walk.outputs if out.ofport != self.number(EAR)]


class HereTests(TapCase):
    """Both ports are on this host."""

    def test_what_is_copied(self) -> None:
        """What it sends, what it gets, or both; once; and all else goes its way as before."""
        frames = {
            "sends": (ALICE, datagram(ALICE, BOB.mac_address)),
            "gets": (BOB, datagram(BOB, ALICE.mac_address)),
            "all get": (BOB, datagram(BOB, BROADCAST)),
            "sends to all": (ALICE, datagram(ALICE, BROADCAST)),
            "of others": (BOB, datagram(BOB, PARENT.mac_address)),
        }
        before = {name: self.send(*said).outputs for name, said in frames.items()}
        wanted = {
            "IN": {"gets", "all get"},
            "OUT": {"sends", "sends to all"},
            "BOTH": {"gets", "all get", "sends", "sends to all"},
        }
        for n, (direction, names) in enumerate(wanted.items(), start=2):
            self.bed.put(evolve(tap(ALICE, direction), version=n))
            walks = {name: self.send(*said) for name, said in frames.items()}
            heard = {name for name, walk in walks.items() if self.copies(walk)}
            self.assertEqual(heard, names)
            for name, walk in walks.items():
                self.assertEqual(self.copies(walk), [bytes(frames[name][1])] if name in names else [])
                self.assertEqual(sorted(map(str, self.others(walk))), sorted(map(str, before[name])))
        self.gone(evolve(tap(ALICE), version=98))
        self.assertEqual({name: self.send(*said).outputs for name, said in frames.items()}, before)

    def test_answers_of_the_switch_are_copied(self) -> None:
        """They reach the port too."""
        self.bed.put(tap(ALICE, "IN"))
        asked = ARP(op=1, hwsrc=ALICE.mac_address, psrc="10.0.0.16", pdst="10.0.0.2")
        (copy,) = self.copies(self.send(ALICE, Ether(src=ALICE.mac_address, dst=BROADCAST) / asked))
        self.assertEqual(Ether(copy)[ARP].op, 2)

    def test_what_the_listener_sends_to_the_tapped_port_is_copied_too(self) -> None:
        """Though the switch keeps frames from where they came."""
        peer = evolve(EAR, version=9, network_id="n-parent", port_security=False)
        self.bed.put(peer, tap(ALICE))
        frame = datagram(peer, ALICE.mac_address)
        self.assertEqual(self.copies(self.send(peer, frame)), [bytes(frame)])

    def test_a_sub_port_is_tapped_and_may_listen(self) -> None:
        """Copies of what it sends have no tag; copies for it have its own."""
        self.bed.put(tap(FIRST))
        frame = tagged(FIRST, ARP(op=1, hwsrc=FIRST.mac_address, psrc=FIRST.fixed_ips[0].ip_address, pdst="10.0.0.99"))
        (copy,) = self.copies(self.send(PARENT, frame))
        self.assertNotIn(Dot1Q, Ether(copy))
        gets = Ether(src=LISTENERS["first"].mac_address, dst=FIRST.mac_address) / ARP(op=2)
        walk = self.send(LISTENERS["first"], gets)
        self.assertEqual((self.copies(walk), self.tags(walk)), ([bytes(gets)], [101]))
        self.bed.put(tap(ALICE, "OUT", FIRST, 2))
        walk = self.send(ALICE, datagram(ALICE, BOB.mac_address))
        self.assertEqual(self.tags(walk), [101])

    def test_several_taps(self) -> None:
        """Each listener gets one copy, however often it asked for it."""
        self.bed.put(tap(ALICE, "OUT", EAR, 1), tap(ALICE, "BOTH", EAR, 2), tap(ALICE, "BOTH", PARENT, 3))
        walk = self.send(ALICE, datagram(ALICE, BOB.mac_address))
        self.assertEqual((len(self.copies(walk)), len(self.copies(walk, PARENT))), (1, 1))

    def test_copies_follow_the_listeners_device(self) -> None:
        """None while it is unplugged or disabled; then again."""
        self.bed.put(tap(ALICE))
        frame = datagram(ALICE, BOB.mac_address)
        before = self.world.switch.state()
        self.bed.unplug(EAR.id)
        self.bed.settle()
        self.assertEqual(len(self.send(ALICE, frame).outputs), 1)
        self.bed.plug(EAR.id)
        self.bed.settle()
        self.assertEqual(len(self.copies(self.send(ALICE, frame))), 1)
        self.bed.put(evolve(EAR, version=9, admin_state_up=False))
        self.assertEqual(len(self.send(ALICE, frame).outputs), 1)
        self.bed.put(evolve(EAR, version=10))
        self.assertEqual(set(self.world.switch.state().flows), set(before.flows))

    def test_a_port_that_taps_itself_gets_nothing_twice(self) -> None:
        """It hears itself anyway."""
        self.bed.put(tap(ALICE, "BOTH", ALICE))
        self.assertEqual(len(self.copies(self.send(BOB, datagram(BOB, ALICE.mac_address)), ALICE)), 1)


class AwayTests(TapCase):
    """The ports are on two hosts."""

    def tunnel(self) -> int:
        """Return the OpenFlow number of the tunnels."""
        (found,) = (each.ofport for each in self.world.switch.ports.values() if each.name == "tun-vxlan")
        return found

    def test_copies_leave_in_a_tunnel(self) -> None:
        """Under the service's number, with a tag that says what they are; the frame's own way has neither."""
        far = TapRecord("t1", 2, ALICE.id, "elsewhere", "OUT", NUMBER, "vxlan", HERE, THERE)
        self.bed.put(far)
        frame = datagram(ALICE, BOB.mac_address)
        walk = self.send(ALICE, frame)
        (copy,) = [out for out in walk.outputs if out.ofport == self.tunnel()]
        (own,) = [out for out in walk.outputs if out.ofport != self.tunnel()]
        self.assertEqual((own.frame, own.tunnel), (bytes(frame), ()))
        self.assertEqual(dict(copy.tunnel), {"tun_id": NUMBER, "tun_dst": 0xC0000202})
        self.assertEqual(Ether(copy.frame)[Dot1Q].vlan, 4095)
        self.bed.put(evolve(far, version=3, tunnel_type="", source_end="", target_end=""))
        self.assertEqual(len(self.send(ALICE, frame).outputs), 1)

    def test_copies_arrive_out_of_a_tunnel(self) -> None:
        """From the host of the source alone, under the number alone, and they are nothing else than copies."""
        self.bed.put(TapRecord("t1", 2, "elsewhere", EAR.id, "BOTH", NUMBER, "vxlan", THERE, HERE))
        frame = datagram(BOB, BROADCAST)
        copy = Ether(src=BOB.mac_address, dst=BROADCAST) / Dot1Q(vlan=4095) / frame.payload
        walk = self.arrive(copy, NUMBER, THERE)
        self.assertEqual((self.copies(walk), len(walk.outputs)), ([bytes(frame)], 1))
        for wrong in (self.arrive(copy, NUMBER + 1, THERE), self.arrive(copy, NUMBER, "192.0.2.9")):
            self.assertTrue(wrong.is_dropped)
        self.assertTrue(self.arrive(frame, NUMBER, THERE).is_dropped)

    def test_a_network_with_the_same_number_is_apart(self) -> None:
        """Its frames have no tag, and come to its ports."""
        vxlan = evolve(network("n-parent", "vxlan"), version=9, segmentation_id=NUMBER)
        self.bed.put(
            vxlan,
            PeerRecord("host-b", 4, THERE),
            TapRecord("t1", 2, "elsewhere", EAR.id, "BOTH", NUMBER, "vxlan", THERE, HERE),
        )
        self.assertEqual(self.copies(self.arrive(datagram(BOB, ALICE.mac_address), NUMBER, THERE)), [])

    def arrive(self, frame: Packet, number: int, source: str) -> Walk:
        """Let a frame come out of a tunnel."""
        end = int.from_bytes(bytes(map(int, source.split("."))), "big")
        return self.world.switch.walk(self.tunnel(), bytes(frame), tun_id=number, tun_src=end)
