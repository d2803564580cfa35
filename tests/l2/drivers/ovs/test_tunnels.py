"""Networks between hosts, on an Open vSwitch in memory: where frames go, and from whom they are taken."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any, cast
from uuid import UUID

from attrs import evolve
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import L2Settings
from quantumd.converge.records import Records
from quantumd.edge.openflow.packet import Packet as Frame
from quantumd.edge.openflow.walk import Walk
from quantumd.errors import SettingsError
from quantumd.l2.drivers.ovs.bridges import TunnelPlan
from quantumd.l2.drivers.ovs.driver import CONTROLLER_ID, OvsDriver, edges_of, tunnel_plan
from quantumd.l2.drivers.ovs.memory import MemoryOpenVswitch
from quantumd.l2.drivers.ovs.pipeline import SECOND_LOOK, Table
from quantumd.model.messages import Gone, PortReport, Update
from quantumd.model.records import FixedIp, PeerRecord, Record, RemotePortRecord
from tests.contracts.l2_driver import HOST, NETWORK, OTHER, OTHER_ID, PORT, PORT_ID, DriverBed, site_for

HERE = "192.0.2.1"
VXLAN = evolve(NETWORK, network_type="vxlan", segmentation_id=5001, dhcp_mac=None, dhcp_addresses=())
TWIN = evolve(VXLAN, id="0e0e0e0e-0000-4000-8000-000000000005", network_type="geneve")
FIRST, SECOND = PeerRecord("host-b", 4, "192.0.2.2"), PeerRecord("host-c", 4, "192.0.2.3")
FAR = RemotePortRecord(
    "f1", 5, VXLAN.id, "host-b", "fa:16:3e:00:0b:01", (FixedIp("s", "10.0.0.21"), FixedIp("s6", "fd00::21"))
)
FARTHER = RemotePortRecord("f2", 6, VXLAN.id, "host-c", "fa:16:3e:00:0c:01", (FixedIp("s", "10.0.0.31"),))
BROADCAST = "ff:ff:ff:ff:ff:ff"


def number(address: str) -> int:
    """Return an address as a field holds it."""
    return int(IPv6Address(address) if ":" in address else IPv4Address(address))


class TunnelCase(SynchronousTestCase):
    """A host with VXLAN and Geneve tunnels; two ports on a VXLAN network, and one port each on two other hosts."""

    local_ip = HERE
    types: tuple[str, ...] = ("vxlan", "geneve")

    def setUp(self) -> None:
        self.clock, self.records = Clock(), Records()
        self.world = MemoryOpenVswitch(self.clock, "br-int", CONTROLLER_ID)
        self.begin(self.local_ip, self.types)
        self.bed.put(VXLAN, PORT, OTHER, FIRST, SECOND, FAR, FARTHER)
        self.bed.plug(PORT_ID)
        self.bed.plug(OTHER_ID)
        self.bed.settle()

    def begin(self, tunnel_ip: str, types: tuple[str, ...], *records: Record) -> None:
        """Start a process with these settings, which knows these records."""
        edges = edges_of(self.world)
        settings = L2Settings(tunnel_ip=tunnel_ip, tunnel_types=types)
        site = evolve(site_for(self.records, self.clock), l2=settings)
        parts = OvsDriver().install_on(site, edges)
        self.bed = DriverBed(parts, self.clock, self.records, self.world.plug, self.world.unplug)
        self.bed.start(*records)
        self.addCleanup(self.bed.stop)

    def ofport(self, name: str) -> int:
        """Return the OpenFlow number of a device."""
        (found,) = (port.ofport for port in self.world.switch.ports.values() if port.name == name)
        return found

    def port(self, port_id: str) -> int:
        """Return the OpenFlow number of a VM."""
        found = self.world.ofport_of(port_id)
        self.assertIsNotNone(found)
        return cast(int, found)

    def send(self, frame: Packet, port_id: str = PORT_ID) -> Walk:
        """Let a VM send a frame."""
        return self.world.switch.walk(self.port(port_id), bytes(frame))

    def receive(self, frame: Packet, source: str, network: int = 5001, device: str = "tun-vxlan") -> Walk:
        """Let a frame come out of a tunnel."""
        field = "tun_ipv6_src" if ":" in source else "tun_src"
        tunnel = {"tun_id": network, field: number(source)}
        return self.world.switch.walk(self.ofport(device), bytes(frame), **tunnel)

    def ends(self, walk: Walk, device: str = "tun-vxlan") -> list[int]:
        """Return to which hosts a frame went, and check that it went there under the network's id."""
        tunnels = [dict(out.tunnel) for out in walk.outputs if out.ofport == self.ofport(device)]
        self.assertEqual({each["tun_id"] for each in tunnels} - {5001}, set())
        return sorted(each.get("tun_dst", each.get("tun_ipv6_dst", 0)) for each in tunnels)

    def local(self, walk: Walk) -> set[int]:
        """Return the ports of VMs that a frame reached."""
        return {out.ofport for out in walk.outputs} & {self.port(PORT_ID), self.port(OTHER_ID)}

    def gone(self, *records: Any) -> None:
        """Tell the host that records are gone."""
        self.bed.update(Update(HOST, "l2", gone=tuple(Gone(each.kind, each.id, 99) for each in records)))


