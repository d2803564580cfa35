"""Transparent networks on an Open vSwitch in memory: which tagged frames pass, and where they are answered."""

from __future__ import annotations

from attrs import evolve
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

from quantumd.edge.openflow.walk import Walk
from quantumd.model.records import FixedIp, NetworkRecord, PortRecord
from quantumd.model.security_records import SecurityGroupRecord
from tests.bed.guarded import EVERYTHING_OUT
from tests.bed.guest_tag_table import BROADCAST, ROWS, Ends
from tests.contracts.l2_driver import OTHER, OTHER_ID, PORT, PORT_ID
from tests.l2.drivers.ovs import test_tunnels as tunnels

GROUP = SecurityGroupRecord("g", 1, True, EVERYTHING_OUT)
TRANSPARENT = evolve(
    tunnels.VXLAN, version=9, vlan_transparent=True, dhcp_mac="fa:16:3e:00:00:02", dhcp_addresses=("10.0.0.2",)
)
GUARDED = evolve(
    PORT,
    version=9,
    port_security=True,
    security_groups=("g",),
    fixed_ips=(*PORT.fixed_ips, FixedIp("s6", "fd00::5")),
)


class TagCase(tunnels.TunnelCase):
    """A guarded VM and one that is not, on a transparent network with ports on other hosts."""

    def setUp(self) -> None:
        super().setUp()
        self.bed.put(GROUP, TRANSPARENT, GUARDED)

    def tagged(self, tag: int, target: str = OTHER.mac_address, source: PortRecord = PORT) -> Packet:
        """Return a frame with a tag."""
        return Ether(src=source.mac_address, dst=target) / Dot1Q(vlan=tag) / Raw(b"inside")

    def frames(self, walk: Walk) -> set[bytes]:
        """Return what came out, wherever."""
        return {bytes(out.frame) for out in walk.outputs}


class TableTests(TagCase):
    """What a guarded VM may send."""

    def test_every_row(self) -> None:
        """As it is, to the other port here and, of a broadcast, to other hosts."""
        ends = Ends(PORT.mac_address, PORT.fixed_ips[0].ip_address, OTHER.mac_address, OTHER.fixed_ips[0].ip_address)
        found = {}
        for row in ROWS:
            walk = self.world.switch.walk(self.port(PORT_ID), row.frame(ends))
            found[row.name] = self.local(walk) == {self.port(OTHER_ID)}
            self.assertLessEqual(self.frames(walk), {row.frame(ends)})
        self.assertEqual(found, {row.name: row.is_heard for row in ROWS})


class WayTests(TagCase):
    """Where tagged frames go."""

    def test_they_keep_their_tag_in_tunnels(self) -> None:
        """To the host of a MAC address, to all hosts that carry the network, and out of the tunnel to ports."""
        for target, ends in ((tunnels.FAR.mac_address, 1), (BROADCAST, 2)):
            frame = self.tagged(5, target, OTHER)
            walk = self.send(frame, OTHER_ID)
            self.assertEqual((len(self.ends(walk)), self.frames(walk)), (ends, {bytes(frame)}))
        frame = self.tagged(5, source=evolve(PORT, mac_address=tunnels.FAR.mac_address))
        walk = self.receive(frame, tunnels.FIRST.tunnel_ip)
        self.assertEqual((self.local(walk), self.frames(walk)), ({self.port(OTHER_ID)}, {bytes(frame)}))

    def test_the_tag_of_copies_never_comes_out_of_a_tunnel(self) -> None:
        """Those of a tap that is gone here already would else be frames of the network."""
        frame = self.tagged(4095, source=evolve(PORT, mac_address=tunnels.FAR.mac_address))
        self.assertTrue(self.receive(frame, tunnels.FIRST.tunnel_ip).is_dropped)

    def test_nobody_answers_inside_a_tag(self) -> None:
        """Who has the address of the server, or of a port elsewhere, is asked of ports alone."""
        for address in ("10.0.0.2", "10.0.0.21"):
            question = ARP(op=1, hwsrc=PORT.mac_address, psrc=PORT.fixed_ips[0].ip_address, pdst=address)
            ether = Ether(src=PORT.mac_address, dst=BROADCAST)
            plain = self.send(ether / question)
            self.assertEqual([out.ofport for out in plain.outputs], [self.port(PORT_ID)])
            self.assertEqual(self.local(self.send(ether / Dot1Q(vlan=5) / question)), {self.port(OTHER_ID)})

    def test_other_networks_pass_none(self) -> None:
        """What was transparent is not any more; nor is what a physical network would take for its own."""
        vlan = evolve(TRANSPARENT, version=10, network_type="vlan", physical_network="p", segmentation_id=5)
        for network in (evolve(TRANSPARENT, version=9, vlan_transparent=False), vlan):
            self.bed.put(network)
            self.assertTrue(self.send(self.tagged(5, source=OTHER, target=PORT.mac_address), OTHER_ID).is_dropped)
            far = self.tagged(5, source=evolve(PORT, mac_address=tunnels.FAR.mac_address))
            self.assertTrue(self.receive(far, tunnels.FIRST.tunnel_ip).is_dropped)


class TrunkTests(TagCase):
    """Ports of a trunk on transparent networks."""

    def test_in_a_trunk_all_tags_are_those_of_sub_ports(self) -> None:
        """The parent sends no others and gets none; a sub-port gets none inside its own; without sub-ports it does."""
        inner = NetworkRecord("n2", 1, "local", None, None, 1450, True, None, (), vlan_transparent=True)
        sub = PortRecord(
            "f0", 9, "n2", "fa:16:3e:00:00:77", (), True, "compute:nova", parent_id=OTHER_ID, segmentation_id=101
        )
        mate = evolve(sub, id="f1", mac_address="fa:16:3e:00:00:78", parent_id="", segmentation_id=0)
        open_port = evolve(GUARDED, version=10, port_security=False)
        self.bed.put(open_port, inner, mate)
        self.bed.plug("f1")
        self.bed.settle()
        self.assertEqual(self.local(self.send(self.tagged(102))), {self.port(OTHER_ID)})
        self.bed.put(sub)
        for tag in (101, 102, 0):
            for target in (OTHER.mac_address, BROADCAST):
                self.assertEqual(self.local(self.send(self.tagged(tag, target))), set())
            for target in (sub.mac_address, BROADCAST):
                self.assertEqual(self.local(self.send(self.tagged(tag, target, mate), "f1")), set())
            if tag != 101:
                self.assertTrue(self.send(self.tagged(tag, BROADCAST, OTHER), OTHER_ID).is_dropped)
        self.gone(sub)
        self.assertEqual(self.local(self.send(self.tagged(101))), {self.port(OTHER_ID)})
