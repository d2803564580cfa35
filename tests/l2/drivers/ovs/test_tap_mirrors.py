"""Mirrors on a switch in memory: what is copied to addresses outside, and by which tunnel ports."""

from __future__ import annotations

from attrs import evolve
from scapy.layers.inet import IP
from scapy.layers.l2 import ARP, GRE, Ether
from scapy.packet import Packet

from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import ETH_IPV4
from quantumd.edge.openflow.walk import Walk
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.model.tap_records import TapRecord
from tests.l2.drivers.ovs.test_taps import ALICE, BOB, TapCase, datagram, tap
from tests.l2.drivers.ovs.test_trunks import BROADCAST, FIRST, LISTENERS, PARENT, tagged

COLLECTOR, COLLECTOR_6 = "192.0.2.77", "2001:db8::77"


def mirror(port_id: str, in_id: int = 5, out_id: int = 6, n: int = 1, **said: str) -> TapMirrorRecord:
    """Return a mirror."""
    whole = {"mirror_type": "gre", "remote_ip": COLLECTOR, **said}
    return TapMirrorRecord(f"m{n}", 1, port_id, in_id=in_id, out_id=out_id, **whole)


class MirrorCase(TapCase):
    """The VMs of taps."""

    def kinds(self) -> set[str]:
        """Return the kinds of tunnel ports of mirrors that there are."""
        names = self.world.ovsdb.ports_of("br-int")
        return {name.removeprefix("mir-") for name in names if name.startswith("mir-")}

    def outside(self, walk: Walk) -> list[tuple[str, dict[str, int], bytes]]:
        """Return what left outside: by which kind, with what said of the tunnel, and the frame."""
        names = {each.ofport: each.name for each in self.world.switch.ports.values()}
        return [
            (names[out.ofport].removeprefix("mir-"), dict(out.tunnel), out.frame)
            for out in walk.outputs
            if names[out.ofport].startswith("mir-")
        ]

    def ids(self, walk: Walk) -> list[int]:
        """Return under which ids copies left."""
        return sorted(tunnel["tun_id"] for _, tunnel, _ in self.outside(walk))

    def put_and_settle(self, *records: TapMirrorRecord | TapRecord) -> None:
        """Let the host know; tunnel ports come when they are asked for."""
        self.bed.put(*records)
        self.bed.settle()


