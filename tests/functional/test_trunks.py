"""Trunks by real packets: what a VM sends and gets with tags, and what it cannot do with them. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from attrs import frozen
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

from tests.bed.host import Guest, HostCase
from tests.bed.trunk_table import PORTS, ROWS, VLAN_OF, Row
from tests.bed.wire import Wire

BROADCAST = "ff:ff:ff:ff:ff:ff"
SETTLE_SECONDS = 0.5


@frozen
class SubPort:
    """A sub-port as the API shows it, and its tag."""

    port: Mapping[str, Any]
    vlan: int

    @property
    def id(self) -> str:
        """The port's id."""
        return str(self.port["id"])

    @property
    def mac(self) -> str:
        """The port's MAC address."""
        return str(self.port["mac_address"])

    @property
    def ip(self) -> str:
        """The port's first address."""
        return str(self.port["fixed_ips"][0]["ip_address"])

    def frame(self, packet: Packet, target: str = BROADCAST) -> bytes:
        """Return a frame of it, tagged."""
        return bytes(Ether(src=self.mac, dst=target) / Dot1Q(vlan=self.vlan) / packet)

    def asks_for(self, address: str) -> bytes:
        """Return an ARP request of it."""
        return self.frame(ARP(op=1, hwsrc=self.mac, psrc=self.ip, pdst=address))

    def answers(self, question: Packet) -> bytes:
        """Return its answer to an ARP request."""
        arp = question[ARP]
        return self.frame(ARP(op=2, hwsrc=self.mac, psrc=self.ip, hwdst=arp.hwsrc, pdst=arp.psrc), arp.hwsrc)


class TrunkCase(HostCase):
    """A VM with a trunk, and VMs on the networks of its sub-ports."""

    def make_trunk(self, parent: Guest, *sub_ports: SubPort) -> dict[str, Any]:
        """Make a trunk."""
        return self.appliance.create("trunk", port_id=parent.id, sub_ports=[_said(each) for each in sub_ports])

    def sub_port(self, network: Mapping[str, Any], vlan: int, **attributes: Any) -> SubPort:
        """Make a port that is to be a sub-port."""
        return SubPort(self.appliance.create("port", network_id=network["id"], **attributes), vlan)

    def act(self, trunk: Mapping[str, Any], action: str, *sub_ports: SubPort) -> dict[str, Any]:
        """Add or remove sub-ports."""
        said = {"sub_ports": [_said(each) for each in sub_ports]}
        answer = self.appliance.request("PUT", f"/v2.0/trunks/{trunk['id']}/{action}", said)
        self.assertEqual(answer.status, 200, answer.body)
        changed: dict[str, Any] = answer.body
        return changed

    def await_trunk(self, trunk: Mapping[str, Any], status: str) -> None:
        """Wait until the trunk has a status."""
        self.wait_for(status, lambda: self.appliance.show("trunk", trunk["id"])["status"] == status)


class SubPortCase(TrunkCase):
    """A VM with a trunk of two sub-ports, and a neighbour on each of the three networks, which have the same addresses.

    The host has no tunnels.
    """

    neighbours_have_port_security: ClassVar[bool] = True

    def setUp(self) -> None:
        """Boot them."""
        super().setUp()
        self.networks = {name: self.make_network("10.0.0.0/24") for name in PORTS}
        at = {name: [{"ip_address": f"10.0.0.{n}"}] for n, name in enumerate(PORTS, start=11)}
        self.parent = self.make_guest(self.networks["parent"], fixed_ips=at["parent"])
        self.subs = {
            name: self.sub_port(self.networks[name], vlan, fixed_ips=at[name]) for name, vlan in VLAN_OF.items()
        }
        self.trunk = self.make_trunk(self.parent, *self.subs.values())
        self.plug(self.parent)
        self.parent.configure()
        self.neighbours = {name: self.neighbour(network) for name, network in self.networks.items()}
        for sub in self.subs.values():
            self.appliance.await_status(sub.id)
        self.wire = Wire(self.parent.vm.namespace)
        self.addCleanup(self.wire.close)

    def neighbour(self, network: Mapping[str, Any]) -> Guest:
        """Boot a VM on a network."""
        more = {} if self.neighbours_have_port_security else {"port_security_enabled": False, "security_groups": []}
        return self.plugged(network, fixed_ips=[{"ip_address": "10.0.0.50"}], **more)

    def hear(self, vlan: int | None, mark: type[Packet] | bytes, seconds: float = 5.0) -> Packet | None:
        """Wait until the VM with the trunk gets a frame with this tag (None: none) and this layer or these bytes."""

        def is_it(raw: bytes) -> bool:
            frame = Ether(raw)
            has_mark = mark in raw if isinstance(mark, bytes) else mark in frame
            return has_mark and (frame[Dot1Q].vlan if Dot1Q in frame else None) == vlan

        raw = self.wire.await_frame(is_it, seconds)
        return None if raw is None else Ether(raw)

    def mac_of(self, sub: SubPort, address: str, seconds: float = 5.0) -> str:
        """Let a sub-port ask who has an address; return the answer, '' when there is none."""
        self.wire.received()
        self.wire.send(sub.asks_for(address))
        answer = self.hear(sub.vlan, ARP, seconds)
        return "" if answer is None else str(answer[ARP].hwsrc)

    def reaches(self, sub: SubPort, neighbour: Guest) -> bool:
        """Whether a neighbour answers an echo request of a sub-port; it asks for its MAC first, which is answered."""
        neighbour.vm.run("ip", "neigh", "flush", "all")
        self.wire.received()
        mark = f"from {sub.id}".encode()
        self.wire.send(sub.frame(IP(src=sub.ip, dst=neighbour.ip) / ICMP() / Raw(mark), neighbour.mac))
        question = self.hear(sub.vlan, ARP, SETTLE_SECONDS)
        if question is None or question[ARP].pdst != sub.ip:
            return False
        self.wire.send(sub.answers(question))
        return self.hear(sub.vlan, mark) is not None


