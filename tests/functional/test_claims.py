"""Devices that say they are a port which they are not, or not alone. Needs root.

Only who may write Open vSwitch's database can say so; whatever is said, it gives nobody what is another host's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.bed.cluster import Host
from tests.bed.host import Guest
from tests.bed.openvswitch import Vm
from tests.bed.wire import Wire
from tests.functional import test_tunnels as tunnels

SETTLE_SECONDS = 0.5


class ClaimCase(tunnels.TunnelCase):
    """Two hosts; a VM of a project, another one of its network, and what else says that it is the first."""

    host_names: ClassVar[tuple[str, ...]] = ("host-a", "host-b")

    def setUp(self) -> None:
        """Plug both VMs on the first host."""
        super().setUp()
        self.first, self.second = self.hosts
        self.network = self.tunnelled()
        self.victim, self.friend = self.boot(self.first, self.network), self.boot(self.first, self.network)
        self.settle(self.victim, self.friend)

    def claim(self, host: Host, port: Mapping[str, Any], mac: str, said_mac: str) -> Vm:
        """Make a device on a host that says it is a port, with MAC addresses of its own and as it says."""
        name = f"claim{len(self.used_ids)}"
        vm = host.ovs.make_vm(f"{name}-{port['id']}", mac, name)
        ids = {"iface-id": port["id"], "iface-status": "active", "attached-mac": said_mac}
        said = [f"external-ids:{key}={value}" for key, value in ids.items()]
        host.ovs.vsctl("add-port", host.ovs.bridge, vm.tap, "--", "set", "Interface", vm.tap, *said)
        return vm

    def frame(self, mac: str, source: Guest, target: Guest, mark: bytes) -> bytes:
        """Return a datagram that says it is of one VM, from a MAC address."""
        packet = IP(src=source.ip, dst=target.ip) / UDP(sport=4000, dport=5000) / Raw(mark)
        return bytes(Ether(src=mac, dst=target.mac) / packet)

    def passes(self, namespace: str, target: str, frame: bytes, mark: bytes) -> bool:
        """Whether what one namespace sends arrives in another one."""
        with Wire(target) as ear, Wire(namespace) as mouth:
            mouth.send(frame)
            return ear.await_frame(lambda raw: mark in raw, SETTLE_SECONDS) is not None


class OtherHostTests(ClaimCase):
    """A device on a host to which the port is not bound."""

    def test_it_is_dead(self) -> None:
        """It sends nothing and gets nothing; the port stays where it is and works; the claim is told to nobody."""
        self.boot(self.second, self.network)
        before = self.appliance.show("port", self.victim.id)
        thief = self.claim(self.second, self.victim.port, self.victim.mac, self.victim.mac)
        friend = self.friend
        for _ in range(3):
            sent = self.frame(self.victim.mac, self.victim, friend, b"stolen")
            self.assertFalse(self.passes(thief.namespace, friend.vm.namespace, sent, b"stolen"))
            got = self.frame(friend.mac, friend, self.victim, b"for the owner")
            self.assertFalse(self.passes(friend.vm.namespace, thief.namespace, got, b"for the owner"))
        self.assertTrue(self.victim.can_reach(friend.ip, tries=1))
        self.assertEqual(self.appliance.show("port", self.victim.id), before)


class SameHostTests(ClaimCase):
    """A second device on the port's own host."""

    def test_one_device_is_the_port_and_the_other_is_dead(self) -> None:
        """The one that was plugged last, as a VM that is plugged anew; when it goes the first is the port again."""
        second = self.claim(self.first, self.victim.port, self.victim.mac, self.victim.mac)
        friend, frame = self.friend, self.frame(self.victim.mac, self.victim, self.friend, b"a datagram")
        back = self.frame(friend.mac, friend, self.victim, b"an answer")
        namespaces = (self.victim.vm.namespace, second.namespace)

        def lives() -> list[bool]:
            return [
                all(
                    (
                        self.passes(each, friend.vm.namespace, frame, b"a datagram"),
                        self.passes(friend.vm.namespace, each, back, b"an answer"),
                    )
                )
                for each in namespaces
            ]

        self.open_to(friend, self.victim)
        self.wait_for("the second", lambda: lives() == [False, True])
        self.assertEqual(self.status_of(self.victim), "ACTIVE")
        self.first.ovs.unplug(second)
        self.wait_for("the first", lambda: lives() == [True, False])

    def open_to(self, *guests: Guest) -> None:
        """Let datagrams in, at ports of VMs."""
        group = self.appliance.create("security_group", name="open")
        rule = {"direction": "ingress", "ethertype": "IPv4", "protocol": "udp"}
        self.appliance.create("security_group_rule", security_group_id=group["id"], **rule)
        for guest in guests:
            self.update("port", guest.id, security_groups=[group["id"]])

    def test_what_a_device_says_of_its_mac_gives_it_none(self) -> None:
        """Whatever it says, it sends from the port's alone; another's, also if it says that one, is dropped."""
        network = self.tunnelled()
        owner, listener = self.boot(self.second, network), self.boot(self.first, network)
        self.settle(owner, listener)
        port = self.appliance.create("port", network_id=network["id"], **{"binding:host_id": self.first.name})
        liar = self.claim(self.first, port, owner.mac, owner.mac)
        self.appliance.await_status(port["id"])
        self.open_to(listener)
        own = Guest(port, liar)
        good, bad = (self.frame(mac, own, listener, b"a datagram") for mac in (port["mac_address"], owner.mac))
        stolen = self.frame(owner.mac, owner, listener, b"a datagram")
        self.wait_for("its own", lambda: self.passes(liar.namespace, listener.vm.namespace, good, b"a datagram"))
        for each in (bad, stolen):
            self.assertFalse(self.passes(liar.namespace, listener.vm.namespace, each, b"a datagram"))
        self.assertTrue(self.passes(owner.vm.namespace, listener.vm.namespace, stolen, b"a datagram"))
