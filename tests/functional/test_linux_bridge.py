"""Linux bridges carry ports: from a REST request to a lease and a ping, through the kernel. Needs root."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

from tests.bed.attacker import AttackCase
from tests.bed.bridges import BRIDGES, BridgedCase
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest
from tests.bed.needs import missing
from tests.bed.openvswitch import run
from tests.bed.wire import Wire

NIC, OUTSIDE = "nic1", "10.0.0.250"
_COUNTED = re.compile(r"counter packets \d+ bytes \d+")


class FirstPingTests(BridgedCase):
    """One host, and what a user does with it."""

    skip = missing(*BRIDGES, "udhcpc")

    def test_two_vms_get_leases_and_ping_each_other(self) -> None:
        """Their ports are DOWN before their devices are there, and ACTIVE after that."""
        network = self.make_network("10.0.0.0/24")
        first, second = self.make_guest(network), self.make_guest(network)
        self.assertEqual((first.port["status"], second.port["status"]), ("DOWN", "DOWN"))
        self.plug(first, second)
        directory = Path(self.mktemp())
        for guest in (first, second):
            lease = udhcpc(guest.vm, directory)
            self.assertEqual((lease.ip_address, lease.router, lease.mtu_bytes), (guest.ip, "10.0.0.1", 1500))
        self.assertTrue(first.can_reach(second.ip))
        self.assertTrue(second.can_reach(first.ip))

    def test_the_dhcp_server_says_where_it_is(self) -> None:
        """To who asks for its MAC, so that leases can be renewed by packets to it alone; else it says nothing."""
        network = self.make_network("10.0.0.0/24")
        guest = self.plugged(network)
        self.assertFalse(guest.can_reach("10.0.0.2", tries=1))
        said = guest.vm.run("ip", "neigh", "show", "10.0.0.2")
        answer = self.appliance.request("GET", f"/v2.0/ports?network_id={network['id']}&device_owner=network:dhcp")
        self.assertIn(str(answer.body["ports"][0]["mac_address"]), said)

    def test_a_plugged_port_is_bound_to_this_host(self) -> None:
        """Its device says which port it is; the binding says what Nova has to know."""
        guest = self.plugged(self.make_network("10.0.0.0/24"))
        port = self.appliance.show("port", guest.id)
        self.assertEqual((port["binding:host_id"], port["binding:vif_type"]), ("host-a", "bridge"))
        self.assertEqual(port["binding:vif_details"]["port_filter"], True)

    def test_nova_may_make_the_bridge_and_put_the_device_into_it(self) -> None:
        """Without a word of which port it is but the name."""
        network = self.make_network("10.0.0.0/24")
        bridge = f"brq{network['id'][:11]}"
        guests = [self.make_guest(network, **{"binding:host_id": "host-a"}) for _ in range(2)]
        self.host.ip("link", "add", bridge, "type", "bridge")
        self.host.ip("link", "set", bridge, "up")
        for guest in guests:
            self.host.plug(guest.vm, bridge, says_whose=False)
        for guest in guests:
            self.appliance.await_status(guest.id)
            guest.configure()
        self.assertTrue(guests[0].can_reach(guests[1].ip))

    def test_unplugging_makes_a_port_down_and_plugging_it_again_active(self) -> None:
        """By what the kernel says, without a word to the API; what was there for it is gone meanwhile."""
        network = self.make_network("10.0.0.0/24")
        guest, other = self.plugged(network), self.plugged(network)
        self.ovs.unplug(guest.vm)
        self.appliance.await_status(guest.id, "DOWN")
        self.assertEqual(self.status_of(other), "ACTIVE")
        self.assertNotIn(guest.mac, self.host.run("nft", "list", "ruleset"))
        self.plug(guest)
        self.assertTrue(guest.can_reach(other.ip))

    def test_a_disabled_port_is_cut_off_and_comes_back(self) -> None:
        """Its device stays in the bridge."""
        network = self.make_network("10.0.0.0/24")
        guest, other = self.plugged(network), self.plugged(network)
        self.assertTrue(guest.can_reach(other.ip))
        self.update("port", guest.id, admin_state_up=False)
        self.appliance.await_status(guest.id, "DOWN")
        self.wait_for("it is cut off", lambda: not guest.can_reach(other.ip, tries=1))
        self.update("port", guest.id, admin_state_up=True)
        self.appliance.await_status(guest.id)
        self.assertTrue(guest.can_reach(other.ip))

    def test_networks_are_apart(self) -> None:
        """With the same addresses."""
        one, other = self.make_network("10.0.0.0/24"), self.make_network("10.0.0.0/24")
        address = {"fixed_ips": [{"ip_address": "10.0.0.77"}]}
        first, _, lonely = self.plugged(one), self.plugged(one, **address), self.plugged(other)
        self.assertTrue(first.can_reach("10.0.0.77"))
        self.assertFalse(lonely.can_reach("10.0.0.77", tries=2))

    settings: ClassVar[Mapping[str, str]] = {"l2.interface_mappings": '["p:absent0"]'}

    def test_a_network_of_vlans_is_reported_as_a_fault(self) -> None:
        """As one that a host cannot carry: its ports are not ACTIVE."""
        vlan: dict[str, Any] = {
            "provider:network_type": "vlan",
            "provider:physical_network": "p",
            "provider:segmentation_id": 7,
        }
        guest = self.make_guest(self.make_network("10.0.0.0/24", **vlan), **{"binding:host_id": "host-a"})
        start = len(self.appliance.log())
        self.ovs.plug(guest.vm)
        said = "Linux bridges do not carry networks of the type vlan"
        self.wait_for("the fault", lambda: said in self.appliance.log()[start:])
        self.assertEqual(self.status_of(guest), "DOWN")


class CleanTests(BridgedCase):
    """What ports leave behind."""

    def test_nothing_is_left_when_all_is_deleted(self) -> None:
        """Neither devices nor filters, but those that are there before any port is."""
        self.wait_for("no network", lambda: not [each for each in self.host.devices() if each.startswith("brq")])
        time.sleep(1.0)
        before = self.left()
        network = self.make_network("10.0.0.0/24", "fd00:1::/64")
        guests = [self.plugged(network), self.plugged(network, port_security_enabled=False, security_groups=[])]
        self.assertNotEqual(self.left(), before)
        for guest in guests:
            self.delete("port", guest.id)
            self.host.remove_vm(guest.vm)
        time.sleep(3.0)
        self.assertEqual(self.left(), before)

    def left(self) -> list[str]:
        """Return the host's devices and the lines of its filters."""
        return sorted((*self.host.devices(), *self.host.run("nft", "list", "ruleset").splitlines()))