class SubPortTests(SubPortCase):
    """What sub-ports are for."""

    def test_each_tag_is_its_network(self) -> None:
        """The neighbours answer where they were asked, though they have the same addresses; so the parent without."""
        self.await_trunk(self.trunk, "ACTIVE")
        for name, sub in self.subs.items():
            self.assertEqual(self.mac_of(sub, self.neighbours[name].ip), self.neighbours[name].mac)
            self.assertTrue(self.reaches(sub, self.neighbours[name]))
        self.assertTrue(self.parent.can_reach(self.neighbours["parent"].ip))

    def test_a_sub_port_gets_its_address_tagged(self) -> None:
        """From its own network's server, whose address answers as well."""
        first, server = self.subs["first"], "10.0.0.2"
        found = {}
        for name, sub in self.subs.items():
            told = self.ask_for_address(sub, "discover")
            self.assertEqual(self.ask_for_address(sub, "request", told[BOOTP].yiaddr)[BOOTP].yiaddr, sub.ip)
            found[name] = told.src
            self.assertEqual(self.mac_of(sub, server), told.src)
        self.assertEqual(len(set(found.values())), 2)
        self.wire.send(first.frame(IP(src=first.ip, dst=server) / ICMP() / Raw(b"an echo"), found["first"]))
        self.assertIsNotNone(self.hear(first.vlan, b"an echo"))

    def ask_for_address(self, sub: SubPort, kind: str, address: str = "") -> Packet:
        """Send a DHCP message of a sub-port; return the answer."""
        options: list[Any] = [("message-type", kind)]
        if address:
            options.append(("requested_addr", address))
        message = BOOTP(chaddr=bytes.fromhex(sub.mac.replace(":", "")), xid=7) / DHCP(options=[*options, "end"])
        self.wire.send(sub.frame(IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / message))
        answer = self.hear(sub.vlan, DHCP)
        self.assertIsNotNone(answer, f"no answer to {kind} of {sub.vlan}")
        return cast(Packet, answer)

    def test_security_groups_guard_a_sub_port(self) -> None:
        """A stranger on its network cannot begin, and can once a rule lets him."""
        sub = self.subs["first"]
        strangers = self.appliance.create("security_group", name="strangers")
        stranger = self.plugged(self.networks["first"], security_groups=[strangers["id"]])
        self.assertEqual(self.mac_of(sub, stranger.ip), stranger.mac)
        frame = Ether(src=stranger.mac, dst=sub.mac) / IP(src=stranger.ip, dst=sub.ip) / UDP(dport=5000) / Raw(b"knock")
        with Wire(stranger.vm.namespace) as mouth:
            mouth.send(bytes(frame))
            self.assertIsNone(self.hear(sub.vlan, b"knock", SETTLE_SECONDS))
            open_to_all = self.appliance.create("security_group", name="open")
            rule = {"direction": "ingress", "ethertype": "IPv4", "protocol": "udp"}
            self.appliance.create("security_group_rule", security_group_id=open_to_all["id"], **rule)
            self.update("port", sub.id, security_groups=[open_to_all["id"]])

            def knocks() -> bool:
                mouth.send(bytes(frame))
                return self.hear(sub.vlan, b"knock", SETTLE_SECONDS) is not None

            self.wait_for("a rule", knocks)

    def test_sub_ports_come_and_go_while_the_vm_runs(self) -> None:
        """What was there is not disturbed; a port that is taken out is free for another use."""
        first, network = self.subs["first"], self.make_network("10.0.0.0/24")
        neighbour = self.plugged(network)
        third = self.sub_port(network, 103)
        self.assertEqual(self.mac_of(third, neighbour.ip, SETTLE_SECONDS), "")
        self.assertEqual(self.act(self.trunk, "add_subports", third)["status"], "BUILD")
        self.appliance.await_status(third.id)
        self.await_trunk(self.trunk, "ACTIVE")
        self.assertTrue(self.reaches(third, neighbour))
        self.act(self.trunk, "remove_subports", third)
        self.appliance.await_status(third.id, "DOWN")
        self.wait_for("silence", lambda: not self.mac_of(third, neighbour.ip, SETTLE_SECONDS))
        self.assertEqual(self.flows_with(third.mac), [])
        self.assertTrue(self.reaches(first, self.neighbours["first"]))
        shown = self.appliance.show("port", self.parent.id)["trunk_details"]
        wanted = [{**_said(each), "mac_address": each.mac} for each in self.subs.values()]
        self.assertEqual(shown, {"trunk_id": self.trunk["id"], "sub_ports": wanted})

    def test_they_live_with_the_device_of_their_parent(self) -> None:
        """Unplugged, plugged again, taken from the host."""
        first = self.subs["first"]
        self.await_trunk(self.trunk, "ACTIVE")
        self.ovs.unplug(self.parent.vm)
        self.appliance.await_status(first.id, "DOWN")
        self.await_trunk(self.trunk, "DOWN")
        self.assertEqual(self.appliance.show("port", first.id)["binding:host_id"], "host-a")
        self.ovs.plug(self.parent.vm)
        self.appliance.await_status(first.id)
        self.await_trunk(self.trunk, "ACTIVE")
        self.assertTrue(self.reaches(first, self.neighbours["first"]))
        self.update("port", self.parent.id, **{"binding:host_id": ""})
        self.assertEqual(self.appliance.show("port", first.id)["binding:host_id"], "")
        self.await_trunk(self.trunk, "DOWN")

    def test_a_sub_port_that_cannot_be_carried_degrades_its_trunk(self) -> None:
        """The others go on; one that is disabled is no fault."""
        kind = {"provider:network_type": "vxlan", "provider:segmentation_id": 9}
        lost = self.sub_port(self.appliance.create("network", **kind), 104)
        self.act(self.trunk, "add_subports", lost)
        self.await_trunk(self.trunk, "DEGRADED")
        self.assertTrue(self.reaches(self.subs["first"], self.neighbours["first"]))
        self.update("port", lost.id, admin_state_up=False)
        self.await_trunk(self.trunk, "ACTIVE")

    def test_a_restart_of_the_switch_or_of_quantumd_is_survived(self) -> None:
        """Both."""
        first = self.subs["first"]
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()
        self.wait_for("the switch", lambda: self.reaches(first, self.neighbours["first"]), 30.0)
        self.appliance.stop()
        self.appliance.start("/readyz")
        self.assertTrue(self.reaches(first, self.neighbours["first"]))


