"""Addresses that are announced: when, how often, and until when; the frames byte for byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netns.announcement import announcement
from quantumd.edge.netns.announcing import AFTER_SECONDS, Announcements
from quantumd.edge.netns.interfaces import Address, Announce

MAC = "fa:16:3e:00:00:01"
ONE, TWO = Address("qg-1", "203.0.113.5/32"), Address("qg-1", "fd00::5/128")
macs = st.binary(min_size=6, max_size=6).map(lambda value: value.hex(":"))


class FrameTests(SynchronousTestCase):
    """What another implementation makes of it."""

    @given(macs, st.ip_addresses(v=4))
    def test_arp_is_as_scapy_has_it(self, mac: str, address: object) -> None:
        """A request for the own address, to everybody (RFC 5227, 3)."""
        arp = ARP(op=1, hwsrc=mac, psrc=str(address), hwdst="00:00:00:00:00:00", pdst=str(address))
        self.assertEqual(announcement(mac, str(address)), bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / arp))

    @given(macs, st.ip_addresses(v=6))
    def test_an_advertisement_is_as_scapy_has_it(self, mac: str, address: object) -> None:
        """Unsolicited, of a router, overriding, to all nodes (RFC 4861, 7.2.6); its checksum too."""
        head = IPv6(src=str(address), dst="ff02::1", hlim=255)
        said = ICMPv6ND_NA(R=1, S=0, O=1, tgt=str(address)) / ICMPv6NDOptDstLLAddr(lladdr=mac)
        expected = bytes(Ether(src=mac, dst="33:33:00:00:00:01") / head / said)
        self.assertEqual(announcement(mac, str(address)), expected)


class AnnouncementsTests(SynchronousTestCase):
    """A clock in the test's hand."""

    def setUp(self) -> None:
        """Nothing is announced yet."""
        self.clock = Clock()
        self.said: list[tuple[str, tuple[Announce, ...]]] = []
        self.announcements = Announcements(self.clock, lambda name, said: self.said.append((name, said)))

    def test_all_that_is_due_goes_together_a_few_times(self) -> None:
        """However many they are, they are one piece of work at a time."""
        both = (Announce(MAC, ONE), Announce(MAC, TWO))
        self.announcements.begin("a", both)
        self.clock.pump([0.0, *AFTER_SECONDS])
        self.assertEqual(self.said, [("a", both)] * len(AFTER_SECONDS))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_went_is_announced_no_more(self) -> None:
        """Another router may have the address."""
        self.announcements.begin("a", (Announce(MAC, ONE), Announce(MAC, TWO)))
        self.clock.advance(0)
        self.announcements.end("a", ONE)
        self.announcements.end("b", TWO)
        self.clock.advance(AFTER_SECONDS[1])
        self.assertEqual(self.said[1:], [("a", (Announce(MAC, TWO),))])
        self.announcements.forget("a")
        self.clock.advance(10)
        self.assertEqual(len(self.said), 2)

    def test_a_mac_of_before_is_announced_no_more(self) -> None:
        """Neighbours would send to where nobody is."""
        self.announcements.begin("a", (Announce(MAC, ONE),))
        self.clock.advance(0)
        self.announcements.begin("a", (Announce("fa:16:3e:00:00:09", ONE),))
        self.clock.pump([0.0, *AFTER_SECONDS])
        macs_said = [each.mac for _, announcements in self.said for each in announcements]
        self.assertEqual(macs_said, [MAC] + ["fa:16:3e:00:00:09"] * len(AFTER_SECONDS))

    def test_nothing_waits_after_the_end(self) -> None:
        """Nor is anything said."""
        self.announcements.begin("a", (Announce(MAC, ONE),))
        self.announcements.begin("a", ())
        self.announcements.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
