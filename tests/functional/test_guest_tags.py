"""Transparent networks by real packets: tags of VMs pass, and get nobody further than without. Needs root."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

from tests.bed.cluster import Host
from tests.bed.dhcp_client import udhcpc
from tests.bed.guest_tag_table import BROADCAST, ROWS, Ends, Row
from tests.bed.host import Guest
from tests.bed.wire import Wire
from tests.functional import test_taps as taps
from tests.functional import test_trunks as trunks
from tests.functional import test_tunnels as tunnels

SETTLE_SECONDS = 0.5
_OPEN = {"port_security_enabled": False, "security_groups": []}


class TagCase(tunnels.TunnelCase, trunks.TrunkCase):
    """Two hosts, and networks that are transparent."""

    host_names: ClassVar[tuple[str, ...]] = ("host-a", "host-b")

    def transparent(self, network_type: str = "vxlan", *cidrs: str) -> dict[str, Any]:
        """Create a network that passes tags."""
        provider: dict[str, Any] = {"provider:network_type": network_type}
        if network_type != "local":
            self.used_ids.append(7000 + len(self.used_ids))
            provider["provider:segmentation_id"] = self.used_ids[-1]
        return self.make_network(*(cidrs or ("10.0.0.0/24",)), vlan_transparent=True, **provider)

    def at(self, host: Host, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Plug a VM that says nothing of its own accord."""
        body = {"network_id": network["id"], "binding:host_id": host.name, **attributes}
        port = self.appliance.create("port", **body)
        guest = Guest(port, host.ovs.make_vm(port["id"], port["mac_address"]))
        guest.vm.run("ip", "link", "set", "eth0", "down")
        guest.vm.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")
        guest.vm.run("ip", "link", "set", "eth0", "up")
        host.ovs.plug(guest.vm)
        self.appliance.await_status(guest.id)
        return guest

    def passes(self, source: Guest, target: Guest, frame: bytes, mark: bytes, seconds: float = SETTLE_SECONDS) -> bool:
        """Whether a frame of one VM reaches another one as it is."""
        with Wire(target.vm.namespace) as ear, Wire(source.vm.namespace) as mouth:
            mouth.send(frame)
            heard = ear.await_frame(lambda raw: mark in raw, seconds)
        self.assertIn(heard, (None, frame))
        return heard is not None

    def settle_tagged(self, source: Guest, target: Guest) -> None:
        """Wait until one VM reaches another one."""
        self.wait_for("the other", lambda: self.passes(source, target, self.udp(source, target), b"a datagram"))

    def udp(self, source: Guest, target: Guest, tag: int = 5, mark: bytes = b"a datagram", **more: Any) -> bytes:
        """Return a tagged datagram."""
        packet = IP(src=source.ip, dst=target.ip) / UDP(sport=4000, dport=more.pop("dport", 5000)) / Raw(mark)
        return bytes(Ether(src=source.mac, dst=target.mac) / Dot1Q(vlan=tag, prio=3) / packet)


