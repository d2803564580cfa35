"""Services of a host, on an Open vSwitch in memory: what of ports comes to them, as whom, and what comes back."""

from __future__ import annotations

from typing import cast

from attrs import evolve
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.records import Records
from quantumd.edge.openflow.decode import unpack_instructions
from quantumd.edge.openflow.packet import Packet as Frame
from quantumd.edge.openflow.walk import Walk
from quantumd.interfaces import IServiceDoor
from quantumd.l2.drivers.ovs.bridges import OWNED
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.l2.drivers.ovs.pipeline import Table, service_meter
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.records import FixedIp, PortRecord
from quantumd.model.service_place import DEVICE_MAC, OUTER_DEVICE, ROUTER_IPV4, ROUTER_IPV6, ROUTER_MAC
from quantumd.model.services import METADATA
from tests.contracts.l2_driver import NETWORK, OTHER_ID, PORT, PORT_ID, DriverBed, site_for

GUARDED = evolve(PORT, port_security=True, security_groups=())
LINK_LOCAL = "fe80::f816:3eff:fe00:5"
TWIN_NETWORK = evolve(NETWORK, id="0e0e0e0e-0000-4000-8000-000000000009")
TWIN = evolve(GUARDED, id=OTHER_ID, network_id=TWIN_NETWORK.id)
"""The same addresses on another network."""
SUB = evolve(PORT, id="0f0f0f0f-0000-4000-8000-000000000004", network_id=TWIN_NETWORK.id, parent_id=PORT_ID,
             segmentation_id=101)  # fmt: skip
ROUTER = "fa:16:3e:00:0f:0f"


class ServiceCase(SynchronousTestCase):
    """Two ports with the same addresses on two networks, and the device of services."""

    ports: tuple[PortRecord, ...] = (GUARDED, TWIN)

    def setUp(self) -> None:
        self.clock, self.records = Clock(), Records()
        self.world = MemoryOpenVswitch(self.clock, "br-int", CONTROLLER_ID)
        site = evolve(site_for(self.records, self.clock), points=(METADATA,))
        parts = OvsDriver().install_on(site, edges_of(self.world))
        self.door = cast(IServiceDoor, parts.door)
        self.bed = DriverBed(parts, self.clock, self.records, self.world.plug, self.world.unplug)
        self.bed.start(NETWORK, TWIN_NETWORK)
        self.addCleanup(self.bed.stop)
        used = (InstanceRecord(each.id, 9, f"i-{each.id[:4]}", "blue", "web", "", ()) for each in self.ports)
        self.bed.put(*self.ports, *used)
        for each in self.ports:
            if not each.parent_id:
                self.bed.plug(each.id)
        self.world.ovsdb.plug("br-int", OUTER_DEVICE, OWNED)
        self.bed.settle()

    def device(self) -> int:
        """Return the number of the device of services."""
        (found,) = (port.ofport for port in self.world.switch.ports.values() if port.name == OUTER_DEVICE)
        return found

    def port(self, port_id: str = PORT_ID) -> int:
        """Return the number of a VM."""
        return cast(int, self.world.ofport_of(port_id))

    def send(self, frame: Packet, port_id: str = PORT_ID) -> Walk:
        """Let a VM send a frame."""
        return self.world.switch.walk(self.port(port_id), bytes(frame))

    def asked(self, frame: Packet, port_id: str = PORT_ID) -> Packet | None:
        """Let a VM send a frame; return what of it came to the services, None when nothing did."""
        outputs = [out for out in self.send(frame, port_id).outputs if out.ofport == self.device()]
        return Ether(bytes(outputs[0].frame)) if outputs else None

    def answered(self, frame: Packet) -> tuple[int, Packet] | None:
        """Let the services send a frame; return to which port it went, and as what."""
        outputs = self.world.switch.walk(self.device(), bytes(frame)).outputs
        return (outputs[0].ofport, Ether(bytes(outputs[0].frame))) if outputs else None


def ask(source: str = "10.0.0.5", target: str = METADATA.ipv4, port: int = 80, mac: str = PORT.mac_address) -> Packet:
    """The first packet of a connection."""
    packet = IPv6(src=source, dst=target) if ":" in source else IP(src=source, dst=target)
    return Ether(src=mac, dst=ROUTER) / packet / TCP(sport=4000, dport=port, flags="S")