def frame(target: str, source: str = PORT.mac_address) -> Packet:
    """A frame to a MAC address."""
    return Ether(src=source, dst=target) / IPv6()


class UnicastTests(TunnelCase):
    """Frames to one MAC address."""

    def test_a_known_mac_is_sent_to_its_host_alone(self) -> None:
        """Wherever it is."""
        walk = self.send(frame(FAR.mac_address))
        self.assertEqual((self.ends(walk), self.local(walk)), ([number("192.0.2.2")], set()))
        self.assertEqual(self.ends(self.send(frame(FARTHER.mac_address))), [number("192.0.2.3")])

    def test_an_unknown_mac_is_dropped(self) -> None:
        """Nothing is flooded to find out."""
        self.assertTrue(self.send(frame("fa:16:3e:99:99:99")).is_dropped)

    def test_a_port_here_is_reached_without_a_tunnel(self) -> None:
        """Though the network has tunnels."""
        walk = self.send(frame(OTHER.mac_address))
        self.assertEqual((self.ends(walk), self.local(walk)), ([], {self.port(OTHER_ID)}))

    def test_what_comes_out_of_a_tunnel_reaches_its_port(self) -> None:
        """And nobody else."""
        walk = self.receive(frame(PORT.mac_address, FAR.mac_address), FIRST.tunnel_ip)
        self.assertEqual([out.ofport for out in walk.outputs], [self.port(PORT_ID)])

    def test_what_comes_out_of_a_tunnel_goes_into_none(self) -> None:
        """There is no way around."""
        self.assertTrue(self.receive(frame(FARTHER.mac_address), FIRST.tunnel_ip).is_dropped)

    def test_a_port_that_moved_here_is_reached_here(self) -> None:
        """Even while its old place is still known; after that as before."""
        self.bed.put(evolve(FAR, id=OTHER_ID, version=9, mac_address=OTHER.mac_address))
        self.assertEqual(self.local(self.send(frame(OTHER.mac_address))), {self.port(OTHER_ID)})
        self.gone(evolve(FAR, id=OTHER_ID))
        self.assertEqual(self.bed.report_of(OTHER_ID), PortReport(OTHER_ID, OTHER.version, True))
        self.assertEqual(self.local(self.send(frame(OTHER.mac_address))), {self.port(OTHER_ID)})

    def test_a_port_that_moved_elsewhere_is_followed(self) -> None:
        """From the moment its record says so."""
        self.bed.put(evolve(FAR, version=9, host="host-c"))
        self.assertEqual(self.ends(self.send(frame(FAR.mac_address))), [number("192.0.2.3")])