class CleanupTests(BridgedCase):
    """``quantumctl cleanup``."""

    def test_cleanup_leaves_only_what_was_there_before(self) -> None:
        """While VMs are plugged: their devices stay, with the name of their port."""
        network = self.make_network("10.0.0.0/24")
        guest = self.plugged(network)
        self.appliance.stop()
        self.addCleanup(self.appliance.start, "/readyz")
        program = str(Path(sys.executable).with_name("quantumctl"))
        for choice in ("--dry-run", "--yes"):
            self.host.run(program, *self.appliance.options(), "cleanup", choice)
            self.assertEqual("quantumd" in self.host.run("nft", "list", "tables"), choice == "--dry-run")
        self.assertEqual([each for each in self.host.devices() if each.startswith(("brq", "vxlan"))], [])
        self.assertIn(f"alias port {guest.id}", self.host.ip("link", "show", guest.vm.tap))


class FlatTests(BridgedCase):
    """A network of a NIC of the host."""

    settings: ClassVar[Mapping[str, str]] = {"l2.interface_mappings": f'["physnet1:{NIC}", "physnet2:absent0"]'}

    @classmethod
    def prepare_switch(cls) -> None:
        """Make the NIC, whose other end is outside."""
        outside = f"{cls.ovs.prefix}-outside"
        run("ip", "netns", "add", outside)
        cls.addClassCleanup(subprocess.run, ("ip", "netns", "del", outside), check=False)
        cls.ovs.ip("link", "add", NIC, "type", "veth", "peer", "name", "eth0", "netns", outside)
        run("ip", "-n", outside, "address", "add", f"{OUTSIDE}/24", "dev", "eth0")
        run("ip", "-n", outside, "link", "set", "eth0", "up")

    def flat(self, name: str) -> dict[str, Any]:
        """Create a flat network."""
        provider: dict[str, Any] = {"provider:network_type": "flat", "provider:physical_network": name}
        return self.make_network("10.0.0.0/24", **provider)

    def test_vms_reach_what_is_outside_and_tags_go_neither_way(self) -> None:
        """The NIC is in the network's bridge, and leaves it with the last port."""
        network = self.flat("physnet1")
        guest = self.plugged(network)
        self.assertTrue(guest.can_reach(OUTSIDE, tries=15))
        mark = b"<tagged>"
        tagged = Ether(src=guest.mac, dst="ff:ff:ff:ff:ff:ff") / Dot1Q(vlan=5)
        frame = bytes(tagged / IP(src=guest.ip, dst=OUTSIDE) / UDP(sport=1, dport=2) / Raw(mark))
        with Wire(f"{self.ovs.prefix}-outside") as ear, Wire(guest.vm.namespace) as mouth:
            mouth.send(frame)
            self.assertIsNone(ear.await_frame(lambda each: mark in each, 0.5))
        with Wire(guest.vm.namespace) as ear, Wire(f"{self.ovs.prefix}-outside") as mouth:
            mouth.send(frame)
            self.assertIsNone(ear.await_frame(lambda each: mark in each, 0.5))
        self.host.remove_vm(guest.vm)
        self.wait_for("the NIC is let go", lambda: "master" not in self.host.ip("link", "show", NIC))

    def test_a_physical_network_without_its_nic_is_a_fault(self) -> None:
        """Of its ports."""
        guest = self.make_guest(self.flat("physnet2"), **{"binding:host_id": "host-a"})
        start = len(self.appliance.log())
        self.ovs.plug(guest.vm)
        self.wait_for("it", lambda: "physnet2 needs the device absent0" in self.appliance.log()[start:])


