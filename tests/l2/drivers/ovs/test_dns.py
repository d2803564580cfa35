"""DNS servers of networks, on an Open vSwitch in memory: what of ports comes to their host, as whom, and what back."""

from __future__ import annotations

from typing import cast

from attrs import evolve
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.records import Records
from quantumd.edge.openflow.walk import Walk
from quantumd.interfaces import IServiceDoor
from quantumd.l2.drivers.ovs.bridges import OWNED
from quantumd.l2.drivers.ovs.desired import NetworkView, ServicesView
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of
from quantumd.l2.drivers.ovs.features import services
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.messages import Gone, Update
from quantumd.model.records import FixedIp
from quantumd.model.service_place import DEVICE_MAC, OUTER_DEVICE, ROUTER_MAC
from quantumd.model.services import DNS, METADATA, MOST_DNS, dns_points
from tests.contracts.l2_driver import NETWORK, OTHER_ID, PORT, PORT_ID, DriverBed, site_for

ADDRESSES = tuple(f"10.0.{place}.2" for place in range(MOST_DNS + 1))
FIRST = evolve(NETWORK, dhcp_addresses=ADDRESSES[::-1])
SECOND = evolve(NETWORK, id="0e0e0e0e-0000-4000-8000-000000000009", dhcp_addresses=ADDRESSES)
GUARDED = evolve(
    PORT, port_security=True, fixed_ips=(FixedIp("s", "10.0.0.5"), FixedIp("s6", "fd00::5"), FixedIp("s6", "fd01::5"))
)
TWIN = evolve(GUARDED, id=OTHER_ID, network_id=SECOND.id)


def asking(source: str = "10.0.0.5", server: str = ADDRESSES[0], port: int = 53) -> Packet:
    """A question."""
    network = IPv6(src=source, dst=server) if ":" in source else IP(src=source, dst=server)
    return Ether(src=PORT.mac_address, dst=NETWORK.dhcp_mac) / network / UDP(sport=4000, dport=port)


class DnsCase(SynchronousTestCase):
    """Two ports with the same addresses on two networks with the same servers."""

    points = (METADATA, *DNS)

    def setUp(self) -> None:
        """Plug all."""
        self.clock, self.records = Clock(), Records()
        self.world = MemoryOpenVswitch(self.clock, "br-int", CONTROLLER_ID)
        site = evolve(site_for(self.records, self.clock), points=self.points)
        parts = OvsDriver().install_on(site, edges_of(self.world))
        self.kinds = parts.converger.describe().record_kinds
        self.door = cast(IServiceDoor, parts.door)
        self.bed = DriverBed(parts, self.clock, self.records, self.world.plug, self.world.unplug)
        self.bed.start(FIRST, SECOND)
        self.addCleanup(self.bed.stop)
        self.bed.put(GUARDED, TWIN, *(InstanceRecord(each, 9, "", "blue", "web", "") for each in (PORT_ID, OTHER_ID)))
        for each in (PORT_ID, OTHER_ID):
            self.bed.plug(each)
        self.world.ovsdb.plug("br-int", OUTER_DEVICE, OWNED)
        self.bed.settle()

    def device(self) -> int:
        """Return the number of the device of services."""
        (found,) = (port.ofport for port in self.world.switch.ports.values() if port.name == OUTER_DEVICE)
        return found

    def walk(self, frame: Packet, port_id: str = PORT_ID) -> Walk:
        """Let a VM send a frame."""
        return self.world.switch.walk(cast(int, self.world.ofport_of(port_id)), bytes(frame))

    def asked(self, frame: Packet, port_id: str = PORT_ID) -> Packet | None:
        """Let a VM send a frame; return what of it came to the services."""
        found = [out for out in self.walk(frame, port_id).outputs if out.ofport == self.device()]
        return Ether(bytes(found[0].frame)) if found else None

    def answered(self, came: Packet) -> tuple[int, Packet] | None:
        """Answer what came; return to which port the answer went, and as what."""
        back = IP(src=came[IP].dst, dst=came[IP].src) / UDP(sport=53, dport=4000)
        frame = Ether(src=DEVICE_MAC, dst=ROUTER_MAC) / back
        outputs = self.world.switch.walk(self.device(), bytes(frame)).outputs
        return (outputs[0].ofport, Ether(bytes(outputs[0].frame))) if outputs else None


