"""What an attacker with root inside a VM sends to get around port security and groups. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scapy.layers.dhcp6 import DHCP6_Advertise
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_RA, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, LLC, STP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.packet import Packet, Raw

from tests.bed.attacker import AttackCase, link_local
from tests.bed.wire import Wire
from tests.functional.test_security_groups import GroupsCase

_UDP, _ICMPV6, _OPTIONS = 17, 58, 60
_MARK_BYTES = 20


class HiddenHeaderTests(AttackCase):
    """What port security drops, in pieces of which the first does not show what it is.

    The groups of the attacker are stateless: the tracker would drop some of this by itself.
    """

    def setUp(self) -> None:
        """Change the attacker's group."""
        super().setUp()
        group = self.appliance.create("security_group", name="g", stateful=False)
        self.update("port", self.attacker.id, security_groups=[group["id"]])
        port = f"reg9={int(self.ofport(self.attacker)):#x}"
        self.wait_for("the group", lambda: bool(self.flows_with("table=30", port, "goto_table:32")))

    def first(self, kind: int, body: bytes) -> bytes:
        """Return the first piece of a packet to everyone, whose fragment header says what begins there."""
        head = Ether(src=self.attacker.mac, dst="33:33:00:00:00:01")
        ipv6 = IPv6(src=link_local(self.attacker.mac), dst="ff02::1")
        return bytes(head / ipv6 / IPv6ExtHdrFragment(nh=kind, offset=0, m=1, id=7) / Raw(body))

    def test_a_first_piece_that_ends_before_its_header_is_dropped(self) -> None:
        """A router advertisement and a DHCP server would be put together from it; what shows it is dropped too."""
        link = link_local(self.attacker.mac)
        advertises: Packet = IPv6(src=link, dst="ff02::1") / ICMPv6ND_RA()
        serves: Packet = IPv6(src=link, dst="ff02::1") / UDP(sport=547, dport=546) / DHCP6_Advertise()
        spoofed = {
            "advertises later": self.first(_OPTIONS, _options(_ICMPV6, "advertises later")),
            "serves later": self.first(_OPTIONS, _options(_UDP, "serves later")),
            "advertises": self.first(_OPTIONS, _options(_ICMPV6, "advertises") + bytes(advertises)[40:]),
            "serves": self.first(_OPTIONS, _options(_UDP, "serves") + bytes(serves)[40:]),
        }
        self.assertEqual(self.marked_arrived(spoofed), [])

    def test_a_first_piece_that_ends_inside_its_options_is_dropped(self) -> None:
        """Whatever comes after them."""
        spoofed = {"cut": self.first(_OPTIONS, _options(_ICMPV6, "cut", missing=8))}
        self.assertEqual(self.marked_arrived(spoofed), [])

    def test_a_first_piece_that_shows_what_it_is_arrives(self) -> None:
        """Behind options too."""
        datagram = bytes(IPv6(src="::", dst="::") / UDP(sport=4000, dport=4000) / Raw(bytes(16)))[40:]
        shown = {"shown": self.first(_OPTIONS, _options(_UDP, "shown") + datagram)}
        self.assertEqual(self.marked_arrived(shown), ["shown"])


class StrangeFrameTests(AttackCase):
    """Frames that hide from what looks at IP and ARP."""

    def test_tags_and_frames_without_a_type_are_dropped(self) -> None:
        """Of the attacker's own network too, and with the tag of no network."""
        ether, packet = Ether(src=self.attacker.mac, dst=self.victim.mac), self.own(self.attacker).payload
        to_bridges = Dot3(src=self.attacker.mac, dst="01:80:c2:00:00:00")
        strange = {
            "priority": ether / Dot1Q(vlan=0) / packet,
            "tag": ether / Dot1Q(vlan=1) / packet,
            "two tags": ether / Dot1Q(vlan=1) / Dot1Q(vlan=2) / packet,
            "provider tag": ether / Dot1AD(vlan=1) / Dot1Q(vlan=2) / packet,
            "old provider tag": Ether(src=self.attacker.mac, dst=self.victim.mac, type=0x9100) / Raw(b"\0\1") / packet,
            "spanning tree": to_bridges / LLC() / STP(),
            "no type": Dot3(src=self.attacker.mac, dst=self.victim.mac) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3),
            "reverse arp": Ether(src=self.attacker.mac, dst=self.victim.mac, type=0x8035) / ARP(op=4),
        }
        self.assertEqual(self.arrived(strange), [])

    def test_no_mac_but_the_own_sends(self) -> None:
        """Not a group's, not all zero, not the victim's, not the DHCP server's."""
        server = self.network_mac()
        macs = ("01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", self.victim.mac, server)
        frames = {
            mac.replace(":", ""): Ether(src=mac, dst=self.victim.mac) / self.own(self.attacker).payload for mac in macs
        }
        self.assertEqual(self.arrived(frames), [])

    def network_mac(self) -> str:
        """Return the MAC of the network's DHCP server, as a VM learns it."""
        with Wire(self.attacker.vm.namespace) as wire:
            question = ARP(op=1, hwsrc=self.attacker.mac, psrc=self.ipv4(self.attacker), pdst="10.0.0.2")
            wire.send(bytes(Ether(src=self.attacker.mac, dst="ff:ff:ff:ff:ff:ff") / question))
            answer = wire.await_frame(lambda frame: ARP in Ether(frame) and Ether(frame)[ARP].op == 2)
        return str(Ether(answer or b"")[ARP].hwsrc)

    def test_a_flood_of_questions_hinders_nobody(self) -> None:
        """ARP for every address, and requests for an address: another VM is plugged, gets in and is answered."""
        mac, ipv4 = self.attacker.mac, self.ipv4(self.attacker)
        head = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
        asks = head / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / Raw(bytes(300))
        frames = [bytes(head / ARP(op=1, hwsrc=mac, psrc=ipv4, pdst=f"10.0.{n >> 8}.{n & 255}")) for n in range(2000)]
        flood = [*frames, *([bytes(asks)] * 2000)]
        with Wire(self.attacker.vm.namespace) as mouth:
            mouth.send(*flood)
            other = self.plugged(self.network)
            mouth.send(*flood)
            self.assertTrue(other.can_reach("10.0.0.2"))


