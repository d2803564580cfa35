"""scapy reads our replies of DHCPv6, and we read what scapy writes: an oracle that knows nothing of our code."""

from __future__ import annotations

from typing import Any

from scapy.layers.dhcp6 import (
    DUID_LL,
    DUID_UUID,
    DHCP6_Advertise,
    DHCP6_InfoRequest,
    DHCP6_Reply,
    DHCP6_Solicit,
    DHCP6OptClientId,
    DHCP6OptDNSDomains,
    DHCP6OptDNSServers,
    DHCP6OptIA_NA,
    DHCP6OptIAAddress,
    DHCP6OptInfoRefreshTime,
    DHCP6OptPref,
    DHCP6OptRapidCommit,
    DHCP6OptServerId,
    DHCP6OptStatusCode,
)
from scapy.layers.inet import UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import DhcpSettings
from quantumd.dhcp.addresses6 import link_local, show_ip6
from quantumd.dhcp.neighbour6 import answer_solicitation
from quantumd.dhcp.responder6 import answer6
from tests.dhcp.client import MAC, NETWORK, NETWORK_ID, SERVER_MAC
from tests.dhcp.client6 import ADDRESS, NETWORK6, PORT6, SECOND_ADDRESS, THREE_SUBNETS6, TWO_ADDRESSES6

SETTINGS = DhcpSettings(lease_seconds=3600)
CLIENT_IP, SERVER_IP = show_ip6(link_local(MAC)), show_ip6(link_local(SERVER_MAC))


def asked(message: Packet, *options: Packet) -> bytes:
    """Return a client's frame, written by scapy."""
    head = Ether(src=MAC, dst="33:33:00:01:00:02") / IPv6(src=CLIENT_IP, dst="ff02::1:2") / UDP(sport=546, dport=547)
    packet = head / message / DHCP6OptClientId(duid=DUID_LL(lladdr=MAC))
    for option in options:
        packet /= option
    return bytes(packet)


def read(frame: bytes | None) -> Any:
    """Return the packet as scapy understands it, its checksum computed anew."""
    if frame is None:
        raise AssertionError("there is no reply")
    packet = Ether(frame)
    again = Ether(frame)
    del again[UDP].chksum
    if Ether(bytes(again))[UDP].chksum != packet[UDP].chksum:
        raise AssertionError("the checksum is wrong")
    return packet


def solicitation(target: str = SERVER_IP, source: str = CLIENT_IP, hops: int = 255) -> bytes:
    """Return a question for an address."""
    head = Ether(src=MAC, dst="33:33:ff:00:00:02") / IPv6(src=source, dst="ff02::1:ff00:2", hlim=hops)
    return bytes(head / ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=MAC))


class OracleTests(SynchronousTestCase):
    """The same message, read by two."""

    def test_scapy_reads_the_advertisement(self) -> None:
        """Every option means to scapy what it means to us."""
        frame = asked(DHCP6_Solicit(trid=0xABCDEF), DHCP6OptIA_NA(iaid=7))
        packet = read(answer6(frame, TWO_ADDRESSES6, THREE_SUBNETS6, SETTINGS).frame)
        self.assertEqual((packet[IPv6].src, packet[IPv6].dst, packet[UDP].dport), (SERVER_IP, CLIENT_IP, 546))
        self.assertEqual(packet[DHCP6_Advertise].trid, 0xABCDEF)
        association = packet[DHCP6OptIA_NA]
        self.assertEqual((association.iaid, association.T1, association.T2), (7, 1800, 2880))
        given = [each for each in association.ianaopts if isinstance(each, DHCP6OptIAAddress)]
        self.assertEqual(
            [(each.addr, each.preflft, each.validlft) for each in given],
            [(ADDRESS, 3600, 3600), (SECOND_ADDRESS, 3600, 3600)],
        )
        self.assertEqual(packet[DHCP6OptPref].prefval, 255)
        self.assertEqual(packet[DHCP6OptClientId].duid.lladdr, MAC)
        self.assertIsInstance(packet[DHCP6OptServerId].duid, DUID_UUID)
        self.assertEqual(bytes(packet[DHCP6OptServerId].duid)[2:].hex(), NETWORK_ID.replace("-", ""))
        self.assertEqual(packet[DHCP6OptDNSServers].dnsservers, ["fd00::53", "fd00::54", "fd00::55"])
        self.assertEqual(packet[DHCP6OptDNSDomains].dnsdomains, ["openstacklocal."])

    def test_scapy_reads_what_is_refused(self) -> None:
        """A status inside of an association; an empty option."""
        frame = asked(DHCP6_Solicit(), DHCP6OptRapidCommit(), DHCP6OptIA_NA(iaid=1), DHCP6OptIA_NA(iaid=2))
        packet = read(answer6(frame, PORT6, NETWORK6, SETTINGS).frame)
        self.assertIn(DHCP6OptRapidCommit, packet[DHCP6_Reply])
        second = packet.getlayer(DHCP6OptIA_NA, 2)
        (status,) = (each for each in second.ianaopts if isinstance(each, DHCP6OptStatusCode))
        self.assertEqual((second.iaid, status.statuscode), (2, 2))

    def test_scapy_reads_the_answer_to_an_inquiry(self) -> None:
        """Name servers, and when to ask again."""
        packet = read(answer6(asked(DHCP6_InfoRequest()), PORT6, NETWORK6, SETTINGS).frame)
        self.assertEqual(packet[DHCP6OptInfoRefreshTime].reftime, 3600)


class SolicitationTests(SynchronousTestCase):
    """Who asks for the MAC of the server."""

    def test_is_told(self) -> None:
        """To it alone, with a checksum that is right."""
        frame = answer_solicitation(solicitation(), NETWORK6) or b""
        told = Ether(frame)
        self.assertEqual((told.src, told.dst, told[IPv6].src, told[IPv6].dst), (SERVER_MAC, MAC, SERVER_IP, CLIENT_IP))
        self.assertEqual((told[IPv6].hlim, told[ICMPv6ND_NA].tgt), (255, SERVER_IP))
        self.assertEqual((told[ICMPv6ND_NA].R, told[ICMPv6ND_NA].S, told[ICMPv6ND_NA].O), (0, 1, 1))
        self.assertEqual(told[ICMPv6NDOptDstLLAddr].lladdr, SERVER_MAC)
        again = Ether(frame)
        del again[ICMPv6ND_NA].cksum
        self.assertEqual(bytes(again), frame)

    def test_other_questions_are_not_answered(self) -> None:
        """For others, from nobody, from behind a router, of a network without DHCPv6, and what is none."""
        for frame in (
            solicitation("fe80::1"), solicitation("fd00:1::2"), solicitation(source="::"), solicitation(hops=254),
            solicitation()[:77], b"",
        ):  # fmt: skip
            self.assertIsNone(answer_solicitation(frame, NETWORK6))
        self.assertIsNone(answer_solicitation(solicitation(), NETWORK))
