"""Trunks and taps where the ports are on two hosts. Needs root."""

from __future__ import annotations

from typing import ClassVar

from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from tests.bed.host import Guest
from tests.bed.wire import Wire
from tests.functional import test_taps as taps
from tests.functional import test_trunks as trunks
from tests.functional import test_tunnels as tunnels


class HostsTests(tunnels.TunnelCase, taps.TapCase, trunks.TrunkCase):
    """Two hosts with tunnels between them."""

    host_names: ClassVar[tuple[str, ...]] = ("host-a", "host-b")

    def test_a_sub_port_reaches_ports_of_other_hosts(self) -> None:
        """Its host answers for them with the tag; what they say arrives with it."""
        first, second = self.hosts
        network = self.tunnelled()
        other = self.boot(second, network)
        sub = self.sub_port(network, 101)
        outer = self.make_network("10.9.0.0/24")
        port = self.appliance.create("port", network_id=outer["id"])
        parent = Guest(port, first.ovs.make_vm(port["id"], port["mac_address"]))
        trunk = self.make_trunk(parent, sub)
        self.update("port", parent.id, **{"binding:host_id": first.name})
        first.ovs.plug(parent.vm)
        self.appliance.await_status(sub.id)
        self.await_trunk(trunk, "ACTIVE")
        with Wire(parent.vm.namespace) as wire:
            self.wait_for("its neighbour", lambda: self.mac_of(wire, sub, other.ip) == other.mac)
            mark = f"from {sub.id}".encode()

            def is_answered() -> bool:
                wire.send(sub.frame(IP(src=sub.ip, dst=other.ip) / ICMP() / Raw(mark), other.mac))
                answer = wire.await_frame(lambda raw: mark in raw, taps.SETTLE_SECONDS)
                return answer is not None and Ether(answer)[Dot1Q].vlan == sub.vlan

            self.wait_for("an answer", is_answered)

    def mac_of(self, wire: Wire, sub: trunks.SubPort, address: str) -> str:
        """Let a sub-port ask who has an address; return the answer."""
        wire.send(sub.asks_for(address))
        raw = wire.await_frame(lambda frame: ARP in Ether(frame) and Ether(frame)[ARP].op == 2, taps.SETTLE_SECONDS)
        return "" if raw is None else str(Ether(raw)[ARP].hwsrc)

    def test_copies_reach_a_listener_on_another_host(self) -> None:
        """What the tapped port sends and gets; nobody else there gets them; they end with the tap."""
        first, second = self.hosts
        network = self.tunnelled()
        alice, bob, neighbour = (self.boot(host, network) for host in (first, first, second))
        ear = self.plug_at(second, self.make_network("10.0.0.0/24"))
        flow = self.flow(ear, alice, "BOTH")
        self.settle(alice, bob)
        with Wire(neighbour.vm.namespace) as deaf:
            for talk in ((alice, bob), (bob, alice)):
                self.wait_for("a copy", lambda talk=talk: self.hears(ear, *talk))  # type: ignore[misc] # bound now
            heard = deaf.received()
        self.assertEqual([frame for frame in heard if b"a datagram" in frame], [])
        frame = taps.datagram(alice, neighbour)
        with Wire(ear.vm.namespace) as copy, Wire(neighbour.vm.namespace) as own, Wire(alice.vm.namespace) as mouth:
            mouth.send(frame)
            self.assertEqual(own.await_frame(lambda found: b"a datagram" in found), frame)
            self.assertIsNotNone(copy.await_frame(lambda found: found == frame))
        self.appliance.request("DELETE", f"/v2.0/taas/tap_flows/{flow['id']}")
        for host in self.hosts:
            self.wait_for("the end", lambda host=host: "clone(" not in host.ovs.ofctl("dump-flows"))  # type: ignore[misc] # bound now
        self.assertFalse(self.hears(ear, alice, bob))