class BroadcastTests(TunnelCase):
    """Frames to everybody."""

    def test_it_goes_to_ports_here_and_to_hosts_that_carry_the_network(self) -> None:
        """One copy each."""
        walk = self.send(frame(BROADCAST))
        self.assertEqual(self.ends(walk), [number("192.0.2.2"), number("192.0.2.3")])
        self.assertEqual(self.local(walk), {self.port(OTHER_ID)})

    def test_a_host_whose_last_port_is_gone_gets_none(self) -> None:
        """It carries the network no more."""
        self.gone(FARTHER)
        self.assertEqual(self.ends(self.send(frame(BROADCAST))), [number("192.0.2.2")])
        self.gone(FAR, FIRST)
        self.assertEqual(self.ends(self.send(frame(BROADCAST))), [])

    def test_from_a_tunnel_it_goes_to_ports_here_only(self) -> None:
        """The sender's host has sent it to all others itself."""
        walk = self.receive(frame(BROADCAST, FAR.mac_address), FIRST.tunnel_ip)
        self.assertEqual((self.ends(walk), self.local(walk)), ([], {self.port(PORT_ID), self.port(OTHER_ID)}))

    def test_a_host_that_moved_is_sent_to_where_it_is_now(self) -> None:
        """Frames and broadcast."""
        self.bed.put(evolve(FIRST, version=9, tunnel_ip="192.0.2.9"))
        for target in (FAR.mac_address, BROADCAST):
            self.assertIn(number("192.0.2.9"), self.ends(self.send(frame(target))))
        self.assertTrue(self.receive(frame(PORT.mac_address), "192.0.2.2").is_dropped)
        self.assertFalse(self.receive(frame(PORT.mac_address), "192.0.2.9").is_dropped)


class StrangerTests(TunnelCase):
    """What comes to the tunnels' ports and must not come in."""

    def test_from_an_address_of_no_peer_it_is_dropped(self) -> None:
        """Though it names a network that is here."""
        for target in (PORT.mac_address, BROADCAST):
            self.assertTrue(self.receive(frame(target), "198.51.100.7").is_dropped)

    def test_of_a_network_that_is_not_here_it_is_dropped(self) -> None:
        """And so is what says of itself that it comes over another kind of tunnel."""
        self.assertTrue(self.receive(frame(BROADCAST), FIRST.tunnel_ip, network=5002).is_dropped)
        self.assertTrue(self.receive(frame(BROADCAST), FIRST.tunnel_ip, device="tun-geneve").is_dropped)

    def test_with_a_tag_it_is_dropped(self) -> None:
        """Tags are for trunks."""
        tagged = Ether(src=FAR.mac_address, dst=BROADCAST) / Dot1Q(vlan=5) / IPv6()
        self.assertTrue(self.receive(tagged, FIRST.tunnel_ip).is_dropped)

    def test_networks_of_the_same_id_in_other_tunnels_stay_apart(self) -> None:
        """An id means something only together with the kind of tunnel."""
        self.bed.put(TWIN, evolve(OTHER, version=9, network_id=TWIN.id), evolve(FARTHER, version=9, network_id=TWIN.id))
        walk = self.receive(frame(BROADCAST), SECOND.tunnel_ip, device="tun-geneve")
        self.assertEqual({out.ofport for out in walk.outputs}, {self.port(OTHER_ID)})
        walk = self.receive(frame(BROADCAST), FIRST.tunnel_ip)
        self.assertEqual({out.ofport for out in walk.outputs}, {self.port(PORT_ID)})


