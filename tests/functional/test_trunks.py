"""Trunks by real packets: what a VM sends and gets with tags, and what it cannot do with them. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

from tests.bed.host import Guest, HostCase
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


class SubPortTests(TrunkCase):
    """What sub-ports are for."""

    def setUp(self) -> None:
        """A trunk with two sub-ports on networks with the same addresses, and a neighbour on each."""
        super().setUp()
        self.outer = self.make_network("10.9.0.0/24")
        self.networks = [self.make_network("10.0.0.0/24") for _ in range(2)]
        self.subs = [self.sub_port(network, vlan) for network, vlan in zip(self.networks, (101, 102), strict=True)]
        self.parent = self.make_guest(self.outer)
        self.trunk = self.make_trunk(self.parent, *self.subs)
        self.plug(self.parent)
        self.parent.configure()
        for sub in self.subs:
            self.appliance.await_status(sub.id)
        self.neighbours = [self.plugged(network) for network in self.networks]
        self.wire = Wire(self.parent.vm.namespace)
        self.addCleanup(self.wire.close)

    def hear(self, vlan: int | None, mark: type[Packet] | bytes, seconds: float = 5.0) -> Packet | None:
        """Wait until the parent's VM gets a frame with this tag (None: untagged) and this layer or these bytes."""

        def is_it(raw: bytes) -> bool:
            frame = Ether(raw)
            has_mark = mark in raw if isinstance(mark, bytes) else mark in frame
            return has_mark and (frame[Dot1Q].vlan if Dot1Q in frame else None) == vlan

        raw = self.wire.await_frame(is_it, seconds)
        return None if raw is None else Ether(raw)

    def mac_of(self, sub: SubPort, address: str) -> str:
        """Let a sub-port ask who has an address; return the answer."""
        self.wire.send(sub.asks_for(address))
        answer = self.hear(sub.vlan, ARP)
        self.assertIsNotNone(answer, f"who has {address} on {sub.vlan}?")
        return str(answer[ARP].hwsrc)  # type: ignore[index] # it is there

    def ping(self, sub: SubPort, neighbour: Guest) -> bool:
        """Whether a neighbour answers a sub-port; it asks for its address first, which is answered."""
        neighbour.vm.run("ip", "neigh", "flush", "all")
        self.wire.received()
        mark = f"from {sub.id}".encode()
        self.wire.send(sub.frame(IP(src=sub.ip, dst=neighbour.ip) / ICMP() / Raw(mark), neighbour.mac))
        question = self.hear(sub.vlan, ARP, SETTLE_SECONDS)
        if question is None or question[ARP].pdst != sub.ip:
            return False
        self.wire.send(sub.answers(question))
        return self.hear(sub.vlan, mark) is not None

    def test_each_tag_is_its_network(self) -> None:
        """The neighbours answer where they were asked, though they have the same addresses; the parent stays itself."""
        for sub, neighbour in zip(self.subs, self.neighbours, strict=True):
            self.assertEqual(self.mac_of(sub, neighbour.ip), neighbour.mac)
            self.assertTrue(self.ping(sub, neighbour))
        other = self.plugged(self.outer)
        self.assertTrue(self.parent.can_reach(other.ip))
        self.await_trunk(self.trunk, "ACTIVE")


def _said(sub: SubPort) -> dict[str, Any]:
    return {"port_id": sub.id, "segmentation_type": "vlan", "segmentation_id": sub.vlan}
