"""Networks between hosts: real packets in real tunnels between real switches. Needs root."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

from tests.bed.cluster import UNDERLAY_BRIDGE, Host
from tests.bed.dhcp_client import udhcpc
from tests.bed.figures import note
from tests.bed.host import Guest
from tests.bed.load import EchoStream
from tests.bed.roles import RolesCase
from tests.bed.wire import Wire

_FIRST_ID = 5000


class TunnelCase(RolesCase):
    """Hosts on one cable, by whose addresses their tunnels find each other."""

    host_names: ClassVar[tuple[str, ...]] = ("host-a", "host-b", "host-c")
    tunnels: ClassVar[Mapping[str, str]] = {f"host-{name}": f"172.30.0.{n}" for n, name in enumerate("abcd", start=1)}
    settings: ClassVar = {"l2.tunnel_types": '["vxlan", "gre", "geneve"]', "l2.bind_unbound": "false"}
    used_ids: ClassVar[list[int]] = []

    @classmethod
    def prepare_switch(cls) -> None:
        """Lay the cable."""
        cls.cluster.lay_underlay()

    def tunnelled(self, network_type: str = "vxlan", *more: str) -> dict[str, Any]:
        """Create a network that hosts carry in tunnels."""
        self.used_ids.append(_FIRST_ID + len(self.used_ids))
        provider: dict[str, Any] = {
            "provider:network_type": network_type,
            "provider:segmentation_id": self.used_ids[-1],
        }
        return self.make_network("10.0.0.0/24", *more, **provider)

    def underlay(self, host: Host) -> Wire:
        """Listen to what arrives at a host from others."""
        return Wire(host.ovs.namespace, f"ul{self.hosts.index(host)}")

    def settle(self, guest: Guest, other: Guest) -> None:
        """Wait until two VMs reach each other."""
        self.assertTrue(guest.can_reach(other.ip, tries=25))

    def lease_and_ping(self, network_type: str, mtu: int) -> None:
        """Both have their leases, with an MTU that fits, and reach each other with packets of that size."""
        first, second = self.hosts[:2]
        network = self.tunnelled(network_type)
        self.assertEqual(network["mtu"], mtu)
        guest = self.plug_at(first, network)
        lease = udhcpc(guest.vm, self.directory)
        self.assertEqual((lease.ip_address, lease.mtu_bytes), (guest.ip, mtu))
        guest.configure(24)
        other = self.boot(second, network)
        self.settle(guest, other)
        largest = str(mtu - 28)
        guest.vm.run("ping", "-n", "-c3", "-i0.05", "-W2", "-Mdo", f"-s{largest}", other.ip)


class PacketTests(TunnelCase):
    """VMs on different hosts."""

    def test_vxlan(self) -> None:
        """50 bytes smaller."""
        self.lease_and_ping("vxlan", 1450)

    def test_gre(self) -> None:
        """42 bytes smaller."""
        self.lease_and_ping("gre", 1458)

    def test_geneve(self) -> None:
        """50 bytes smaller, and 8 for options."""
        self.lease_and_ping("geneve", 1442)


class DeletedTests(TunnelCase):
    """Ports that go."""

    def test_a_deleted_port_leaves_no_connection_on_other_hosts(self) -> None:
        """Though rules still let it pass; conversations with others go on."""
        first, second = self.hosts[:2]
        network = self.tunnelled()
        guest, doomed, other = self.boot(first, network), self.boot(second, network), self.boot(second, network)
        for each in (doomed, other):
            self.settle(guest, each)
            self.assertTrue(self.tracked(first, each))
        self.delete("port", doomed.id)
        self.wait_for("the end of its connections", lambda: not self.tracked(first, doomed), 1.0)
        self.assertTrue(self.tracked(first, other))

    def tracked(self, host: Host, guest: Guest) -> list[str]:
        """Return the connections with a VM that a host tracks."""
        lines = host.ovs.appctl("dpctl/dump-conntrack").splitlines()
        return [line for line in lines if f"src={guest.ip}," in line or f"dst={guest.ip}," in line]


class QuietTests(TunnelCase):
    """What goes over the cable, and what does not."""

    def inner(self, wire: Wire, seconds: float = 1.0) -> list[Packet]:
        """Return the frames that came in VXLAN tunnels within a time."""
        time.sleep(seconds)
        outer = [Ether(frame) for frame in wire.received()]
        return [each[VXLAN].payload for each in outer if each.haslayer(VXLAN)]

    def test_no_question_for_a_neighbour_leaves_the_host(self) -> None:
        """ARP and neighbour solicitations for ports of other hosts are answered by the switch."""
        first, second = self.hosts[:2]
        network = self.tunnelled("vxlan", "fd00:10::/64")
        guest, other = self.boot(first, network), self.boot(second, network)
        self.settle(guest, other)
        six, other_six = (self.second_address(each) for each in (guest, other))
        guest.configure(64, six)
        other.configure(64, other_six)
        for each in (guest, other):
            each.vm.run("ip", "neighbour", "flush", "dev", "eth0")
        with self.underlay(second) as wire:
            self.assertTrue(guest.can_reach(other.ip, tries=1))
            self.assertTrue(guest.can_reach(other_six, tries=1))
            frames = self.inner(wire)
        self.assertGreaterEqual(len(frames), 2)
        self.assertEqual([frame.summary() for frame in frames if frame.haslayer(ARP)], [])
        self.assertEqual([frame.summary() for frame in frames if frame.haslayer(ICMPv6ND_NS)], [])
        told = {each: guest.vm.run("ip", "neighbour", "show", each).split() for each in (other.ip, other_six)}
        self.assertEqual(
            {each: words[words.index("lladdr") + 1] for each, words in told.items()}, dict.fromkeys(told, other.mac)
        )

    def second_address(self, guest: Guest) -> str:
        """Return a port's IPv6 address."""
        return next(str(ip["ip_address"]) for ip in guest.port["fixed_ips"] if ":" in ip["ip_address"])

    def test_a_host_without_the_network_gets_no_broadcast(self) -> None:
        """Those that carry it get one copy; when the last port there is deleted they get none."""
        first, second, third = self.hosts[:3]
        network = self.tunnelled()
        guest, other = self.boot(first, network), self.boot(second, network)
        elsewhere = self.boot(third, self.tunnelled())
        self.settle(guest, other)
        shout = bytes(Ether(src=guest.mac, dst="ff:ff:ff:ff:ff:ff") / IP(src=guest.ip, dst="10.0.0.255") / UDP(dport=9))

        def heard() -> list[int]:
            with self.underlay(second) as wire, self.underlay(third) as other_wire, Wire(guest.vm.namespace) as nic:
                nic.send(shout)
                return [sum(bytes(each) == shout for each in self.inner(wire_, 0.5)) for wire_ in (wire, other_wire)]

        self.assertEqual(heard(), [1, 0])
        joined = self.boot(third, network)
        self.wait_for("a third host is told of", lambda: heard() == [1, 1], 10)
        third.ovs.remove_vm(joined.vm)
        self.delete("port", joined.id)
        second.ovs.remove_vm(other.vm)
        self.delete("port", other.id)
        self.wait_for("the other host is forgotten", lambda: heard() == [0, 0], 10)
        self.assertEqual(self.flows_for(first, other.mac), [])
        self.assertNotIn("tun_src=172.30.0.2", first.ovs.ofctl("dump-flows"))
        self.assertEqual(elsewhere.port["status"], "DOWN")

    def flows_for(self, host: Host, mac: str) -> list[str]:
        """Return the flows of a host that name a MAC address."""
        return [line for line in host.ovs.ofctl("dump-flows").splitlines() if mac in line]

    def test_a_stranger_s_packet_is_dropped(self) -> None:
        """It knows the network's id and everybody's addresses; it comes from a host that has no ports there."""
        first, second, third = self.hosts[:3]
        network = self.tunnelled()
        guest, other = self.boot(first, network), self.boot(second, network)
        self.settle(guest, other)
        inner = Ether(src=other.mac, dst=guest.mac) / IP(src=other.ip, dst=guest.ip) / UDP(dport=9) / b"stranger"
        number = self.used_ids[-1]

        def tell(source: Host, address: str) -> bool:
            """Whether what a host sends from an address into the tunnel reaches the guest."""
            to, frm = (
                host.ovs.ip("-o", "link", "show", UNDERLAY_BRIDGE).split("link/ether ")[1].split()[0]
                for host in (first, source)
            )
            packet = (
                Ether(src=frm, dst=to)
                / IP(src=address, dst="172.30.0.1")
                / UDP(sport=40000, dport=4789)
                / VXLAN(vni=number, flags=8)
                / inner
            )
            with Wire(guest.vm.namespace) as nic, Wire(source.ovs.namespace, UNDERLAY_BRIDGE) as cable:
                cable.send(bytes(packet))
                time.sleep(0.5)
                return any(b"stranger" in frame for frame in nic.received())

        self.assertFalse(tell(third, "172.30.0.3"))
        self.assertFalse(tell(third, "172.30.0.99"))
        self.assertTrue(tell(second, "172.30.0.2"))


