"""Tap mirrors by real packets: an address outside gets what a VM sends and gets, no one else notices. Needs root."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from scapy.contrib.erspan import ERSPAN_II
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.packet import Packet

from tests.bed.cluster import UNDERLAY_BRIDGE
from tests.bed.host import Guest, HostCase
from tests.bed.openvswitch import PrivateOvs, run
from tests.bed.wire import Wire
from tests.functional.test_taps import SETTLE_SECONDS, datagram
from tests.functional.test_tunnels import TunnelCase

HERE, HERE_TOO, COLLECTOR, NOBODY = "172.30.0.1", "172.30.0.2", "172.30.0.9", "172.30.0.77"
HERE_6, COLLECTOR_6 = "fd00::1", "fd00::9"
UNDERLAY = UNDERLAY_BRIDGE
PAYLOAD = b"a datagram"


def attached(ovs: PrivateOvs) -> str:
    """Lay a cable from a switch's underlay to a machine that collects copies; return its namespace."""
    collector = f"{ovs.prefix}-ids"
    run("ip", "netns", "add", collector)
    ovs.ip("link", "add", "ids", "type", "veth", "peer", "name", "eth0", "netns", collector)
    ovs.ip("link", "set", "ids", "up")
    ovs.vsctl("add-port", UNDERLAY, "ids")
    run("ip", "-n", collector, "link", "set", "eth0", "up")
    for address, prefix, flags in ((COLLECTOR, 24, ()), (COLLECTOR_6, 64, ("nodad",))):
        run("ip", "-n", collector, "address", "add", f"{address}/{prefix}", "dev", "eth0", *flags)
    return collector


class MirrorCase(HostCase):
    """A host whose routes lead over a bridge to a machine that collects copies; its own tunnels begin there too."""

    settings: ClassVar = {
        "l2.tunnel_ip": f'"{HERE}"',
        "l2.tunnel_types": '["vxlan", "gre"]',
        "l2.bridge_mappings": f'["physnet1:{UNDERLAY}"]',
    }
    collector: ClassVar[str]

    @classmethod
    def prepare_switch(cls) -> None:
        """Lay the cable to the collector."""
        cls.ovs.add_bridge(UNDERLAY, "standalone")
        cls.ovs.ip("link", "set", UNDERLAY, "up")
        for address, prefix, flags in ((HERE, 24, ()), (HERE_TOO, 24, ()), (HERE_6, 64, ("nodad",))):
            cls.ovs.ip("address", "add", f"{address}/{prefix}", "dev", UNDERLAY, *flags)
        cls.collector = attached(cls.ovs)
        cls.addClassCleanup(run, "ip", "netns", "del", cls.collector)

    def setUp(self) -> None:
        """Two VMs that talk."""
        super().setUp()
        network = self.make_network("10.0.0.0/24")
        self.alice, self.bob = self.plugged(network), self.plugged(network)

    def mirror(self, guest: Guest, status: int = 201, **said: Any) -> dict[str, Any]:
        """Make a mirror; return it, or the refusal."""
        body = {"port_id": guest.id, "directions": {"BOTH": 7}, "remote_ip": COLLECTOR, "mirror_type": "gre", **said}
        answer = self.appliance.request("POST", "/v2.0/taas/tap_mirrors", {"tap_mirror": body})
        self.assertEqual(answer.status, status, answer.body)
        if status == 201:
            self.addCleanup(
                self.appliance.request, "DELETE", f"/v2.0/taas/tap_mirrors/{answer.body['tap_mirror']['id']}"
            )
        made: dict[str, Any] = answer.body["tap_mirror" if status == 201 else "NeutronError"]
        return made

    def say(self, sender: Guest, receiver: Guest) -> tuple[bytes, list[Packet]]:
        """Let one VM send another a frame, which arrives; return it, and what the collector gets meanwhile."""
        frame = datagram(sender, receiver)
        with Wire(self.collector) as copies, Wire(receiver.vm.namespace) as own, Wire(sender.vm.namespace) as mouth:
            mouth.send(frame)
            self.assertEqual(own.await_frame(lambda found: PAYLOAD in found), frame)
            time.sleep(SETTLE_SECONDS)
            found = [each for each in copies.received() if PAYLOAD in each]
        return frame, [Ether(each) for each in found]