class NeighbourTests(TunnelCase):
    """Who has an address of a port elsewhere?"""

    def answer(self, asked: Packet) -> Packet:
        """Return what the VM that asked is answered; nobody else hears of it."""
        walk = self.send(asked)
        self.assertEqual([out.ofport for out in walk.outputs], [self.port(PORT_ID)], str(walk))
        return Ether(walk.outputs[0].frame)

    def test_arp_is_answered_here(self) -> None:
        """As the port itself would."""
        mac = PORT.mac_address
        answer = self.answer(Ether(src=mac, dst=BROADCAST) / ARP(op=1, hwsrc=mac, psrc="10.0.0.5", pdst="10.0.0.21"))
        self.assertEqual((answer.src, answer.dst), (FAR.mac_address, mac))
        arp = answer[ARP]
        self.assertEqual((arp.op, arp.hwsrc, arp.psrc), (2, FAR.mac_address, "10.0.0.21"))
        self.assertEqual((arp.hwdst, arp.pdst), (mac, "10.0.0.5"))

    def test_a_neighbour_solicitation_is_answered_here(self) -> None:
        """With the option and the flags that belong to it, and a right checksum."""
        answer = self.answer(self.solicit("fd00::5", ICMPv6NDOptSrcLLAddr(lladdr=PORT.mac_address)))
        self.assertEqual((answer.src, answer.dst), (FAR.mac_address, PORT.mac_address))
        self.assertEqual((answer[IPv6].src, answer[IPv6].dst, answer[IPv6].hlim), ("fd00::21", "fd00::5", 255))
        told = answer[ICMPv6ND_NA]
        self.assertEqual((told.R, told.S, told.O, told.tgt), (0, 1, 1, "fd00::21"))
        self.assertEqual(told[ICMPv6NDOptDstLLAddr].lladdr, FAR.mac_address)
        checksum = told.cksum
        del told.cksum
        self.assertEqual(Ether(bytes(answer))[ICMPv6ND_NA].cksum, checksum)

    def test_who_looks_whether_an_address_is_taken_asks_the_hosts_that_carry_the_network(self) -> None:
        """It has no address yet that could be answered."""
        walk = self.send(self.solicit("::"))
        self.assertEqual(self.ends(walk), [number("192.0.2.2"), number("192.0.2.3")])

    def test_for_an_unknown_address_everybody_is_asked(self) -> None:
        """It may be one that nobody told us of."""
        mac = PORT.mac_address
        walk = self.send(Ether(src=mac, dst=BROADCAST) / ARP(op=1, hwsrc=mac, psrc="10.0.0.5", pdst="10.0.0.99"))
        self.assertEqual(len(self.ends(walk)), 2)

    def solicit(self, source: str, *options: Packet) -> Packet:
        """Ask who has the address of the port elsewhere."""
        asked = Ether(src=PORT.mac_address, dst="33:33:ff:00:00:21") / IPv6(src=source, dst="ff02::1:ff00:21")
        asked /= ICMPv6ND_NS(tgt="fd00::21")
        for option in options:
            asked /= option
        return asked


