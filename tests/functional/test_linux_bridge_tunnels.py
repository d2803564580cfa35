"""Networks between hosts with Linux bridges, in the kernel's VXLAN. Needs root."""

from __future__ import annotations

from typing import Any, ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from tests.bed.bridged_cluster import BridgedHostsCase, Member
from tests.bed.wire import Wire


class TunnelTests(BridgedHostsCase):
    """VMs on different hosts."""

    used: ClassVar[list[int]] = []

    def tunnelled(self, *cidrs: str) -> dict[str, Any]:
        """Create a network that hosts carry in tunnels."""
        self.used.append(7000 + len(self.used))
        provider: dict[str, Any] = {"provider:network_type": "vxlan", "provider:segmentation_id": self.used[-1]}
        return self.make_network(*(cidrs or ("10.0.0.0/24",)), **provider)

    @property
    def members(self) -> tuple[Member, ...]:
        """The hosts."""
        return self.cluster.members

    def fdb(self, member: Member) -> list[str]:
        """Return the entries of a host's tunnels of the last network."""
        return member.host.run("bridge", "fdb", "show", "dev", f"vxlan-{self.used[-1]}").splitlines()

    def test_vms_of_two_hosts_reach_each_other_with_packets_of_full_size(self) -> None:
        """Both have leases, with an MTU that fits."""
        network = self.tunnelled()
        self.assertEqual(network["mtu"], 1450)
        first, second = (self.boot(member, network) for member in self.members[:2])
        self.assertTrue(first.can_reach(second.ip))
        first.vm.run("ping", "-n", "-c3", "-i0.05", "-W2", "-Mdo", "-s1422", second.ip)

    def test_equal_addresses_of_two_networks_stay_apart(self) -> None:
        """On the same hosts."""
        fixed = {"fixed_ips": [{"ip_address": "10.0.0.50"}]}
        one, other = self.tunnelled(), self.tunnelled()
        first = self.boot(self.members[0], one)
        self.boot(self.members[1], one, **fixed)
        lonely = self.boot(self.members[0], other)
        self.assertTrue(first.can_reach("10.0.0.50"))
        self.assertFalse(lonely.can_reach("10.0.0.50", tries=2))

    def test_records_tell_who_is_where(self) -> None:
        """Known MACs go to their host alone, broadcast to those that carry the network; both go when ports go."""
        network = self.tunnelled()
        guests = [self.boot(member, network) for member in self.members]
        first = self.members[0]
        self.soon(lambda: len([line for line in self.fdb(first) if "dst" in line]) == 4, "two hosts, two MACs")
        entries = self.fdb(first)
        for number, guest in ((2, guests[1]), (3, guests[2])):
            self.assertTrue([line for line in entries if guest.mac in line and f"dst 172.31.0.{number} " in line])
            floods = [line for line in entries if "00:00:00:00:00:00" in line and f"dst 172.31.0.{number} " in line]
            self.assertEqual(len(floods), 1, entries)
        self.delete("port", guests[2].id)
        self.soon(lambda: not [line for line in self.fdb(first) if "172.31.0.3" in line], "the third host is forgotten")

    def test_unicast_is_not_seen_by_a_third_host(self) -> None:
        """Nor is a frame for a MAC that nobody has."""
        network = self.tunnelled()
        first, second, third = (self.boot(member, network) for member in self.members)
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(first.can_reach(third.ip))
        packet = IP(src=first.ip, dst="10.0.0.77") / UDP(sport=1, dport=2) / Raw(b"to nobody")
        with Wire(self.members[2].host.namespace, "ul3") as ear, Wire(first.vm.namespace) as mouth:
            mouth.send(bytes(Ether(src=first.mac, dst="fa:16:3e:77:77:77") / packet))
            first.vm.run("ping", "-n", "-c3", "-i0.2", "-W2", second.ip)
            heard = ear.received()
        to_second = bytes.fromhex(second.mac.replace(":", ""))
        self.assertEqual([frame for frame in heard if b"to nobody" in frame or frame[50:56] == to_second], [])

    def test_a_stranger_s_packet_is_dropped(self) -> None:
        """Out of a tunnel from an address of no host that carries the network."""
        network = self.tunnelled()
        first, second = (self.boot(member, network, port_security_enabled=False) for member in self.members[:2])
        inner = Ether(src=second.mac, dst=first.mac) / IP(src=second.ip, dst=first.ip) / UDP(sport=1, dport=2)
        outer = UDP(sport=40000, dport=4789) / VXLAN(vni=self.used[-1], flags=8) / inner
        far = self.members[1].host
        near_mac = self.members[0].host.run("cat", "/sys/class/net/underlay/address").strip()
        far_mac = far.run("cat", "/sys/class/net/ul2/address").strip()
        for source, expected in (("172.31.0.2", True), ("172.31.0.99", False), ("172.31.0.3", False)):
            mark = f"<from {source}>".encode()
            frame = bytes(Ether(src=far_mac, dst=near_mac) / IP(src=source, dst="172.31.0.1") / outer / Raw(mark))
            with Wire(first.vm.namespace) as ear, Wire(far.namespace, "ul2") as mouth:
                mouth.send(frame)
                self.assertEqual(ear.await_frame(lambda each, mark=mark: mark in each, 0.5) is not None, expected)  # type: ignore[misc]

    def test_a_vm_that_moved_is_reached_where_it_is(self) -> None:
        """After its port was bound to another host."""
        network = self.tunnelled()
        first, second = (self.boot(member, network) for member in self.members[:2])
        self.assertTrue(first.can_reach(second.ip))
        self.members[1].host.remove_vm(second.vm)
        self.update("port", second.id, **{"binding:host_id": "host-c"})
        moved = self.members[2].host.make_vm(second.id, second.mac)
        self.members[2].host.plug(moved)
        moved.run("ip", "address", "add", f"{second.ip}/24", "dev", "eth0")
        self.assertTrue(first.can_reach(second.ip, tries=25))

    def test_devices_go_with_the_last_port(self) -> None:
        """The tunnel and the bridge; those of strangers stay."""
        network = self.tunnelled()
        guest = self.boot(self.members[0], network)
        host = self.members[0].host
        names = {f"brq{network['id'][:11]}", f"vxlan-{self.used[-1]}"}
        self.assertTrue(names <= set(host.devices()))
        host.remove_vm(guest.vm)
        self.soon(lambda: names.isdisjoint(host.devices()), "they are gone")
        self.assertIn("underlay", host.devices())