class CopyTests(MirrorCase):
    """What is copied."""

    def test_directions_have_their_ids(self) -> None:
        """And the frame's own way is as before."""
        sends, gets = (ALICE, datagram(ALICE, BOB.mac_address)), (BOB, datagram(BOB, ALICE.mac_address))
        before = [self.send(*each).outputs for each in (sends, gets)]
        self.put_and_settle(mirror(ALICE.id))
        for (sender, frame), tunnel_id, own in zip((sends, gets), (6, 5), before, strict=True):
            walk = self.send(sender, frame)
            copied = ("gre", {"tun_id": tunnel_id, "tun_dst": 0xC000024D}, bytes(frame))
            self.assertEqual(self.outside(walk), [copied])
            self.assertEqual([out for out in walk.outputs if not out.tunnel], list(own))
        self.put_and_settle(evolve(mirror(ALICE.id, in_id=0), version=2))
        self.assertEqual((self.ids(self.send(*sends)), self.ids(self.send(*gets))), ([6], []))
        self.gone(evolve(mirror(ALICE.id), version=3))
        self.assertEqual([self.send(*each).outputs for each in (sends, gets)], before)

    def test_over_ipv6(self) -> None:
        """By a port of its own; where a tunnel over IPv4 ended does not count."""
        self.put_and_settle(mirror(ALICE.id, mirror_type="erspanv1", remote_ip=COLLECTOR_6))
        (copy,) = self.outside(self.send(ALICE, datagram(ALICE, BOB.mac_address)))
        self.assertEqual(copy[0], "ip6erspan")
        self.assertEqual(copy[1]["tun_ipv6_dst"], 0x20010DB8000000000000000000000077)
        self.assertFalse(copy[1].get("tun_dst"))

    def test_broadcast_and_answers_of_the_switch_are_copied(self) -> None:
        """What it sends to all, and what the switch says to it."""
        self.put_and_settle(mirror(ALICE.id))
        asked = ARP(op=1, hwsrc=ALICE.mac_address, psrc="10.0.0.16", pdst="10.0.0.2")
        walk = self.send(ALICE, Ether(src=ALICE.mac_address, dst=BROADCAST) / asked)
        self.assertEqual(self.ids(walk), [5, 6])

    def test_sub_ports(self) -> None:
        """Copies of theirs have no tag."""
        self.put_and_settle(mirror(FIRST.id))
        sent = tagged(FIRST, ARP(op=1, hwsrc=FIRST.mac_address, psrc=FIRST.fixed_ips[0].ip_address, pdst="10.0.0.99"))
        self.assertEqual(self.ids(self.send(PARENT, sent)), [6])
        gets = Ether(src=LISTENERS["first"].mac_address, dst=FIRST.mac_address) / ARP(op=2)
        (copy,) = self.outside(self.send(LISTENERS["first"], gets))
        self.assertEqual(copy[2], bytes(gets))

    def test_gre_is_not_mirrored(self) -> None:
        """It may be copies; taps get it nevertheless."""
        self.put_and_settle(mirror(ALICE.id), mirror(ALICE.id, 7, 8, 2), tap(ALICE))
        for sender, target in ((ALICE, BOB), (BOB, ALICE)):
            walk = self.send(sender, self.in_gre(datagram(sender, target.mac_address)))
            self.assertEqual((self.ids(walk), len(self.copies(walk)), len(walk.outputs)), ([], 1, 2))

    def in_gre(self, frame: Packet) -> Packet:
        """Return a frame that a mirror might have sent."""
        return Ether(src=frame.src, dst=frame.dst) / IP(src=frame[IP].src) / GRE() / frame

    def test_a_tapped_port_without_mirrors_has_none_of_their_flows(self) -> None:
        """GRE goes the way of all frames."""
        self.bed.put(tap(ALICE))
        is_gre = match(eth_type=ETH_IPV4, ip_proto=47, reg7=self.number(ALICE))
        self.assertNotIn(is_gre, {flow.match for flow in self.world.switch.state().flows})
        self.put_and_settle(mirror(ALICE.id))
        self.assertIn(is_gre, {flow.match for flow in self.world.switch.state().flows})


class TunnelPortTests(MirrorCase):
    """Tunnel ports are there while mirrors need them."""

    def test_they_come_and_go(self) -> None:
        """Each kind with its first mirror and its last one."""
        self.assertEqual(self.kinds(), set())
        self.put_and_settle(mirror(ALICE.id), mirror(BOB.id, n=2), mirror(BOB.id, n=3, mirror_type="erspanv1"))
        self.assertEqual(self.kinds(), {"gre", "erspan"})
        self.gone(evolve(mirror(ALICE.id), version=7), evolve(mirror(BOB.id, n=3), version=7))
        self.bed.settle()
        self.assertEqual(self.kinds(), {"gre"})
        self.gone(evolve(mirror(BOB.id, n=2), version=8))
        self.bed.settle()
        self.assertEqual(self.kinds(), set())

    def test_a_type_of_a_newer_server_is_none(self) -> None:
        """The port is as if it had no mirror."""
        before = set(self.world.switch.state().flows)
        self.put_and_settle(mirror(ALICE.id, mirror_type="of tomorrow"))
        self.assertEqual((self.kinds(), set(self.world.switch.state().flows)), (set(), before))

    def test_one_that_is_not_opened_is_a_fault_of_the_host_and_not_of_the_port(self) -> None:
        """The port works, and the host says what is wrong."""
        self.put_and_settle(mirror(ALICE.id))
        self.world.ovsdb.set_ofport("mir-gre", -1)
        self.bed.settle()
        self.assertIn(("mirror", "gre"), self.bed.parts.faults())
        self.assertIsNone(self.bed.told[ALICE.id].fault)