class CollectingTests(MirrorCase):
    """What the collector gets."""

    def collected(self, sender: Guest, receiver: Guest) -> tuple[bytes, Packet]:
        """Let one VM send another frames until a copy comes, and return both."""
        found: list[tuple[bytes, Packet]] = []

        def is_copied() -> bool:
            frame = datagram(sender, receiver)
            with Wire(self.collector) as copies, Wire(receiver.vm.namespace) as own, Wire(sender.vm.namespace) as mouth:
                mouth.send(frame)
                self.assertEqual(own.await_frame(lambda raw: PAYLOAD in raw), frame)
                # Whole: an error that quotes it may be copied too.
                copy = copies.await_frame(lambda raw: frame in raw, SETTLE_SECONDS)
            found.extend([] if copy is None else [(frame, Ether(copy))])
            return bool(found)

        self.wait_for("a copy", is_copied)
        return found[0]

    def test_gre(self) -> None:
        """Under its own id what it sends and what it gets; the frame is whole."""
        self.mirror(self.alice, directions={"IN": 101, "OUT": 4_000_000_000})
        for sender, receiver, key in ((self.alice, self.bob, 4_000_000_000), (self.bob, self.alice, 101)):
            frame, copy = self.collected(sender, receiver)
            self.assertEqual((copy[IP].src, copy[IP].dst, copy[GRE].key), (HERE, COLLECTOR, key))
            self.assertEqual(bytes(copy[GRE].payload), frame)

    def test_erspan(self) -> None:
        """Type II, with the session of the direction; copies are counted."""
        self.mirror(self.alice, mirror_type="erspanv1", directions={"IN": 1023, "OUT": 1})
        for sender, receiver, session in ((self.alice, self.bob, 1), (self.bob, self.alice, 1023)):
            frame, copy = self.collected(sender, receiver)
            self.assertEqual((copy[IP].src, copy[IP].dst, copy[ERSPAN_II].session_id), (HERE, COLLECTOR, session))
            self.assertEqual(bytes(copy[ERSPAN_II].payload), frame)
        _, again = self.collected(self.bob, self.alice)
        self.assertGreater(again[GRE].sequence_number, copy[GRE].sequence_number)

    def test_over_ipv6(self) -> None:
        """Both."""
        self.mirror(self.alice, remote_ip=COLLECTOR_6, directions={"OUT": 5})
        self.mirror(self.alice, remote_ip=COLLECTOR_6, mirror_type="erspanv1", directions={"IN": 6})
        frame, copy = self.collected(self.alice, self.bob)
        self.assertEqual((copy[IPv6].dst, copy[GRE].key, bytes(copy[GRE].payload)), (COLLECTOR_6, 5, frame))
        frame, copy = self.collected(self.bob, self.alice)
        self.assertEqual((copy[IPv6].dst, copy[ERSPAN_II].session_id), (COLLECTOR_6, 6))
        self.assertEqual(bytes(copy[ERSPAN_II].payload), frame)

    def test_an_end_of_the_mirror_ends_copies_and_takes_its_tunnel_port_away(self) -> None:
        """And a restart of the process in between changes nothing."""
        made = self.mirror(self.alice, directions={"OUT": 9})
        self.collected(self.alice, self.bob)
        copying = self.flows_with("clone(")
        self.appliance.stop()
        self.appliance.start("/readyz")
        self.collected(self.alice, self.bob)
        self.assertEqual(self.flows_with("clone("), copying)
        self.appliance.request("DELETE", f"/v2.0/taas/tap_mirrors/{made['id']}")
        self.wait_for("the end of the copies", lambda: not self.flows_with("clone("))
        self.wait_for("the end of the tunnel port", lambda: "mir-gre" not in self.ovs.vsctl("list-ports", "br-int"))
        self.assertEqual(self.say(self.alice, self.bob)[1], [])

    def test_a_port_that_is_deleted_takes_its_mirrors_along(self) -> None:
        """Others' traffic goes on."""
        made = self.mirror(self.alice)
        self.collected(self.alice, self.bob)
        self.delete("port", self.alice.id)
        answer = self.appliance.request("GET", f"/v2.0/taas/tap_mirrors/{made['id']}")
        self.assertEqual(answer.status, 404)
        self.wait_for("the end of the copies", lambda: not self.flows_with("clone("))

    def test_several_mirrors_of_a_port(self) -> None:
        """Each copy comes once."""
        for number in (11, 12):
            self.mirror(self.alice, directions={"OUT": number})
        self.collected(self.alice, self.bob)
        self.wait_for("both", lambda: self.keys_of(self.say(self.alice, self.bob)[1]) == [11, 12])

    def keys_of(self, copies: Iterable[Packet]) -> list[int]:
        """Return under which ids copies came, in order."""
        return sorted(copy[GRE].key for copy in copies)