class AttackTests(SubPortCase):
    """What a VM may send is a table, which the packet walker is tested with too."""

    neighbours_have_port_security = False

    def test_every_row(self) -> None:
        """Who hears it."""
        own: dict[str, Guest | SubPort] = {"parent": self.parent, **self.subs}
        wires = {name: Wire(guest.vm.namespace) for name, guest in self.neighbours.items()}
        for wire in wires.values():
            self.addCleanup(wire.close)
        heard: dict[str, set[str]] = {}
        for row in ROWS:
            self.wire.send(row.frame(own[row.mac_of].mac, own[row.ip_of].ip))
        frames: dict[str, list[bytes]] = {name: [] for name in wires}

        def is_over() -> bool:
            for name, wire in wires.items():
                frames[name] += wire.received()
            return all(any(b"the end" in frame for frame in got) for got in frames.values())

        self.send_end(own)
        self.wait_for("the last frames", is_over)
        for row in ROWS:
            heard[row.name] = {name for name, got in frames.items() if any(row.mark in frame for frame in got)}
        self.assertEqual(heard, {row.name: set(row.heard_by) for row in ROWS})

    def send_end(self, own: Mapping[str, Any]) -> None:
        """Send what every neighbour hears."""
        for name, each in own.items():
            last = Row("the end", (VLAN_OF[name],) if name in VLAN_OF else (), name, name, frozenset((name,)))
            self.wire.send(last.frame(each.mac, each.ip))

    def test_nobody_reaches_a_sub_port_with_a_tag(self) -> None:
        """From its own network, from that of the parent, with one tag or two."""
        sub = self.subs["first"]
        for name, guest in self.neighbours.items():
            with Wire(guest.vm.namespace) as mouth:
                for tags in ((101,), (101, 101), (0,), (0, 101), (102,)):
                    frame: Packet = Ether(src=guest.mac, dst=BROADCAST)
                    for tag in tags:
                        frame /= Dot1Q(vlan=tag)
                    mouth.send(bytes(frame / IP(src=guest.ip, dst=sub.ip) / UDP() / Raw(b"hopped")))
                mouth.send(bytes(Ether(src=guest.mac, dst=BROADCAST) / ARP(op=1, pdst="10.0.0.99") / Raw(b"the end")))
            seen: list[bytes] = []

            def is_over(seen: list[bytes] = seen) -> bool:
                seen.extend(self.wire.received())
                return any(b"the end" in frame for frame in seen)

            self.wait_for(f"the last frame of {name}", is_over)
            self.assertEqual([frame for frame in seen if b"hopped" in frame], [])
            (last,) = [Ether(frame) for frame in seen if b"the end" in frame]
            self.assertEqual(last[Dot1Q].vlan if Dot1Q in last else None, VLAN_OF.get(name))


def _said(sub: SubPort) -> dict[str, Any]:
    return {"port_id": sub.id, "segmentation_type": "vlan", "segmentation_id": sub.vlan}