class DeletedTests(TunnelCase):
    """Connections with ports of other hosts that go."""

    def setUp(self) -> None:
        """One with each of the ports elsewhere, of this network and of another with the same addresses."""
        super().setUp()
        third = str(UUID(int=9))
        self.bed.put(TWIN, evolve(PORT, id=third, network_id=TWIN.id))
        self.bed.plug(third)
        self.bed.settle()
        for network in (VXLAN, TWIN):
            for far in (FAR, FARTHER):
                packet = IP(src="10.0.0.5", dst=far.fixed_ips[0].ip_address) / UDP(sport=4000, dport=5000)
                get = Frame(bytearray(bytes(Ether(src=PORT.mac_address, dst=far.mac_address) / packet))).get
                self.world.switch.connections.commit(self.zone(network.id), get, None)

    def zone(self, network_id: str) -> int:
        """Return the number of a network."""
        row = self.world.ovsdb.bridge("br-int")
        return int(row.external_ids[f"quantumd-network-{network_id}"]) if row is not None else 0

    def targets(self, network_id: str = VXLAN.id) -> set[str]:
        """Return with whom connections are tracked on a network."""
        entries = [each for each in self.world.switch.connections if each.zone == self.zone(network_id)]
        return {str(IPv4Address(each.original.target)) for each in entries}

    def delete(self, *also: Record) -> None:
        """Tell the host that a port elsewhere was deleted, and of records."""
        gone = Gone(FAR.kind, FAR.id, 99, is_deleted=True)
        self.bed.update(Update(HOST, "l2", also, (gone,)))

    def test_a_deleted_port_leaves_none(self) -> None:
        """Of its own network and address, and no other."""
        self.delete()
        self.assertEqual((self.targets(), self.targets(TWIN.id)), ({"10.0.0.31"}, {"10.0.0.21", "10.0.0.31"}))

    def test_a_port_that_only_left_keeps_them(self) -> None:
        """It may come back, or be somewhere else already."""
        self.gone(FAR)
        self.assertEqual(self.targets(), {"10.0.0.21", "10.0.0.31"})

    def test_a_deleted_port_that_was_never_known_here_leaves_none(self) -> None:
        """On a network that needs no tunnels; told again, what began since then goes on."""
        gone = Gone(PORT.kind, "f9", 99, True, VXLAN.id, ("10.0.0.77",))
        packet = IP(src="10.0.0.5", dst="10.0.0.77") / UDP(sport=4000, dport=5000)
        get = Frame(bytearray(bytes(Ether(src=PORT.mac_address, dst="fa:16:3e:00:0d:01") / packet))).get
        others = self.targets()
        for kept in (set(), {"10.0.0.77"}):
            self.world.switch.connections.commit(self.zone(VXLAN.id), get, None)
            self.bed.update(Update(HOST, "l2", gone=(gone,)))
            self.assertEqual(self.targets(), others | kept)
        self.assertEqual(self.bed.report_of("f9"), PortReport("f9", 0, plugged=False))

    def test_an_address_with_a_new_owner_keeps_them(self) -> None:
        """They may be the new owner's."""
        self.delete(evolve(FAR, id="f3", host="host-c", version=98))
        self.assertEqual(self.targets(), {"10.0.0.21", "10.0.0.31"})


class Ipv6Tests(TunnelCase):
    """Tunnels over IPv6."""

    local_ip = "2001:db8::1"

    def test_frames_go_to_and_come_from_ipv6_addresses(self) -> None:
        """Nothing else differs."""
        self.bed.put(evolve(FIRST, version=9, tunnel_ip="2001:db8::2"))
        self.assertEqual(self.ends(self.send(frame(FAR.mac_address))), [number("2001:db8::2")])
        self.assertFalse(self.receive(frame(BROADCAST), "2001:db8::2").is_dropped)
        self.assertTrue(self.receive(frame(BROADCAST), "2001:db8::7").is_dropped)