class HostileTests(MirrorCase):
    """Mirrors that cannot work; the port's own traffic does."""

    def test_nobody_at_the_address(self) -> None:
        """Nor a route to it, or it is this host's own."""
        for number, remote in enumerate((NOBODY, "203.0.113.5", HERE_TOO), start=20):
            self.mirror(self.alice, remote_ip=remote, directions={"BOTH": number})
            self.wait_for("its flows", partial(self.has_flows, number))
            for talk in ((self.alice, self.bob), (self.bob, self.alice)):
                self.assertEqual(self.say(*talk)[1], [])
            self.assertTrue(self.alice.can_reach(self.bob.ip, tries=1))

    def has_flows(self, number: int) -> bool:
        """Whether copies are made under an id."""
        return bool(self.flows_with(f"set_field:{hex(number)}->tun_id"))

    def test_addresses_that_mean_nobody_or_everybody_are_refused(self) -> None:
        """At once."""
        for remote in (
            "127.0.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "169.254.1.1",
            "::1",
            "ff02::1",
            "fe80::1",
        ):
            self.assertEqual(self.mirror(self.alice, 400, remote_ip=remote)["type"], "InvalidTapMirrorRemote")

    def test_where_tunnels_of_networks_end_no_copies_go(self) -> None:
        """They could be taken for frames of a network."""
        self.assertEqual(self.mirror(self.alice, 409, remote_ip=HERE)["type"], "TapMirrorRemoteIsHost")

    def test_copies_of_copies_are_not_made(self) -> None:
        """Of a port that has the address to which its copies go, and two mirrors: each frame is copied twice at all."""
        network = self.make_network(
            "172.30.0.0/24",
            subnet={"allocation_pools": [{"start": "172.30.0.50", "end": "172.30.0.60"}]},
            **{"provider:network_type": "flat", "provider:physical_network": "physnet1"},
        )
        target = self.plugged(network, port_security_enabled=False)
        run("ip", "netns", "exec", self.collector, "ping", "-n", "-c1", "-W2", target.ip)
        for number in (31, 32):
            self.mirror(target, remote_ip=target.ip, directions={"IN": number})
        frame = bytes(
            Ether(src="02:00:00:00:00:09", dst=target.mac) / IP(src=COLLECTOR, dst=target.ip) / UDP() / PAYLOAD
        )

        def copies() -> list[int]:
            with Wire(target.vm.namespace) as arriving, Wire(self.collector) as mouth:
                mouth.send(frame)
                time.sleep(2 * SETTLE_SECONDS)
                found = [Ether(raw) for raw in arriving.received() if PAYLOAD in raw]
            return sorted(each[GRE].key if GRE in each else 0 for each in found)

        self.wait_for("a frame and its two copies", lambda: copies() == [0, 31, 32])
        self.assertEqual(copies(), [0, 31, 32])