class MeshTests(TunnelCase):
    """Hosts and ports come and go."""

    def test_a_port_that_moves_is_followed(self) -> None:
        """From one host to another; the third one reaches it there, and nothing of the old place is left."""
        first, second, third = self.hosts[:3]
        network = self.tunnelled()
        guest, other = self.boot(first, network), self.boot(second, network)
        self.settle(guest, other)
        second.ovs.remove_vm(other.vm)
        self.update("port", other.id, **{"binding:host_id": third.name})
        moved = Guest(self.appliance.show("port", other.id), third.ovs.make_vm(other.id, other.mac))
        third.ovs.plug(moved.vm)
        self.appliance.await_status(other.id)
        moved.configure(24)
        self.settle(guest, moved)
        flows = first.ovs.ofctl("dump-flows")
        self.assertIn("tun_src=172.30.0.3", flows)
        self.wait_for("the old place is forgotten", lambda: "172.30.0.2" not in first.ovs.ofctl("dump-flows"), 10)

    @pytest.mark.time_limit(240)
    def test_a_guest_that_migrates_is_followed_at_once(self) -> None:
        """Activating the binding to where it goes moves its traffic, within a fraction of a second."""
        first, second, third = self.hosts[:3]
        network = self.tunnelled()
        guest = self.boot(first, network)
        body = {"device_owner": "compute:nova", "binding:host_id": second.name}
        port = self.appliance.create("port", network_id=network["id"], **body)
        source = Guest(port, second.ovs.make_vm(port["id"], port["mac_address"]))
        target = Guest(port, third.ovs.make_vm(port["id"], port["mac_address"]))
        second.ovs.plug(source.vm)
        self.appliance.await_status(port["id"])
        third.ovs.plug(target.vm)
        for each in (source, target):
            each.configure(24)
        self.settle(guest, source)
        path = f"/v2.0/ports/{port['id']}/bindings"
        self.assertEqual(self.appliance.request("POST", path, {"binding": {"host": third.name}}).status, 201)
        with EchoStream(200, source=guest, target=target) as echoes:
            time.sleep(1)
            answer = self.appliance.request("PUT", f"{path}/{third.name}/activate", {})
            self.assertEqual(answer.status, 200, answer.body)
            time.sleep(2)
        note(f"gap of a live migration between tunnels: {echoes.longest_gap_seconds * 1000:.0f} ms")
        self.assertLess(echoes.longest_gap_seconds, 1)

    def test_a_restart_of_the_role_loses_no_packet(self) -> None:
        """At either end."""
        first, second = self.hosts[:2]
        network = self.tunnelled()
        guest, other = self.boot(first, network), self.boot(second, network)
        self.settle(guest, other)
        with EchoStream(200, source=guest, target=other) as echoes:
            for host in (first, second):
                host.l2.stop()
                host.l2.launch()
                time.sleep(3)
        self.assertEqual((echoes.lost, echoes.sent > 1000), (0, True))

    @pytest.mark.time_limit(240)
    def test_a_host_that_is_added_is_reached_at_once(self) -> None:
        """As soon as its first port is ACTIVE, from ports that were there before."""
        network = self.tunnelled()
        guest = self.boot(self.hosts[0], network)
        host = self.cluster.join("host-d")
        type(self).hosts = self.cluster.hosts
        self.addCleanup(host.ovs.remove_vms)
        self.cluster.await_roles()
        other = self.boot(host, network)
        self.assertTrue(other.can_reach(guest.ip, tries=1))
        self.assertTrue(guest.can_reach(other.ip, tries=1))

    def test_a_restart_of_the_switch_is_repaired_whole(self) -> None:
        """Its tunnels are there again, and what goes where."""
        first, second = self.hosts[:2]
        network = self.tunnelled()
        guest, other = self.boot(first, network), self.boot(second, network)
        self.settle(guest, other)
        second.ovs.kill("ovs-vswitchd")
        second.ovs.start_vswitchd()
        self.settle(guest, other)
        second.ovs.vsctl("del-port", "tun-vxlan")
        self.wait_for("the tunnels' port", lambda: "tun-vxlan" in second.ovs.vsctl("list-ports", second.ovs.bridge), 10)
        self.settle(guest, other)

    def test_operators_see_which_tunnels_a_host_has(self) -> None:
        """Among the configuration of its agent, by the names that other L2 agents use."""
        told = {each["host"]: each["configurations"] for each in self.agents() if each["binary"] == "quantumd-l2"}
        self.assertEqual(told["host-b"]["tunneling_ip"], "172.30.0.2")
        self.assertEqual(told["host-b"]["tunnel_types"], ["vxlan", "gre", "geneve"])


class Ipv6Tests(TunnelCase):
    """An underlay of IPv6."""

    host_names = ("host-a", "host-b")
    tunnels: ClassVar = {"host-a": "fd17:2:30::1", "host-b": "fd17:2:30::2"}
    settings: ClassVar = {"network.overlay_ip_version": "6", "l2.bind_unbound": "false"}

    def test_vxlan_over_ipv6(self) -> None:
        """20 bytes smaller than over IPv4."""
        self.lease_and_ping("vxlan", 1430)

    def test_a_port_is_not_bound_where_there_are_no_such_tunnels(self) -> None:
        """At once, and the port says so."""
        network = self.tunnelled("gre")
        port = self.appliance.create("port", network_id=network["id"], **{"binding:host_id": "host-a"})
        self.assertEqual((port["binding:vif_type"], port["status"]), ("binding_failed", "DOWN"))