class StrangerTests(BridgedCase):
    """What quantumd does not know, and what is none of its business."""

    def test_a_device_that_is_no_port_is_dead_in_a_bridge_of_a_network(self) -> None:
        """Whatever it is called."""
        network = self.make_network("10.0.0.0/24")
        guest = self.plugged(network)
        for name in ("tap01234567-89", "stranger0"):
            outside = f"{self.host.prefix}-{name}"
            run("ip", "netns", "add", outside)
            self.addCleanup(subprocess.run, ("ip", "netns", "del", outside), check=False)
            self.host.ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", outside)
            self.host.ip("link", "set", name, "master", f"brq{network['id'][:11]}", "up")
            run("ip", "-n", outside, "address", "add", "10.0.0.99/24", "dev", "eth0")
            run("ip", "-n", outside, "link", "set", "eth0", "up")
            question = Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, psrc="10.0.0.99", pdst=guest.ip)
            self.wait_for("it forwards", lambda name=name: self.host.forwards(name))  # type: ignore[misc]
            with Wire(guest.vm.namespace) as ear, Wire(outside) as mouth:
                mouth.send(bytes(question))
                guest.can_reach("10.0.0.99", tries=1)
                heard = mouth.received()
                self.assertEqual([each for each in ear.received() if b"\x0a\x00\x00\x63" in each[28:32]], [])
            self.assertEqual([each for each in heard if bytes.fromhex(guest.mac.replace(":", "")) in each], [])
            run("ip", "netns", "del", outside)

    def test_a_bridge_of_others_is_left_alone(self) -> None:
        """Its frames pass as before, tags and all, and its filters stay."""
        self.plugged(self.make_network("10.0.0.0/24"))
        self.host.run("nft", "add", "table", "bridge", "theirs")
        self.host.ip("link", "add", "br-theirs", "type", "bridge", "forward_delay", "0")
        self.host.ip("link", "set", "br-theirs", "up")
        self.addCleanup(self.host.ip, "link", "del", "br-theirs")
        names = [f"{self.host.prefix}-{number}" for number in (1, 2)]
        for number, name in enumerate(names, start=1):
            run("ip", "netns", "add", name)
            self.addCleanup(subprocess.run, ("ip", "netns", "del", name), check=False)
            self.host.ip("link", "add", f"their{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            self.host.ip("link", "set", f"their{number}", "master", "br-theirs", "up")
            run("ip", "-n", name, "link", "set", "eth0", "up")
        self.wait_for("they forward", lambda: all(self.host.forwards(f"their{number}") for number in (1, 2)))
        head = Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff")
        frame = bytes(head / Dot1Q(vlan=5) / IP() / UDP() / Raw(b"<theirs>"))
        with Wire(names[0]) as ear, Wire(names[1]) as mouth:
            mouth.send(frame)
            self.assertIsNotNone(ear.await_frame(lambda each: b"<theirs>" in each, 2.0))
        self.assertIn("theirs", self.host.run("nft", "list", "tables"))


class HostTests(BridgedCase, AttackCase):
    """VMs and the host itself, and frames that are not shown to the filters of IP."""

    settings: ClassVar[Mapping[str, str]] = {"quota.security_group": "-1"}

    def test_vms_do_not_reach_the_host(self) -> None:
        """By the MAC of its bridge, and an address that it has somewhere."""
        bridge = f"brq{self.network['id'][:11]}"
        mac = self.host.run("cat", f"/sys/class/net/{bridge}/address").strip()
        self.host.ip("address", "add", "192.0.2.1/32", "dev", "lo")
        self.addCleanup(self.host.ip, "address", "del", "192.0.2.1/32", "dev", "lo")
        echo = Ether(src=self.victim.mac, dst=mac) / IP(src=self.ipv4(self.victim), dst="192.0.2.1")
        before = self.asked()
        with Wire(self.victim.vm.namespace) as mouth:
            mouth.send(bytes(echo / UDP(sport=5, dport=33_333) / Raw(b"hello")))
            time.sleep(0.3)
        self.assertEqual(self.asked(), before)

    def asked(self) -> str:
        """Return how many datagrams for no port the host has seen (netstat(8), Udp NoPorts)."""
        lines = [line.split() for line in self.host.run("cat", "/proc/net/snmp").splitlines() if "Udp:" in line]
        return str(dict(zip(*lines[:2], strict=True))["NoPorts"])

    def test_tags_hide_nothing(self) -> None:
        """Neither one nor two, neither from a guarded port nor from any other."""
        for sender, receiver in ((self.attacker, self.victim), (self.victim, self.attacker)):
            own = IP(src=self.ipv4(sender), dst=self.ipv4(receiver)) / UDP(sport=1, dport=2)
            head = Ether(src=sender.mac, dst=receiver.mac)
            frames: dict[str, Packet] = {
                "one": head / Dot1Q(vlan=5) / own,
                "two": head / Dot1Q(vlan=5) / Dot1Q(vlan=6) / own,
                "service": Ether(src=sender.mac, dst=receiver.mac, type=0x88A8) / Dot1Q(vlan=5) / own,
            }
            with Wire(receiver.vm.namespace) as ear, Wire(sender.vm.namespace) as mouth:
                mouth.send(*(bytes(frame / Raw(f"<{name}>".encode())) for name, frame in frames.items()))
                self.assertIsNone(ear.await_frame(lambda each: b"<" in each, 0.5))


class DriftTests(BridgedCase):
    """What somebody changes behind its back is put back, counted and logged."""

    def setUp(self) -> None:
        """Two VMs that reach each other."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.bridge = f"brq{network['id'][:11]}"
        self.first, self.second = self.plugged(network), self.plugged(network)
        self.assertTrue(self.first.can_reach(self.second.ip))
        time.sleep(1.5)
        self.before = self.repaired()

    def repaired(self) -> float:
        """Return how much was put back."""
        return self.appliance.metrics()["quantumd_repaired_flows"]

    def rules(self) -> str:
        """Return all filters."""
        return self.host.run("nft", "list", "ruleset")

    def test_filters_that_are_gone(self) -> None:
        """All of them, one chain, one element."""
        whole = self.rules()
        for theft in (
            ("flush", "ruleset"),
            ("flush", "chain", "inet", "quantumd", "state"),
            ("delete", "element", "bridge", "quantumd", "spoof", "{", f'"{self.first.vm.tap}"', "}"),
            ("insert", "rule", "inet", "quantumd", "state", "accept"),
        ):
            before = self.repaired()
            self.host.run("nft", *theft)
            self.holds(lambda: sorted(self.rules().splitlines()) == sorted(whole.splitlines()), str(theft))
            self.holds(lambda before=before: self.repaired() > before, str(theft))  # type: ignore[misc]
        self.assertTrue(self.first.can_reach(self.second.ip))

    def test_an_entry_that_is_gone(self) -> None:
        """Where frames for a VM go."""
        self.host.run("bridge", "fdb", "del", self.first.mac, "dev", self.first.vm.tap, "master")
        self.holds(lambda: self.first.mac in self.host.run("bridge", "fdb"))
        self.assertGreater(self.repaired(), self.before)

    def test_a_device_that_was_taken_out_of_its_bridge(self) -> None:
        """It is there again, and said to be."""
        self.host.ip("link", "set", self.first.vm.tap, "nomaster")
        self.holds(lambda: self.bridge in self.host.ip("link", "show", self.first.vm.tap))
        self.wait_for("it is counted", lambda: self.repaired() > self.before)
        self.assertTrue(self.first.can_reach(self.second.ip, tries=15))

    def test_a_bridge_that_shows_filters_nothing(self) -> None:
        """Packets would pass all security groups."""
        self.host.ip("link", "set", self.bridge, "type", "bridge", "nf_call_iptables", "0")
        said = ("-d", "link", "show", self.bridge)
        self.holds(lambda: "nf_call_iptables 1" in self.host.ip(*said))

    def test_without_filters_of_ip_nothing_passes(self) -> None:
        """While nobody is there to put it back."""
        self.appliance.stop()
        self.addCleanup(self.first.can_reach, self.second.ip)
        self.addCleanup(self.appliance.start, "/readyz")
        self.host.ip("link", "set", self.bridge, "type", "bridge", "nf_call_iptables", "0")
        self.assertFalse(self.first.can_reach(self.second.ip, tries=2))

    def test_a_bridge_that_is_gone(self) -> None:
        """Traffic is back."""
        self.host.ip("link", "del", self.bridge)
        self.holds(lambda: self.host.has(self.bridge))
        self.assertTrue(self.first.can_reach(self.second.ip, tries=15))


class RestartTests(BridgedCase):
    """The daemon comes and goes, the kernel stays."""

    def state(self) -> tuple[str, str, str]:
        """Return all that the driver makes, without what is counted."""
        rules = _COUNTED.sub("counter", self.host.run("nft", "-a", "list", "ruleset"))
        return rules, self.host.run("bridge", "fdb"), self.host.ip("neigh")

    def test_a_restart_loses_no_ping_and_changes_nothing(self) -> None:
        """Not one filter is made anew; nor with the process killed."""
        network = self.make_network("10.0.0.0/24", "fd00:1::/64")
        groups = [self.group(stateful) for stateful in (True, False)]
        first, second = (self.plugged(network, security_groups=[each]) for each in groups)
        self.plugged(network, port_security_enabled=False, security_groups=[])
        self.assertTrue(first.can_reach(second.ip))
        before = self.state()
        with self.pinging(first, second) as ping:
            for end in (self.appliance.stop, self.appliance.kill):
                end()
                self.appliance.start("/readyz")
                time.sleep(0.5)
            ping.send_signal(signal.SIGINT)
            said = ping.communicate(timeout=10)[0].decode()
        lost = re.search(r"(\d+) packets transmitted, (\d+) received", said)
        self.assertIsNotNone(lost, said)
        if lost is not None:
            self.assertEqual(lost[1], lost[2], said)
            self.assertGreater(int(lost[1]), 200)
        self.assertEqual(self.state(), before)

    def group(self, is_stateful: bool) -> str:
        """Make a group with rules of many kinds."""
        group = self.appliance.create("security_group", name="g", stateful=is_stateful)
        for said in (
            {"protocol": "icmp"},
            {"protocol": "tcp", "port_range_min": 1000, "port_range_max": 1999},
            {"protocol": "udp", "remote_ip_prefix": "10.0.0.0/8"},
            {"protocol": "udp", "ethertype": "IPv6", "remote_group_id": group["id"]},
            {"protocol": "icmpv6", "ethertype": "IPv6", "port_range_min": 128, "port_range_max": 0},
            {"protocol": "47"},
        ):
            rule = {"direction": "ingress", "ethertype": "IPv4", **said}
            self.appliance.create("security_group_rule", security_group_id=group["id"], **rule)
        return str(group["id"])

    def pinging(self, first: Guest, second: Guest) -> subprocess.Popen[bytes]:
        """Ping 200 times a second until told to end."""
        command = ("ip", "netns", "exec", first.vm.namespace, "ping", "-n", "-q", "-i0.005", second.ip)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
