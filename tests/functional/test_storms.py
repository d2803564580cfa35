"""Storms by real packets: what a VM sends to everybody is limited, and costs the switch little. Needs root."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from tests.bed.host import Guest
from tests.bed.wire import Wire
from tests.functional.test_security_groups import GroupsCase

MOST_COPYING = 40
"""Flows of the datapath: 16 of each sender that was heard, for as many values of the hash."""

RATE = 50
SENT = 500
AT_ONCE, PAUSE_SECONDS = 25, 0.02
SETTLE_SECONDS = 0.5


class StormsCase(GroupsCase):
    """A sender, and two ports that let UDP and ICMP in."""

    def setUp(self) -> None:
        """Plug them."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        group = self.group({"protocol": "udp"}, {"protocol": "icmp"})
        self.sender, self.hearer, self.other = (self.members(network, group) for _ in range(3))

    def heard(self, receiver: Guest, *frames: bytes) -> int:
        """Let the sender send frames; return how many with the mark arrive."""
        with Wire(receiver.vm.namespace) as ear, Wire(self.sender.vm.namespace) as mouth:
            for at in range(0, len(frames), AT_ONCE):
                mouth.send(*frames[at : at + AT_ONCE])
                # The switch would lose what it cannot take at once.
                time.sleep(PAUSE_SECONDS)
            time.sleep(SETTLE_SECONDS)
            return sum(b"storm" in frame for frame in ear.received())

    def datagram(self, target_mac: str, target_ip: str) -> bytes:
        """Return a datagram of the sender's."""
        packet = IP(src=self.sender.ip, dst=target_ip) / UDP(sport=4000, dport=5000) / Raw(b"storm")
        return bytes(Ether(src=self.sender.mac, dst=target_mac) / packet)


class LimitTests(StormsCase):
    """A low limit."""

    settings: ClassVar[Mapping[str, str]] = {**GroupsCase.settings, "l2.storm_rate_pps": str(RATE)}

    def test_broadcast_is_limited_and_nothing_else(self) -> None:
        """A second's worth at once, and then so much a second; what is to one port all arrives, and so do others'."""
        flood = [self.datagram("ff:ff:ff:ff:ff:ff", "10.0.0.255")] * SENT
        heard = self.heard(self.hearer, *flood)
        self.assertGreaterEqual(heard, RATE)
        self.assertLess(heard, SENT / 2)
        self.assertEqual(self.heard(self.hearer, *[self.datagram(self.hearer.mac, self.hearer.ip)] * SENT), SENT)
        self.assertTrue(self.other.can_reach(self.hearer.ip))


class CostTests(StormsCase):
    """No limit, so that what a storm costs is seen."""

    settings: ClassVar[Mapping[str, str]] = {**GroupsCase.settings, "l2.storm_rate_pps": "0"}

    def test_requests_for_many_addresses_share_the_flow_that_copies_them(self) -> None:
        """The switch looks at each, but works out once for all of them to whom copies go."""
        asked = [ARP(hwsrc=self.sender.mac, psrc=self.sender.ip, pdst=f"10.0.0.{n}") for n in range(100, 250)]
        frames = [bytes(Ether(src=self.sender.mac, dst="ff:ff:ff:ff:ff:ff") / arp / Raw(b"storm")) for arp in asked]
        self.assertGreaterEqual(self.heard(self.hearer, *frames), len(frames) - 3)
        actions = [line.rpartition("actions:")[2] for line in self.ovs.appctl("dpctl/dump-flows").splitlines()]
        looks, copies = (
            [each for each in actions if is_it(each)]
            for is_it in (lambda each: "recirc(" in each, lambda each: re.search(r"\d,\d", each) is not None)
        )
        self.assertGreater(len(looks), len(frames) / 2)
        self.assertLessEqual(len(copies), MOST_COPYING)

    def test_broadcast_is_not_tracked(self) -> None:
        """Nobody could answer it; without a limit all of it arrives."""
        flood = [self.datagram("ff:ff:ff:ff:ff:ff", "10.0.0.255")] * SENT
        self.assertEqual(self.heard(self.hearer, *flood), SENT)
        self.assertEqual(self.tracked("10.0.0.255"), [])