class PassTests(TagCase):
    """What transparent networks are for."""

    def test_tags_pass_on_one_host_and_between_hosts(self) -> None:
        """With their priority, in frames of full size, in every kind of tunnel; without one, leases come as ever."""
        first = self.hosts[0]
        for kind, mtu in (("vxlan", 1446), ("gre", 1454), ("geneve", 1438)):
            network = self.transparent(kind)
            self.assertEqual((network["vlan_transparent"], network["mtu"]), (True, mtu))
            one = self.at(first, network)
            for target in (self.at(host, network, **_OPEN) for host in self.hosts):
                big = self.udp(one, target, mark=b"x" * (mtu - 28))
                self.wait_for(f"a tag in {kind}", partial(self.passes, one, target, big, b"x" * 99))
            self.assertEqual(udhcpc(one.vm, self.directory).mtu_bytes, mtu)

    def test_other_networks_pass_none(self) -> None:
        """Not from a port, nor out of a tunnel."""
        first, second = self.hosts
        network = self.tunnelled()
        one, near, far = self.at(first, network), self.at(first, network, **_OPEN), self.at(second, network, **_OPEN)
        plain = bytes(Ether(src=one.mac, dst=far.mac) / IP(src=one.ip, dst=far.ip) / UDP() / Raw(b"plain"))
        self.wait_for("the other", lambda: self.passes(one, far, plain, b"plain"))
        for target in (near, far):
            self.assertFalse(self.passes(one, target, self.udp(one, target), b"a datagram"))

    def test_what_cannot_be_is_refused(self) -> None:
        """Physical networks would take the tags for their own."""
        for kind, more in (("flat", {}), ("vlan", {"provider:segmentation_id": 100})):
            body = {"provider:network_type": kind, "provider:physical_network": "physnet1", **more}
            answer = self.appliance.request("POST", "/v2.0/networks", {"network": {**body, "vlan_transparent": True}})
            self.assertEqual(answer.status, 400)

    def test_security_groups_hold_inside_tags(self) -> None:
        """Who has no rule gets nothing, answers pass, a rule opens, and what a removed rule let pass ends."""
        first, second = self.hosts
        network = self.transparent()
        group = self.appliance.create("security_group", name="closed")
        one, two = (self.at(host, network, security_groups=[group["id"]]) for host in (first, second))
        ask = self.udp(one, two, mark=b"ask")
        answer = bytes(
            Ether(src=two.mac, dst=one.mac)
            / Dot1Q(vlan=5)
            / IP(src=two.ip, dst=one.ip)
            / UDP(sport=5000, dport=4000)
            / Raw(b"answer")
        )
        self.assertFalse(self.passes(one, two, ask, b"ask"))
        rule = {"direction": "ingress", "ethertype": "IPv4", "protocol": "udp", "port_range_min": 5000}
        made = self.appliance.create("security_group_rule", security_group_id=group["id"], port_range_max=5000, **rule)
        self.wait_for("the rule", lambda: self.passes(one, two, ask, b"ask"))
        self.assertTrue(self.passes(two, one, answer, b"answer"))
        self.delete("security_group_rule", made["id"])
        self.wait_for("the end of the rule", lambda: not self.passes(one, two, ask, b"ask"))

    def test_nobody_but_ports_answers_inside_tags(self) -> None:
        """Not for the address of the server, not for ports of other hosts, and not who asks for an address."""
        first, second = self.hosts
        network = self.transparent()
        one, far = self.at(first, network), self.at(second, network, **_OPEN)
        self.settle_tagged(one, far)
        discover = BOOTP(chaddr=bytes.fromhex(one.mac.replace(":", "")), xid=7) / DHCP(
            options=[("message-type", "discover"), "end"]
        )
        asks: dict[str, Packet] = {
            "server": ARP(op=1, hwsrc=one.mac, psrc=one.ip, pdst="10.0.0.2"),
            "far": ARP(op=1, hwsrc=one.mac, psrc=one.ip, pdst=far.ip),
            "address": IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / discover,
        }
        for name, packet in asks.items():
            for tag in (None, 5):
                frame: Packet = Ether(src=one.mac, dst=BROADCAST)
                frame = frame if tag is None else frame / Dot1Q(vlan=tag)
                with Wire(one.vm.namespace) as own, Wire(far.vm.namespace) as ear:
                    own.send(bytes(frame / packet))
                    heard = ear.await_frame(lambda raw: raw[6:12].hex(":") == one.mac, SETTLE_SECONDS)
                    answers = [raw for raw in own.received() if raw[:6].hex(":") == one.mac]
                self.assertEqual((bool(answers), heard is not None), (tag is None, tag is not None), (name, tag))


