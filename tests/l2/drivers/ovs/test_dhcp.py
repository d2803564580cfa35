"""DHCP's flows on an Open vSwitch in memory: what reaches the process, and what does not."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.records import Records
from quantumd.dhcp.addresses6 import link_local, show_ip6
from quantumd.edge.frames.interfaces import PortFrame, Purpose
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.model.records import FixedIp, NetworkRecord
from tests.contracts.l2_driver import NETWORK, PORT, DriverBed, site_for

SERVER_MAC = NETWORK.dhcp_mac or ""
SERVER = show_ip6(link_local(SERVER_MAC))
OWN = show_ip6(link_local(PORT.mac_address))
GROUP, GROUP_MAC = "ff02::1:2", "33:33:00:01:00:02"
GUARDED = evolve(PORT, port_security=True, fixed_ips=(*PORT.fixed_ips, FixedIp("s6", "fd00::5")))
SIX = evolve(NETWORK, dhcp_addresses=(), dhcp_addresses6=("fd00::2",))
BOTH = evolve(NETWORK, dhcp_addresses6=("fd00::2",))
NEITHER = evolve(NETWORK, dhcp_mac=None, dhcp_addresses=())


def asks6(target: str = GROUP, mac: str = GROUP_MAC, source: str = OWN, udp: int = 547) -> Packet:
    """Return a request over IPv6."""
    return Ether(src=PORT.mac_address, dst=mac) / IPv6(src=source, dst=target) / UDP(sport=546, dport=udp) / b"payload!"


def asks4(**fields: Any) -> Packet:
    """Return a request over IPv4."""
    ip = IP(src="0.0.0.0", dst="255.255.255.255", **fields)
    return Ether(src=PORT.mac_address, dst="ff:ff:ff:ff:ff:ff") / ip / UDP(sport=68, dport=67) / b"payload!"


class PuntTests(SynchronousTestCase):
    """One guarded port."""

    def setUp(self) -> None:
        clock, records = Clock(), Records()
        self.world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        parts = OvsDriver().install_on(site_for(records, clock), edges_of(self.world))
        self.bed = DriverBed(parts, clock, records, self.world.plug, self.world.unplug)
        self.seen: list[PortFrame] = []
        for purpose in Purpose:
            parts.frames.frames.subscribe(purpose, self.seen.append)
        self.version = NETWORK.version
        self.bed.start(NETWORK, GUARDED)
        self.addCleanup(self.bed.stop)
        self.bed.plug(PORT.id)
        self.bed.settle()

    def purposes(self, network: NetworkRecord, *packets: Packet) -> list[Purpose]:
        """Return why the process gets which of the packets, on a network like that."""
        self.version += 1
        self.bed.put(evolve(network, version=self.version))
        self.seen.clear()
        for packet in packets:
            self.world.send(PORT.id, bytes(packet))
        return [frame.purpose for frame in self.seen]

    def test_a_router_s_gateway_asks_others(self) -> None:
        """For prefixes: its questions go on to the network."""
        gateway = evolve(PORT, device_owner="network:router_gateway", version=PORT.version + 1)
        self.bed.put(gateway)
        self.bed.settle()
        self.assertEqual(self.purposes(BOTH, asks6(), asks4()), [])

    def test_each_version_where_it_is_served(self) -> None:
        """And nothing of the other: somebody else may serve that."""
        for network, wanted in (
            (NETWORK, [Purpose.DHCP4]),
            (SIX, [Purpose.DHCP6]),
            (BOTH, [Purpose.DHCP4, Purpose.DHCP6]),
            (NEITHER, []),
        ):
            self.assertEqual(self.purposes(network, asks4(), asks6()), wanted)

    def test_the_group_and_the_server_alone(self) -> None:
        """Not the group of servers that relays speak to, no other port, no other address."""
        found = self.purposes(
            BOTH,
            asks6(),
            asks6(SERVER, SERVER_MAC),
            asks6("ff05::1:3", "33:33:00:01:00:03"),
            asks6(udp=548),
            asks6("fd00::2", SERVER_MAC),
        )
        self.assertEqual(found, [Purpose.DHCP6] * 2)

    def test_nobody_asks_as_somebody_else(self) -> None:
        """Port security comes first."""
        self.assertEqual(self.purposes(BOTH, asks6(source="fe80::9"), asks6(source="fd00::9"), asks6(source="::")), [])

    def test_fragments_meet_no_service(self) -> None:
        """Neither the first piece, which shows its ports, nor a later one; of either version."""
        first, later = IPv6ExtHdrFragment(m=1), IPv6ExtHdrFragment(offset=8)
        pieces = []
        for header in (first, later):
            whole = asks6()
            pieces.append(Ether(bytes(whole[Ether])[:14]) / IPv6(src=OWN, dst=GROUP) / header / whole[UDP])
        pieces += [asks4(flags="MF"), asks4(frag=8)]
        self.assertEqual(self.purposes(BOTH, *pieces), [])