class OverlapTests(GroupsCase):
    """Two networks on one host with the same addresses."""

    def test_a_connection_of_one_lets_nothing_pass_on_the_other(self) -> None:
        """Its answer, said on the other network, is nobody's."""
        sides = []
        for _ in range(2):
            network, group = self.make_network("10.0.0.0/24"), self.group()
            fixed = [[{"ip_address": f"10.0.0.{n}"}] for n in (11, 12)]
            sides.append([self.members(network, group, fixed_ips=each) for each in fixed])
        open_group = self.group({"protocol": "udp"})
        self.update("port", sides[0][1].id, security_groups=[open_group["id"]])
        self.wait_for("the way there", lambda: self.hears_datagram(sides[0][1], sides[0][0], 5000))
        for (client, server), expected in zip(sides, (True, False), strict=True):
            self.assertEqual(self.hears_datagram(client, server, 4000, source_port=5000), expected)


class RelatedTests(GroupsCase):
    """Errors about connections that their receiver never let in."""

    def test_an_error_about_a_forged_connection_is_dropped(self) -> None:
        """The connection's first packet has the victim's address and nobody's MAC, so that the victim is not asked."""
        network = self.make_network("10.0.0.0/24")
        attacker, victim = self.members(network, self.group()), self.members(network, self.group())
        opening = IP(src=attacker.ip, dst=victim.ip) / UDP(sport=1000, dport=2000) / Raw(b"opening")
        answer = IP(src=victim.ip, dst=attacker.ip) / UDP(sport=2000, dport=1000) / Raw(b"an error")
        error = IP(src=attacker.ip, dst=victim.ip) / ICMP(type=3, code=3) / answer
        frames = [
            bytes(Ether(src=attacker.mac, dst=mac) / packet)
            for mac, packet in (("02:00:00:00:00:01", opening), (victim.mac, error))
        ]
        self.assertFalse(self.hears(victim, attacker, *frames, mark=b"an error"))


class ForgedStartTests(GroupsCase):
    """A VM without port security speaks in the name of others."""

    def test_answers_to_a_forged_first_packet_are_dropped(self) -> None:
        """Who is named in it did not ask, and lets nothing in."""
        network = self.make_network("10.0.0.0/24")
        victim, server = self.members(network, self.group()), self.members(network, self.group({"protocol": "udp"}))
        stranger = self.plugged(network, port_security_enabled=False, security_groups=[])
        opening = IP(src=victim.ip, dst=server.ip) / UDP(sport=4000, dport=53) / Raw(b"opening")
        answer = IP(src=server.ip, dst=victim.ip) / UDP(sport=53, dport=4000) / Raw(b"an answer")
        frames = [
            bytes(Ether(src=stranger.mac, dst=target.mac) / packet)
            for target, packet in ((server, opening), (victim, answer))
        ]
        self.assertTrue(self.hears(server, stranger, frames[0], mark=b"opening"))
        self.assertFalse(self.hears(victim, stranger, frames[1], mark=b"an answer"))
        self.assertFalse(self.hears_datagram(victim, server, 4000, source_port=53))


class ExhaustionTests(GroupsCase):
    """One VM opens connections until no more can be remembered."""

    settings: ClassVar[Mapping[str, str]] = {**GroupsCase.settings, "l2.connections_per_network": "50"}

    def setUp(self) -> None:
        """Make the switch one that remembers 100, an attacker, and a server and its client on another network."""
        super().setUp()
        self.ovs.appctl("dpctl/ct-set-maxconns", "100")
        self.attacker = self.plugged(self.make_network("10.0.0.0/24"))
        network = self.make_network("10.0.0.0/24")
        self.server = self.members(network, self.group({"protocol": "icmp"}))
        self.client = self.members(network, self.group())

    def test_other_networks_have_connections_of_their_own(self) -> None:
        """A client that lets nothing in hears the server's answers, while its neighbour floods."""
        head = Ether(src=self.attacker.mac, dst="02:00:00:00:00:01") / IP(src=self.attacker.ip, dst="10.0.0.250")
        with Wire(self.attacker.vm.namespace) as mouth:
            mouth.send(*(bytes(head / UDP(sport=4000, dport=port)) for port in range(1000, 1300)))
        self.wait_for("the flood", lambda: len(self.tracked(self.attacker.ip)) >= 49)
        self.assertTrue(self.client.can_reach(self.server.ip, tries=3))

    def test_the_limit_is_back_after_a_restart_of_the_switch(self) -> None:
        """It is not in the database."""
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()
        self.wait_for("the limit", lambda: "zone=1,limit=50" in self.ovs.appctl("dpctl/ct-get-limits"), 20.0)


def _options(following: int, name: str, missing: int = 0) -> bytes:
    """Return destination options (RFC 8200 4.6) of padding that names a frame, said to be longer by ``missing``."""
    padding = f"<{name}>".encode().ljust(_MARK_BYTES, b"\0")
    return bytes((following, (len(padding) + 4 + missing) // 8 - 1, 1, len(padding) + missing)) + padding