class AttackTests(TagCase):
    """What a VM may send is a table, which the packet walker is tested with too."""

    def test_every_row(self) -> None:
        """Heard, as it is, by a VM on the same host and by one on another, or by none."""
        first, second = self.hosts
        network = self.transparent("vxlan", "10.0.0.0/24", "fd00:1::/64")
        one = self.at(first, network)
        listeners = {"near": self.at(first, network, **_OPEN), "far": self.at(second, network, **_OPEN)}
        for name, listener in listeners.items():
            ends = Ends(one.mac, self.ipv4(one), listener.mac, self.ipv4(listener))
            self.wait_for("both", partial(self.is_heard, one, listener, ends))
            self.assertEqual(self.heard(one, listener, ends, ROWS), [row.name for row in ROWS if row.is_heard], name)

    def ipv4(self, guest: Guest) -> str:
        """The guest's IPv4 address."""
        return next(str(ip["ip_address"]) for ip in guest.port["fixed_ips"] if "." in ip["ip_address"])

    def is_heard(self, one: Guest, listener: Guest, ends: Ends) -> bool:
        """Whether a VM hears what has no tag."""
        return bool(self.heard(one, listener, ends, ROWS[:1]))

    def heard(self, one: Guest, listener: Guest, ends: Ends, rows: tuple[Row, ...]) -> list[str]:
        """Return the names of the rows that a VM hears as they were sent."""
        last = Row("the end", (), "echo", True)
        frames = {row.name: row.frame(ends) for row in (*rows, last)}
        found: list[bytes] = []
        with Wire(listener.vm.namespace) as ear, Wire(one.vm.namespace) as mouth:
            for frame in frames.values():
                mouth.send(frame)
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline and frames["the end"] not in found:
                found += ear.received()
                time.sleep(0.01)
        strange = [raw for raw in found if b"<" in raw and raw not in frames.values()]
        self.assertEqual(strange, [])
        return [row.name for row in rows if frames[row.name] in found]

    @pytest.mark.time_limit(240)
    def test_tags_get_nobody_into_a_trunk(self) -> None:
        """The parent of a trunk, and a sub-port, get and send on a transparent network what has no tag alone."""
        first, second = self.hosts
        network = self.transparent()
        inner = self.transparent()
        sub = self.sub_port(inner, 101)
        port = self.appliance.create("port", network_id=network["id"], **_OPEN)
        parent = Guest(port, first.ovs.make_vm(port["id"], port["mac_address"]))
        self.make_trunk(parent, sub)
        self.update("port", parent.id, **{"binding:host_id": first.name})
        first.ovs.plug(parent.vm)
        self.appliance.await_status(sub.id)
        for outside, inside in ((network, parent), (inner, sub)):
            for host in (first, second):
                guest = self.at(host, outside, **_OPEN)
                with Wire(parent.vm.namespace) as ear, Wire(guest.vm.namespace) as mouth:
                    for target in (BROADCAST, inside.mac):
                        for tag in (101, 102, 0):
                            body = Dot1Q(vlan=tag) / IP(src=guest.ip, dst=inside.ip) / ICMP() / Raw(b"hopped")
                            mouth.send(bytes(Ether(src=guest.mac, dst=target) / body))
                    mouth.send(bytes(Ether(src=guest.mac, dst=BROADCAST) / ARP(pdst="10.0.0.9") / Raw(b"the end")))
                    seen: list[bytes] = []

                    def is_over(seen: list[bytes] = seen, ear: Wire = ear) -> bool:
                        seen.extend(ear.received())
                        return any(b"the end" in frame for frame in seen)

                    self.wait_for("the last frame", is_over)
                    self.assertEqual([frame for frame in seen if b"hopped" in frame], [])
                with Wire(guest.vm.namespace) as ear, Wire(parent.vm.namespace) as mouth:
                    for tag in (102, 0):
                        mouth.send(bytes(Ether(src=parent.mac, dst=BROADCAST) / Dot1Q(vlan=tag) / Raw(b"hopped")))
                    self.assertIsNone(ear.await_frame(lambda raw: b"hopped" in raw, SETTLE_SECONDS))


class TapTests(TagCase, taps.TapCase):
    """Copies of frames with tags."""

    def test_a_listener_on_the_same_host_gets_them_with_their_tag(self) -> None:
        """One on another host gets those without a tag alone; the frames themselves arrive."""
        first, second = self.hosts
        network, quiet = self.transparent(), self.make_network("10.9.0.0/24")
        one, two = self.at(first, network), self.at(second, network, **_OPEN)
        self.settle_tagged(one, two)
        for host, is_tagged in ((first, True), (second, False)):
            ear = self.at(host, quiet)
            flow = self.flow(ear, one, "OUT")
            self.wait_for("a copy", partial(self.hears, ear, one, two))
            tagged = self.udp(one, two, mark=b"with a tag")
            with Wire(ear.vm.namespace) as copy:
                self.assertTrue(self.passes(one, two, tagged, b"with a tag"))
                heard = copy.await_frame(lambda raw: b"with a tag" in raw, SETTLE_SECONDS)
            self.assertEqual(heard, tagged if is_tagged else None)
            self.appliance.request("DELETE", f"/v2.0/taas/tap_flows/{flow['id']}")