class HostsTests(TunnelCase):
    """Two hosts with tunnels between them, over IPv4; all have addresses of IPv6 too."""

    host_names: ClassVar[tuple[str, ...]] = ("host-a", "host-b")
    ipv4: ClassVar[Mapping[str, str]] = {"host-a": "172.30.0.1", "host-b": "172.30.0.2"}
    ipv6: ClassVar[Mapping[str, str]] = {"host-a": "fd00::1", "host-b": "fd00::2"}
    tunnels: ClassVar[Mapping[str, str]] = ipv4
    collector: ClassVar[str]

    @classmethod
    def prepare_switch(cls) -> None:
        """Lay the cables."""
        super().prepare_switch()
        cls.collector = attached(cls.cluster.hosts[0].ovs)
        cls.addClassCleanup(run, "ip", "netns", "del", cls.collector)
        for host in cls.cluster.hosts:
            host.ovs.ip("address", "replace", f"{cls.ipv4[host.name]}/24", "dev", UNDERLAY)
            host.ovs.ip("address", "replace", f"{cls.ipv6[host.name]}/64", "dev", UNDERLAY, "nodad")

    def copy_of(self, sender: Guest, receiver: Guest) -> Packet:
        """Let one VM send another frames until a copy comes; return it."""
        found: list[Packet] = []

        def is_copied() -> bool:
            with Wire(self.collector) as copies, Wire(sender.vm.namespace) as mouth:
                mouth.send(datagram(sender, receiver))
                raw = copies.await_frame(lambda each: PAYLOAD in each and GRE in Ether(each), SETTLE_SECONDS)
            found.extend([] if raw is None else [Ether(raw)])
            return bool(found)

        self.wait_for("a copy", is_copied)
        self.assertEqual(bytes(found[0][GRE].payload), datagram(sender, receiver))
        return found[0]

    def test_what_comes_out_of_a_tunnel_is_mirrored_whatever_that_goes_over(self) -> None:
        """The copy goes over IPv6, or over IPv4."""
        first, second = self.hosts
        network = self.tunnelled()
        alice, bob = self.boot(second, network), self.boot(first, network)
        self.settle(alice, bob)
        for remote, key in ((COLLECTOR_6, 41), (COLLECTOR, 42)):
            body = {"port_id": alice.id, "directions": {"IN": key}, "remote_ip": remote, "mirror_type": "gre"}
            answer = self.appliance.request("POST", "/v2.0/taas/tap_mirrors", {"tap_mirror": body})
            self.assertEqual(answer.status, 201, answer.body)
            copy = self.copy_of(bob, alice)
            layer, sources = (IPv6, self.ipv6) if remote == COLLECTOR_6 else (IP, self.ipv4)
            self.assertEqual((copy[GRE].key, copy[layer].src), (key, sources[second.name]))
            self.appliance.request("DELETE", f"/v2.0/taas/tap_mirrors/{answer.body['tap_mirror']['id']}")
            self.wait_for("the end", lambda: "clone(" not in second.ovs.ofctl("dump-flows"))

    def test_a_mirror_moves_with_its_port(self) -> None:
        """The host that has the port makes the copies."""
        first, second = self.hosts
        network = self.tunnelled()
        alice, bob = self.boot(second, network), self.boot(first, network)
        self.settle(alice, bob)
        body = {"port_id": alice.id, "directions": {"OUT": 51}, "remote_ip": COLLECTOR, "mirror_type": "erspanv1"}
        answer = self.appliance.request("POST", "/v2.0/taas/tap_mirrors", {"tap_mirror": body})
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual(self.erspan_source(alice, bob), self.ipv4[second.name])
        second.ovs.remove_vm(alice.vm)
        self.update("port", alice.id, **{"binding:host_id": first.name})
        moved = Guest(alice.port, first.ovs.make_vm(alice.id, alice.mac))
        first.ovs.plug(moved.vm)
        self.appliance.await_status(alice.id)
        self.assertEqual(self.erspan_source(moved, bob), self.ipv4[first.name])
        self.wait_for("the end", lambda: "clone(" not in second.ovs.ofctl("dump-flows"))

    def erspan_source(self, sender: Guest, receiver: Guest) -> str:
        """Let one VM send another frames until a copy comes; return from where it came."""
        found: list[str] = []

        def is_copied() -> bool:
            with Wire(self.collector) as copies, Wire(sender.vm.namespace) as mouth:
                mouth.send(datagram(sender, receiver))
                raw = copies.await_frame(lambda each: PAYLOAD in each, SETTLE_SECONDS)
            found.extend([] if raw is None else [str(Ether(raw)[IP].src)])
            return bool(found)

        self.wait_for("a copy", is_copied)
        return found[0]


class OverIpv6Tests(HostsTests):
    """The same where tunnels go over IPv6."""

    tunnels: ClassVar[Mapping[str, str]] = HostsTests.ipv6
    settings: ClassVar = {**HostsTests.settings, "network.overlay_ip_version": "6"}
