"""Networks stay apart, whatever their VMs send, and tags mean networks only on the physical side. Needs root.

Nothing that they send is held back by port security: it is off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from attrs import frozen
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from tests.bed.counts import count
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest, HostCase
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import run
from tests.bed.wire import Wire

BROADCAST = "ff:ff:ff:ff:ff:ff"
SETTLE_SECONDS = 0.5
_PHYSICAL_MAC = "02:00:00:00:00:99"
_ETH_IPV4, _ETH_TEST = 0x0800, 0x88B5


def frames_of(guest: Guest, targets: Iterable[Guest], mark: bytes) -> Iterator[bytes]:
    """Yield frames of every kind that a VM might send, to everyone and to each target; each carries the mark."""
    body = Raw(mark)
    for target_mac, target_ip in [(BROADCAST, "255.255.255.255"), *((each.mac, each.ip) for each in targets)]:
        head = Ether(src=guest.mac, dst=target_mac)
        ipv4 = IP(src=guest.ip, dst=target_ip)
        ipv6 = IPv6(src="fe80::1", dst="fe80::2")
        solicit = IPv6(src="fe80::1", dst="ff02::1:ff00:2") / ICMPv6ND_NS(tgt="fe80::2")
        for packet in (
            head / ARP(op=1, hwsrc=guest.mac, psrc=guest.ip, pdst=target_ip) / body,
            head / ARP(op=2, hwsrc=guest.mac, psrc=guest.ip, hwdst=target_mac, pdst=target_ip) / body,
            head / ipv4 / ICMP() / body,
            head / ipv4 / UDP(sport=4000, dport=4000) / body,
            head / ipv4 / UDP(sport=67, dport=68) / body,
            head / ipv6 / UDP(sport=4000, dport=4000) / body,
            head / solicit / ICMPv6NDOptSrcLLAddr(lladdr=guest.mac) / body,
            Ether(src=BROADCAST.replace("ff", "02", 1), dst=target_mac, type=_ETH_TEST) / body,
        ):
            yield bytes(packet)
        for vlan in (0, 1, 2, 100, 4095):
            yield bytes(Ether(src=guest.mac, dst=target_mac) / Dot1Q(vlan=vlan) / ipv4 / ICMP() / body)


class SameAddressTests(HostCase):
    """Two networks on one host whose ports have the same addresses and the same MACs."""

    skip = missing(*OVS, "ping", "udhcpc")

    def setUp(self) -> None:
        """Two VMs on each of two networks; the first of each has the same MAC and address as the other's first."""
        super().setUp()
        self.sides = [self.make_side() for _ in range(2)]

    def make_side(self) -> list[Guest]:
        """Make a network with two VMs."""
        network = self.make_network("10.0.0.0/24", port_security_enabled=False)
        return [
            self.plugged(network, mac_address=f"fa:16:3e:00:00:{n:02x}", fixed_ips=[{"ip_address": f"10.0.0.{n}"}])
            for n in (11, 12)
        ]

    def test_both_have_the_same_leases(self) -> None:
        """Each from its own network's server, which has the same address too."""
        leases = [udhcpc(side[0].vm, Path(self.mktemp())) for side in self.sides]
        self.assertEqual([(lease.ip_address, lease.server) for lease in leases], [("10.0.0.11", "10.0.0.2")] * 2)

    def test_pings_stay_inside(self) -> None:
        """Each VM reaches its own neighbour; when that is unplugged, its twin on the other network does not answer."""
        for first, second in self.sides:
            self.assertTrue(first.can_reach(second.ip))
        self.ovs.unplug(self.sides[1][1].vm)
        self.appliance.await_status(self.sides[1][1].id, "DOWN")
        self.assertFalse(self.sides[1][0].can_reach(self.sides[1][1].ip, tries=2))
        self.assertTrue(self.sides[0][0].can_reach(self.sides[0][1].ip))

    def test_no_frame_crosses(self) -> None:
        """ARP, neighbour discovery, IP, tagged frames, to everyone and to one; the neighbours get theirs."""
        guests = [guest for side in self.sides for guest in side]
        wires = {guest.id: Wire(guest.vm.namespace) for guest in guests}
        for wire in wires.values():
            self.addCleanup(wire.close)
        for _ in range(count(1, 50)):
            for guest in guests:
                wires[guest.id].send(*frames_of(guest, guests, f"from {guest.id}".encode()))
        # What was sent last is the last to arrive: each waits for its neighbour's.
        for side in self.sides:
            wires[side[1].id].send(bytes(Ether(src=side[1].mac, dst=BROADCAST, type=_ETH_TEST) / Raw(b"the end")))
        enders = {side[1].id for side in self.sides}
        heard = {guest.id: self.heard(wires[guest.id], guest.id not in enders) for guest in guests}
        for side, other in (self.sides, self.sides[::-1]):
            for guest in side:
                crossed = [frame for sender in other for frame in heard[guest.id] if sender.id.encode() in frame]
                self.assertEqual(crossed, [])
        for first, second in self.sides:
            self.assertTrue([frame for frame in heard[second.id] if first.id.encode() in frame])

    def heard(self, wire: Wire, ends: bool) -> list[bytes]:
        """Return what arrived; for one that hears the end, up to there."""
        frames: list[bytes] = []

        def is_complete() -> bool:
            frames.extend(wire.received())
            return not ends or any(b"the end" in frame for frame in frames)

        self.wait_for("the last frame", is_complete)
        return frames

    def test_tagged_frames_of_a_vm_go_nowhere(self) -> None:
        """Not even to its neighbour: tags are for trunks."""
        first, second = self.sides[0]
        with Wire(first.vm.namespace) as sender, Wire(second.vm.namespace) as receiver:
            for vlan in (1, 2, 100):
                sender.send(bytes(Ether(src=first.mac, dst=second.mac) / Dot1Q(vlan=vlan) / Raw(b"tagged")))
            sender.send(bytes(Ether(src=first.mac, dst=second.mac, type=_ETH_TEST) / Raw(b"the end")))
            heard = self.heard(receiver, ends=True)
        self.assertEqual([frame for frame in heard if b"tagged" in frame], [])