class PortTests(TunnelCase):
    """The tunnel ports themselves."""

    def flows(self) -> int:
        """Return how many flows there are."""
        return len(self.world.switch.flows)

    def test_the_host_says_where_its_tunnels_end(self) -> None:
        """And which it has."""
        about = self.bed.parts.converger.describe()
        self.assertEqual((about.tunnel_ip, about.tunnel_types), (HERE, ("vxlan", "geneve")))

    def test_there_is_one_port_of_each_type_however_many_hosts_there_are(self) -> None:
        """Peers are in flows."""
        names = {port.name for port in self.world.switch.ports.values() if port.name.startswith("tun-")}
        self.assertEqual(names, {"tun-vxlan", "tun-geneve"})

    def test_flows_are_peers_plus_networks_plus_ports(self) -> None:
        """Never a product: a second network of the same hosts adds nothing for each of them."""
        before = self.flows()
        more = [evolve(FAR, id=f"g{n}", mac_address=f"fa:16:3e:00:0d:{n:02x}", fixed_ips=()) for n in range(7)]
        self.bed.put(*more)
        self.assertEqual(self.flows(), before + 7)

    def test_a_port_is_not_in_force_while_its_tunnels_are_closed(self) -> None:
        """And is when they open."""
        self.world.ovsdb.set_ofport("tun-vxlan", -1, "address in use")
        self.bed.settle()
        why = "vxlan tunnels are closed: Open vSwitch does not open tun-vxlan (address in use)"
        self.assertEqual(self.bed.report_of(PORT_ID), PortReport(PORT_ID, 0, True, why))
        self.assertEqual(self.bed.parts.faults(), {("tunnel", "vxlan"): why})
        self.world.ovsdb.set_ofport("tun-vxlan", 1)
        self.bed.settle()
        self.assertEqual(self.bed.report_of(PORT_ID), PortReport(PORT_ID, PORT.version, True))

    def test_a_tunnel_port_that_somebody_removed_is_made_again(self) -> None:
        """And packets go on."""
        self.world.ovsdb.unplug("br-int", "tun-vxlan")
        self.bed.settle()
        self.assertEqual(self.ends(self.send(frame(FAR.mac_address))), [number("192.0.2.2")])

    def test_nothing_is_left_when_the_last_port_of_the_network_is_gone(self) -> None:
        """Not even flows of hosts and ports that the host has not been told to forget yet."""
        self.gone(PORT, OTHER)
        number_of = {flow.cookie >> 48 & 0xFF for flow in self.world.switch.flows.values()}
        self.assertEqual(number_of, {0, 1, 4, 6, 7, 9, 10, 11, 16})
        self.assertNotIn(Table.FLOOD, {flow.table for flow in self.world.switch.flows.values() if flow.priority})
        self.assertEqual(self.world.switch.groups.keys(), {SECOND_LOOK})
        self.bed.put(evolve(PORT, version=100), evolve(OTHER, version=100))
        self.assertEqual(self.ends(self.send(frame(FAR.mac_address))), [number("192.0.2.2")])

    def test_a_restart_changes_nothing(self) -> None:
        """All that is there is recognised."""
        before = self.world.switch.state()
        self.bed.stop()
        known, self.records = tuple(self.records), Records()
        self.world.switch.changes.clear()
        self.begin(HERE, self.types, *known)
        self.assertEqual((self.world.switch.state(), list(self.world.switch.changes)), (before, []))
        self.assertEqual(self.bed.report_of(PORT_ID), PortReport(PORT_ID, PORT.version, True))

    def test_a_type_that_is_taken_out_of_the_settings_has_no_port_any_more(self) -> None:
        """The others stay."""
        self.bed.stop()
        self.begin("192.0.2.77", ("vxlan",))
        self.bed.settle()
        ours = {name: row.external_ids for name, row in self.world.ovsdb.interfaces().items() if name[:4] == "tun-"}
        self.assertEqual(
            {name: ids["quantumd-tunnel"] for name, ids in ours.items()}, {"tun-vxlan": "vxlan 192.0.2.77"}
        )


class NoTunnelTests(TunnelCase):
    """A host without tunnels."""

    local_ip = ""
    types = ()

    def test_ports_of_tunnelled_networks_are_not_in_force(self) -> None:
        """They would reach nobody elsewhere."""
        why = "there are no vxlan tunnels on this host"
        self.assertEqual(self.bed.report_of(PORT_ID), PortReport(PORT_ID, 0, True, why))


class SettingsTests(SynchronousTestCase):
    """What the settings may say."""

    def test_vxlan_is_what_there_is_when_none_is_named(self) -> None:
        """With an address; without one there are none."""
        self.assertEqual(tunnel_plan(L2Settings(tunnel_ip="2001:DB8::1")), TunnelPlan("2001:db8::1", ("vxlan",)))
        self.assertEqual(tunnel_plan(L2Settings()), TunnelPlan())

    def test_what_is_wrong_is_named(self) -> None:
        """The address, and types that are none."""
        for wrong, why in (
            (L2Settings(tunnel_ip="here"), "'here' is not an IP address"),
            (L2Settings(tunnel_ip=HERE, tunnel_types=("vxlan", "stt")), "'stt' is none of gre, vxlan, geneve"),
            (L2Settings(tunnel_types=("vxlan",)), "without l2.tunnel_ip"),
        ):
            self.assertIn(why, str(self.assertRaises(SettingsError, tunnel_plan, wrong)))
