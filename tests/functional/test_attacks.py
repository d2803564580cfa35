"""What an attacker with root inside a VM sends to get around port security and groups. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scapy.layers.dhcp6 import DHCP6_Advertise
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_RA, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
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
        port = f"in_port={self.ofport(self.attacker)}"
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