@frozen
class Tagged:
    """A frame as it was on the physical side: its tag (None: untagged) and its mark."""

    vlan: int | None
    mark: bytes


class PhysicalTests(HostCase):
    """Flat and VLAN networks on ``physnet1``, which a veth stands for."""

    settings: ClassVar[Mapping[str, str]] = {
        "l2.bridge_mappings": '["physnet1:br-ex"]',
        "network.vlan_ranges": '["physnet1:100:199"]',
    }
    outside: ClassVar[str]

    @classmethod
    def prepare_switch(cls) -> None:
        """The operator's bridge, and a namespace that stands for the physical network behind it."""
        cls.ovs.add_bridge("br-ex", "standalone")
        cls.outside = f"{cls.ovs.prefix}-out"
        run("ip", "netns", "add", cls.outside)
        cls.addClassCleanup(run, "ip", "netns", "del", cls.outside)
        run(
            "ip", "-n", cls.ovs.namespace, "link", "add", "nic", "type", "veth",
            "peer", "name", "eth0", "address", _PHYSICAL_MAC, "netns", cls.outside,
        )  # fmt: skip
        for namespace, device in ((cls.ovs.namespace, "nic"), (cls.outside, "eth0")):
            run("ip", "netns", "exec", namespace, "sysctl", "-qw", f"net.ipv6.conf.{device}.disable_ipv6=1")
            run("ip", "-n", namespace, "link", "set", device, "up")
        cls.ovs.vsctl("add-port", "br-ex", "nic")

    def setUp(self) -> None:
        """A wire on the physical side."""
        super().setUp()
        self.wire = Wire(self.outside)
        self.addCleanup(self.wire.close)

    def vlan_guest(self, vlan: int) -> Guest:
        """Plug a VM into a network of this VLAN."""
        return self.guest_on(**{"provider:network_type": "vlan", "provider:segmentation_id": vlan})

    def flat_guest(self) -> Guest:
        """Plug a VM into the flat network."""
        return self.guest_on(**{"provider:network_type": "flat"})

    def guest_on(self, **provider: Any) -> Guest:
        """Plug a VM into a network of its own, which goes with the test."""
        network = self.make_network(
            "10.0.0.0/24", port_security_enabled=False, **{"provider:physical_network": "physnet1", **provider}
        )
        self.addCleanup(self.delete, "network", network["id"])
        guest = self.plugged(network)
        self.addCleanup(self.delete, "port", guest.id)
        return guest

    def say(self, guest: Guest, mark: bytes, target: str = BROADCAST) -> None:
        """Let a VM send a frame with a mark."""
        with Wire(guest.vm.namespace) as wire:
            wire.send(bytes(Ether(src=guest.mac, dst=target, type=_ETH_TEST) / Raw(mark)))

    def seen_outside(self, mark: bytes) -> Tagged | None:
        """Return the frame with that mark as it arrived on the physical side."""
        frame = self.wire.await_frame(lambda each: mark in each, 2.0)
        if frame is None:
            return None
        packet = Ether(frame)
        return Tagged(packet[Dot1Q].vlan if Dot1Q in packet else None, mark)

    def hear_from_outside(self, guests: Iterable[Guest], vlan: int | None, target: str = BROADCAST) -> list[bool]:
        """Send a frame from the physical side with a tag, and return which VMs heard it, untagged."""
        tag = Raw(b"") if vlan is None else Dot1Q(vlan=vlan)
        body = IP(src="10.0.0.200", dst="10.0.0.255") / UDP(sport=4000, dport=4000) / Raw(b"from outside")
        wires = [Wire(guest.vm.namespace) for guest in guests]
        head = Ether(src=_PHYSICAL_MAC, dst=target)
        self.wire.send(bytes(head / body) if vlan is None else bytes(head / tag / body))
        heard = [wire.await_frame(lambda frame: b"from outside" in frame, SETTLE_SECONDS) for wire in wires]
        for wire in wires:
            wire.close()
        for frame in heard:
            if frame is not None:
                self.assertEqual(int.from_bytes(frame[12:14], "big"), _ETH_IPV4)
        return [frame is not None for frame in heard]

    def test_a_vlan_network_is_tagged_outside(self) -> None:
        """Broadcast, and what no local port has."""
        guest = self.vlan_guest(100)
        self.say(guest, b"to all")
        self.assertEqual(self.seen_outside(b"to all"), Tagged(100, b"to all"))
        self.say(guest, b"to one", _PHYSICAL_MAC)
        self.assertEqual(self.seen_outside(b"to one"), Tagged(100, b"to one"))

    def test_a_flat_network_is_untagged_outside(self) -> None:
        """As it came from the VM."""
        self.say(self.flat_guest(), b"flat")
        self.assertEqual(self.seen_outside(b"flat"), Tagged(None, b"flat"))

    def test_a_local_network_never_leaves(self) -> None:
        """Neither broadcast nor unknown unicast."""
        guest = self.plugged(self.make_network("10.0.0.0/24", port_security_enabled=False))
        self.vlan_guest(100)
        for target in (BROADCAST, _PHYSICAL_MAC):
            self.say(guest, b"local", target)
        self.assertIsNone(self.wire.await_frame(lambda frame: b"local" in frame, SETTLE_SECONDS))

    def test_a_tag_from_outside_reaches_its_network_only(self) -> None:
        """Untagged frames reach the flat network, other tags nobody."""
        guests = [self.vlan_guest(100), self.vlan_guest(101), self.flat_guest()]
        self.assertEqual(self.hear_from_outside(guests, 100), [True, False, False])
        self.assertEqual(self.hear_from_outside(guests, 101), [False, True, False])
        self.assertEqual(self.hear_from_outside(guests, None), [False, False, True])
        self.assertEqual(self.hear_from_outside(guests, 102), [False, False, False])

    def test_unicast_from_outside_reaches_its_port_only(self) -> None:
        """By MAC, on the tag's network; with another network's tag it reaches nobody."""
        guests = [self.vlan_guest(100), self.vlan_guest(101)]
        self.assertEqual(self.hear_from_outside(guests, 100, guests[0].mac), [True, False])
        self.assertEqual(self.hear_from_outside(guests, 101, guests[0].mac), [False, False])

    def test_two_vlan_networks_do_not_meet(self) -> None:
        """With the same addresses; though both are on the same wire."""
        first, second = self.vlan_guest(100), self.vlan_guest(101)
        with Wire(second.vm.namespace) as wire:
            for frame in frames_of(first, [second], b"across"):
                with Wire(first.vm.namespace) as sender:
                    sender.send(frame)
            self.assertIsNone(wire.await_frame(lambda frame: b"across" in frame, SETTLE_SECONDS))

    def test_nothing_comes_back_from_the_physical_network(self) -> None:
        """A broadcast that returns from outside is not sent outside again."""
        guest = self.vlan_guest(100)
        self.assertEqual(self.hear_from_outside([guest], 100), [True])
        self.assertIsNone(self.wire.await_frame(lambda frame: b"from outside" in frame, SETTLE_SECONDS))

    def test_the_server_of_a_network_answers_local_vms_only(self) -> None:
        """Another host's VMs are answered by their own host: ARP for the DHCP address from outside stays unanswered."""
        guest = self.vlan_guest(100)
        self.assertTrue(guest.can_reach("10.0.0.2"))
        question = ARP(op=1, hwsrc=_PHYSICAL_MAC, psrc="10.0.0.200", pdst="10.0.0.2")
        self.wire.received()
        self.wire.send(bytes(Ether(src=_PHYSICAL_MAC, dst=BROADCAST) / Dot1Q(vlan=100) / question))
        answer = self.wire.await_frame(lambda frame: ARP in Ether(frame) and Ether(frame)[ARP].op == 2, SETTLE_SECONDS)
        self.assertIsNone(answer)