class DnsTests(DnsCase):
    """On the way in, and back."""

    def test_each_address_of_each_network(self) -> None:
        """Comes to one of its own, from who asks, and the answer is from where it was asked."""
        for port_id, network in ((PORT_ID, FIRST), (OTHER_ID, SECOND)):
            for place, server in enumerate(ADDRESSES[:MOST_DNS]):
                came = self.asked(asking(server=server), port_id)
                assert came is not None
                self.assertEqual((came.dst, came[IP].dst), (DEVICE_MAC, dns_points(place)[0].ipv4))
                asker = self.door.asker_at(came[IP].src)
                assert asker is not None
                self.assertEqual((asker.port_id, asker.network_id), (port_id, network.id))
                ofport, answer = self.answered(came) or (0, Packet())
                self.assertEqual(ofport, self.world.ofport_of(port_id))
                self.assertEqual((answer.src, answer.dst), (NETWORK.dhcp_mac, PORT.mac_address))
                self.assertEqual((answer[IP].src, answer[IP].dst), (server, "10.0.0.5"))

    def test_by_tcp(self) -> None:
        """The same way."""
        frame = Ether(src=PORT.mac_address, dst=NETWORK.dhcp_mac) / IP(src="10.0.0.5", dst=ADDRESSES[0])
        self.assertIsNotNone(self.asked(frame / TCP(sport=4000, dport=53, flags="S")))

    def test_what_is_not_asked(self) -> None:
        """Other ports and addresses, by others' addresses, in pieces; and the inner addresses are nobody's for VMs."""
        piece = IP(src="10.0.0.5", dst=ADDRESSES[0], flags="MF") / UDP(sport=4000, dport=53)
        for frame in (
            asking(port=54),
            asking(server=ADDRESSES[MOST_DNS]),
            asking(server="10.0.0.3"),
            asking("10.0.0.6"),
            asking(server=DNS[0].ipv4),
            Ether(src=PORT.mac_address, dst=NETWORK.dhcp_mac) / piece,
        ):
            self.assertIsNone(self.asked(frame))

    def test_ipv6_addresses_are_told_apart(self) -> None:
        """Those of a port, with the same second halves, each come back to themselves."""
        flows = [
            flow
            for flow in self.world.switch.flows.values()
            if flow.cookie >> 48 == 0x5111 and flow.priority == 110 and flow.cookie & 0xFFFF
        ]
        self.assertEqual(len(flows), 2 * 2)
        found = []
        for place in (1, 2):
            number = cast(int, self.world.ofport_of(PORT_ID))
            asker = self.door.asker_at(f"fd51:0:{place << 12:x}:{number:x}::5")
            found.append(asker.address if asker is not None else None)
        self.assertEqual(found, ["fd00::5", "fd01::5"])
        self.assertIsNone(self.door.asker_at(f"fd51:0:3000:{number:x}::5"))

    def test_names(self) -> None:
        """Are those of the asker's network; what goes is forgotten."""
        self.assertLessEqual({DnsNameRecord.kind, DnsZoneRecord.kind}, set(self.kinds))
        self.bed.put(
            DnsZoneRecord(FIRST.id, 9, "blue.example", ("10.0.0.0/24",)),
            DnsNameRecord(PORT_ID, 9, FIRST.id, "web", "", ("10.0.0.5",)),
        )
        zone = self.door.zone_of(FIRST.id, "")
        self.assertEqual(zone.addresses_of("web.blue.example"), ("10.0.0.5",))
        self.assertIsNone(self.door.zone_of(SECOND.id, "").addresses_of("web"))
        gone = (Gone(DnsNameRecord.kind, PORT_ID, 10), Gone(DnsZoneRecord.kind, FIRST.id, 10))
        self.bed.update(Update("h", "l2", (), gone))
        self.assertIsNone(self.door.zone_of(FIRST.id, "").addresses_of("web"))


class Ipv6ServerTests(SynchronousTestCase):
    """A network whose server has an IPv6 address."""

    def test_its_flows(self) -> None:
        """As many as of IPv4: in and out, by UDP and TCP."""
        view = NetworkView(evolve(NETWORK, dhcp_addresses=(), dhcp_addresses6=("fd00::2",)), 1, (), None)
        self.assertEqual(len(list(services.network_flows(view, ServicesView(DNS)))), 4)
        self.assertEqual(list(services.network_flows(view, ServicesView((METADATA,)))), [])


class OffTests(DnsCase):
    """A host with metadata only."""

    points = (METADATA,)

    def test_nothing_is_asked(self) -> None:
        """Nor is the host told of names."""
        self.assertIsNone(self.asked(asking()))
        self.assertFalse({DnsNameRecord.kind, DnsZoneRecord.kind} & set(self.kinds))
