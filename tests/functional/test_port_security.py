"""Port security as an attacker meets it: frames that say they are somebody else's, and what only servers say."""

from __future__ import annotations

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.dhcp6 import DHCP6_Advertise
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from tests.bed.attacker import AttackCase, link_local

BROADCAST = "ff:ff:ff:ff:ff:ff"
OTHER_MAC = "fa:16:3e:99:99:99"


class SpoofingTests(AttackCase):
    """What a port says it is."""

    def frames_from(self, mac: str, ipv4: str, ipv6: str) -> dict[str, Packet]:
        """Return frames of every kind in which a MAC and addresses say who sends."""
        head, everybody = Ether(src=mac, dst=self.victim.mac), Ether(src=mac, dst=BROADCAST)
        to4, to6 = self.ipv4(self.victim), self.ipv6(self.victim)
        return {
            "ipv4": head / IP(src=ipv4, dst=to4) / UDP(sport=1, dport=2),
            "ipv6": head / IPv6(src=ipv6, dst=to6) / UDP(sport=1, dport=2),
            "arp": everybody / ARP(op=1, hwsrc=mac, psrc=ipv4, pdst=to4),
            "arp reply": head / ARP(op=2, hwsrc=mac, psrc=ipv4, hwdst=self.victim.mac, pdst=to4),
            "arp probe": everybody / ARP(op=1, hwsrc=mac, psrc="0.0.0.0", pdst=ipv4),
            "advertisement": head / IPv6(src=ipv6, dst=to6) / ICMPv6ND_NA(tgt=ipv6) / ICMPv6NDOptDstLLAddr(lladdr=mac),
            "solicitation": head / IPv6(src=ipv6, dst=to6) / ICMPv6ND_NS(tgt=to6) / ICMPv6NDOptSrcLLAddr(lladdr=mac),
            "duplicate address": head / IPv6(src="::", dst="ff02::1:ff00:1") / ICMPv6ND_NS(tgt=ipv6),
        }  # fmt: skip

    def test_what_is_its_own_arrives(self) -> None:
        """All kinds of it: otherwise the rest would show nothing."""
        own = self.frames_from(self.attacker.mac, self.ipv4(self.attacker), self.ipv6(self.attacker))
        self.assertEqual(self.arrived(own), [*own])

    def test_another_mac_is_dropped(self) -> None:
        """Whatever it says with it."""
        spoofed = self.frames_from(OTHER_MAC, self.ipv4(self.attacker), self.ipv6(self.attacker))
        self.assertEqual(self.arrived(spoofed), [])

    def test_another_address_is_dropped(self) -> None:
        """A free one, and that of the victim."""
        for ipv4, ipv6 in (("10.0.0.250", "fd00:1::250"), (self.ipv4(self.victim), self.ipv6(self.victim))):
            spoofed = self.frames_from(self.attacker.mac, ipv4, ipv6)
            self.assertEqual(self.arrived(spoofed), [])

    def test_addresses_inside_are_looked_at(self) -> None:
        """The MACs in ARP and in neighbour discovery, where the frame's own is right."""
        mac, ipv4, ipv6 = self.attacker.mac, self.ipv4(self.attacker), self.ipv6(self.attacker)
        head, to6 = Ether(src=mac, dst=self.victim.mac), self.ipv6(self.victim)
        own, other = (ICMPv6NDOptSrcLLAddr(lladdr=each) for each in (mac, OTHER_MAC))
        told, wrongly_told = (ICMPv6NDOptDstLLAddr(lladdr=each) for each in (mac, OTHER_MAC))
        message = head / IPv6(src=ipv6, dst=to6)
        spoofed = {
            "arp": head / ARP(op=2, hwsrc=OTHER_MAC, psrc=ipv4, pdst=self.ipv4(self.victim)),
            "advertised mac": message / ICMPv6ND_NA(tgt=ipv6) / wrongly_told,
            "advertised target": message / ICMPv6ND_NA(tgt="fd00:1::250") / told,
            "soliciting mac": message / ICMPv6ND_NS(tgt=to6) / other,
            "two macs": message / ICMPv6ND_NS(tgt=to6) / other / own,
        }
        self.assertEqual(self.arrived(spoofed), [])

    def test_what_servers_and_routers_say_is_dropped(self) -> None:
        """From its own addresses; router advertisements also behind other headers."""
        mac, ipv4, ipv6 = self.attacker.mac, self.ipv4(self.attacker), self.ipv6(self.attacker)
        head = Ether(src=mac, dst=self.victim.mac)
        to_all = Ether(src=mac, dst="33:33:00:00:00:01")
        own_link = link_local(mac)
        answer = BOOTP(op=2, yiaddr="10.0.0.66") / DHCP(options=[("message-type", "offer"), "end"])
        spoofed = {
            "offer": head / IP(src=ipv4, dst="255.255.255.255") / UDP(sport=67, dport=68) / answer,
            "offer from another port": head / IP(src=ipv4, dst="255.255.255.255") / UDP(sport=6767, dport=68) / answer,
            "dhcpv6": head / IPv6(src=own_link, dst=ipv6) / UDP(sport=547, dport=546) / DHCP6_Advertise(),
            "advertisement": to_all / IPv6(src=own_link, dst="ff02::1") / ICMPv6ND_RA(),
            "hidden advertisement": to_all / IPv6(src=own_link, dst="ff02::1") / IPv6ExtHdrDestOpt() / ICMPv6ND_RA(),
            "redirect": head / IPv6(src=own_link, dst=self.ipv6(self.victim)) / ICMPv6ND_Redirect(tgt=own_link),
        }  # fmt: skip
        self.assertEqual(self.arrived(spoofed), [])

    def test_unknown_kinds_of_frames_are_dropped(self) -> None:
        """What is neither IP nor ARP cannot be checked."""
        strange = {"strange": Ether(src=self.attacker.mac, dst=self.victim.mac, type=0x88B5)}
        self.assertEqual(self.arrived(strange), [])

    def test_allowed_address_pairs_are_allowed(self) -> None:
        """A prefix with the port's MAC, an address with another; and nothing but these."""
        pairs = [{"ip_address": "10.9.0.0/16"}, {"ip_address": "fd00:9::9", "mac_address": OTHER_MAC}]
        self.update("port", self.attacker.id, allowed_address_pairs=pairs)
        own = self.frames_from(self.attacker.mac, "10.9.1.2", "fd00:9::9")
        self.wait_for("the pair", lambda: "ipv4" in self.arrived({"ipv4": own["ipv4"]}))
        of_ipv4 = ["ipv4", "arp", "arp reply", "arp probe"]
        self.assertEqual(self.arrived(own), of_ipv4)
        other = self.frames_from(OTHER_MAC, "10.9.1.2", "fd00:9::9")
        self.assertEqual(self.arrived(other), [name for name in own if name not in of_ipv4])

    def test_without_port_security_all_arrives(self) -> None:
        """That is what switching it off is for; switched on again, nothing does."""
        spoofed = self.frames_from(OTHER_MAC, "10.0.0.250", "fd00:1::250")
        self.update("port", self.attacker.id, port_security_enabled=False, security_groups=[])
        self.wait_for("the freedom", lambda: self.arrived(spoofed) == [*spoofed])
        self.update("port", self.attacker.id, port_security_enabled=True)
        self.wait_for("the end of it", lambda: self.arrived(spoofed) == [])

    def test_an_echo_is_let_out(self) -> None:
        """From the port's link-local address too."""
        own_link = link_local(self.attacker.mac)
        echo = Ether(src=self.attacker.mac, dst=self.victim.mac) / IPv6(src=own_link, dst=self.ipv6(self.victim))
        self.assertEqual(self.arrived({"echo": echo / ICMPv6EchoRequest()}), ["echo"])