class AskTests(ServiceCase):
    """On the way in, and back."""

    def test_each_port_is_known_by_an_address_of_its_own(self) -> None:
        """Though both have the same one; and the answer goes back to who asked."""
        seen = set()
        for port_id in (PORT_ID, OTHER_ID):
            came = self.asked(ask(), port_id)
            assert came is not None
            self.assertEqual((came.dst, came.src, came[IP].dst), (DEVICE_MAC, ROUTER_MAC, METADATA.ipv4))
            asker = self.door.asker_at(came[IP].src)
            assert asker is not None
            self.assertEqual((asker.port_id, asker.address), (port_id, "10.0.0.5"))
            back = Ether(src=DEVICE_MAC, dst=ROUTER_MAC) / IP(src=METADATA.ipv4, dst=came[IP].src)
            ofport, answer = self.answered(back / TCP(sport=80, dport=4000, flags="SA")) or (0, None)
            assert answer is not None
            self.assertEqual(ofport, self.port(port_id))
            self.assertEqual((answer[IP].src, answer[IP].dst), (METADATA.ipv4, "10.0.0.5"))
            self.assertEqual((answer.src, answer.dst), (DEVICE_MAC, PORT.mac_address))
            seen.add(came[IP].src)
        self.assertEqual(len(seen), 2)

    def test_ipv6(self) -> None:
        """By the address of the link."""
        came = self.asked(ask(LINK_LOCAL, METADATA.ipv6))
        assert came is not None
        asker = self.door.asker_at(came[IPv6].src)
        assert asker is not None
        self.assertEqual((asker.port_id, asker.address), (PORT_ID, LINK_LOCAL))
        self.assertEqual(came[IPv6].dst, METADATA.inner_ipv6)
        back = Ether(src=DEVICE_MAC, dst=ROUTER_MAC) / IPv6(src=METADATA.inner_ipv6, dst=came[IPv6].src)
        ofport, answer = self.answered(back / TCP(sport=80, dport=4000, flags="SA")) or (0, None)
        assert answer is not None
        self.assertEqual(ofport, self.port())
        self.assertEqual((answer[IPv6].src, answer[IPv6].dst), (METADATA.ipv6, LINK_LOCAL))

    def test_nobody_asks_as_somebody_else(self) -> None:
        """Neither by an address nor by a MAC address that is not his."""
        for frame in (
            ask("10.0.0.6"),
            ask("16.0.0.9"),
            ask(mac="fa:16:3e:00:00:99"),
            ask("fe80::1", METADATA.ipv6),
            ask("fd51:0:0:7::1", METADATA.ipv6),
        ):
            self.assertIsNone(self.asked(frame))

    def test_only_what_is_for_the_service_comes_there(self) -> None:
        """No other port, protocol, fragment, or tag."""
        udp = Ether(src=PORT.mac_address, dst=ROUTER) / IP(src="10.0.0.5", dst=METADATA.ipv4) / UDP(dport=80)
        echo = Ether(src=PORT.mac_address, dst=DEVICE_MAC) / IP(src="10.0.0.5", dst=METADATA.ipv4) / ICMP()
        first = ask()
        first[IP].flags = "MF"
        later = Ether(src=PORT.mac_address, dst=ROUTER) / IP(src="10.0.0.5", dst=METADATA.ipv4, frag=3, proto=6)
        tagged = Ether(src=PORT.mac_address, dst=ROUTER) / Dot1Q(vlan=5) / ask().payload
        for frame in (ask(port=81), udp, echo, first, later / bytes(64), tagged):
            self.assertIsNone(self.asked(frame))

    def test_services_say_nothing_but_answers(self) -> None:
        """From another port, to nobody, or to another network's address as it is."""
        came = self.asked(ask())
        assert came is not None
        whole = Ether(src=DEVICE_MAC, dst=ROUTER_MAC)
        for packet in (
            IP(src=METADATA.ipv4, dst=came[IP].src) / TCP(sport=22, dport=4000),
            IP(src=METADATA.ipv4, dst=came[IP].src) / UDP(sport=80, dport=4000),
            IP(src=METADATA.ipv4, dst="10.0.0.5") / TCP(sport=80, dport=4000),
            IP(src="1.2.3.4", dst=came[IP].src) / TCP(sport=80, dport=4000),
        ):
            self.assertIsNone(self.answered(whole / packet))

    def test_the_addresses_are_found_on_the_link(self) -> None:
        """By ARP and neighbour discovery, and so is the router of answers."""
        arp = Ether(src=PORT.mac_address, dst="ff:ff:ff:ff:ff:ff") / ARP(
            hwsrc=PORT.mac_address, psrc="10.0.0.5", pdst=METADATA.ipv4
        )
        (out,) = self.send(arp).outputs
        self.assertEqual(Ether(bytes(out.frame))[ARP].hwsrc, DEVICE_MAC)
        solicit = (
            Ether(src=PORT.mac_address, dst="33:33:ff:fe:a9:fe")
            / IPv6(src=LINK_LOCAL, dst="ff02::1:fffe:a9fe", hlim=255)
            / ICMPv6ND_NS(tgt=METADATA.ipv6)
            / ICMPv6NDOptSrcLLAddr(lladdr=PORT.mac_address)
        )
        (out,) = self.send(solicit).outputs
        self.assertEqual(Frame(bytearray(out.frame)).get("icmpv6_type"), 136)
        inside = Ether(src=DEVICE_MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(
            hwsrc=DEVICE_MAC, psrc=METADATA.ipv4, pdst=ROUTER_IPV4
        )
        _, answer = self.answered(inside) or (0, None)
        assert answer is not None
        self.assertEqual(answer[ARP].hwsrc, ROUTER_MAC)
        looking = (
            Ether(src=DEVICE_MAC, dst="33:33:ff:00:00:01")
            / IPv6(src=METADATA.inner_ipv6, dst="ff02::1:ff00:1", hlim=255)
            / ICMPv6ND_NS(tgt=ROUTER_IPV6)
            / ICMPv6NDOptSrcLLAddr(lladdr=DEVICE_MAC)
        )
        self.assertIsNotNone(self.answered(looking))

    def test_without_the_device_nothing_goes_anywhere(self) -> None:
        """Until it is there again."""
        self.world.ovsdb.unplug("br-int", OUTER_DEVICE)
        self.bed.settle()
        self.assertTrue(self.send(ask()).is_dropped)
        self.world.ovsdb.plug("br-int", OUTER_DEVICE, OWNED)
        self.bed.settle()
        self.assertIsNotNone(self.asked(ask()))

    def test_a_port_that_went_is_nobody(self) -> None:
        """As soon as its device is gone."""
        came = self.asked(ask())
        assert came is not None
        self.bed.unplug(PORT_ID)
        self.bed.settle()
        self.assertIsNone(self.door.asker_at(came[IP].src))

    def test_flows_are_linear_in_ports(self) -> None:
        """Two for an IPv4 address, two for IPv6."""
        marked = [flow for flow in self.world.switch.flows.values() if flow.cookie >> 48 == 0x5111]
        self.assertEqual(len([flow for flow in marked if flow.cookie & 0xFFFF]), 4 * 2)

    def test_what_a_port_asks_passes_its_meter(self) -> None:
        """All ports have one listener."""
        number = service_meter(self.port())
        hops = self.send(ask()).hops
        (metered,) = [hop for hop in hops if hop.flow is not None and hop.table == Table.SERVICE_SENDER]
        assert metered.flow is not None
        self.assertEqual(unpack_instructions(metered.flow.instructions).meter, number)
        self.assertEqual(self.world.switch.meters[number].rate, 5000)


class ManyAddressesTests(ServiceCase):
    """A port with many addresses."""

    ports = (evolve(GUARDED, fixed_ips=tuple(FixedIp("s", f"10.0.0.{n}") for n in range(5, 20))),)

    def test_each_is_told_apart(self) -> None:
        """As many as can ask; the others are not answered."""
        found = []
        for n in range(5, 20):
            came = self.asked(ask(f"10.0.0.{n}"))
            asker = self.door.asker_at(came[IP].src) if came is not None else None
            found.append(asker.address if asker is not None else None)
        self.assertEqual(found, [*(f"10.0.0.{n}" for n in range(5, 16)), None, None, None, None])


class SubPortTests(ServiceCase):
    """A sub-port of a trunk, whose frames have a tag."""

    ports = (PORT, SUB)

    def test_it_is_known_by_itself(self) -> None:
        """And gets its answer with its tag."""
        tagged = Ether(src=PORT.mac_address, dst=ROUTER) / Dot1Q(vlan=101) / ask().payload
        came, of_parent = self.asked(tagged), self.asked(ask())
        assert came is not None
        assert of_parent is not None
        askers = [self.door.asker_at(each[IP].src) for each in (came, of_parent)]
        self.assertEqual([asker.port_id for asker in askers if asker is not None], [SUB.id, PORT_ID])
        back = Ether(src=DEVICE_MAC, dst=ROUTER_MAC) / IP(src=METADATA.ipv4, dst=came[IP].src)
        _, answer = self.answered(back / TCP(sport=80, dport=4000, flags="SA")) or (0, None)
        assert answer is not None
        self.assertEqual(answer[Dot1Q].vlan, 101)


class OffTests(SynchronousTestCase):
    """A host without services."""

    def test_there_is_no_door_and_no_flow(self) -> None:
        """And it does not ask to be told what uses its ports."""
        clock, records = Clock(), Records()
        world = MemoryOpenVswitch(clock, "br-int", CONTROLLER_ID)
        parts = OvsDriver().install_on(site_for(records, clock), edges_of(world))
        bed = DriverBed(parts, clock, records, world.plug, world.unplug)
        bed.start(NETWORK, PORT)
        self.addCleanup(bed.stop)
        bed.plug(PORT_ID)
        bed.settle()
        self.assertIsNone(parts.door)
        self.assertEqual([flow for flow in world.switch.flows.values() if flow.cookie >> 48 == 0x5111], [])
        self.assertNotIn(InstanceRecord.kind, parts.converger.describe().record_kinds)
