"""Networks of several segments: each host carries them by the one that it can, by real packets. Needs root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from tests.bed.cluster import Host
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest
from tests.bed.roles import RolesCase

_VLAN = '["physnet1:br-ex"]'
_TUNNELS = '["vxlan", "gre"]'
_NAMES = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")


class SegmentCase(RolesCase):
    """Four hosts: one with the physical network, one with tunnels, one with both, and one more with tunnels."""

    host_names: ClassVar[tuple[str, ...]] = ("wired", "both", "tunnelled", "other")
    tunnels: ClassVar[Mapping[str, str]] = {name: f"172.30.0.{n}" for n, name in enumerate(host_names, start=1)}
    settings: ClassVar[Mapping[str, str]] = {
        "l2.bind_unbound": "false",
        "network.vlan_ranges": '["physnet1:100:199"]',
        "network.vxlan_ranges": '["1000:1999"]',
    }
    own_settings: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "controller": {"l2.bridge_mappings": '["physnet1:br-ex", "physnet2:br-none"]'},
        "wired": {"l2.bridge_mappings": _VLAN, "l2.tunnel_ip": '""'},
        "both": {"l2.bridge_mappings": _VLAN, "l2.tunnel_types": _TUNNELS},
        "tunnelled": {"l2.tunnel_types": _TUNNELS},
        "other": {"l2.tunnel_types": _TUNNELS},
    }
    used: ClassVar[list[int]] = []

    @classmethod
    def prepare_switch(cls) -> None:
        """Lay both cables."""
        cls.cluster.wire()
        cls.cluster.lay_underlay()

    def setUp(self) -> None:
        """Name the hosts."""
        super().setUp()
        self.wired, self.both, self.tunnelled, self.other = self.hosts

    def vlan(self) -> dict[str, Any]:
        """Return a VLAN segment."""
        self.used.append(101 + len(self.used))
        return dict(zip(_NAMES, ("vlan", "physnet1", self.used[-1]), strict=True))

    def tunnel(self, kind: str = "vxlan") -> dict[str, Any]:
        """Return a segment in tunnels."""
        self.used.append(101 + len(self.used))
        return {_NAMES[0]: kind, _NAMES[2]: self.used[-1]}

    def several(self, *segments: Mapping[str, Any]) -> dict[str, Any]:
        """Create a network of these segments."""
        return self.make_network("10.0.0.0/24", segments=segments)

    def expect(self, meeting: tuple[Guest, ...], *apart: Guest) -> None:
        """Each of the first reaches each other of them, and none of the others."""
        for one in meeting:
            for other in meeting:
                self.assertTrue(one is other or one.can_reach(other.ip, tries=25), f"{one.ip} to {other.ip}")
        for one in meeting:
            for other in apart:
                self.assertFalse(one.can_reach(other.ip, tries=1), f"{one.ip} to {other.ip}")

    def knows(self, host: Host, guest: Guest) -> bool:
        """Whether a host has flows that name a VM's MAC address."""
        return guest.mac in host.ovs.ofctl("dump-flows")

    def knows_one(self, host: Host, *guests: Guest) -> bool:
        """Whether a host has flows that name one of several."""
        return any(self.knows(host, each) for each in guests)

    def restart(self, host: Host, **settings: str) -> None:
        """Start the l2 role of a host again with other settings; what they were is back after the test."""
        before = dict(host.l2.settings)
        self.addCleanup(self._start_again, host, before)
        self._start_again(host, {**before, **{f"l2.{name}": value for name, value in settings.items()}})

    def _start_again(self, host: Host, settings: Mapping[str, str]) -> None:
        host.l2.stop()
        host.l2.settings = settings
        host.l2.launch()


class MixedTests(SegmentCase):
    """VLAN here, tunnels there."""

    @pytest.mark.time_limit(240)
    def test_hosts_of_a_segment_meet_on_it(self) -> None:
        """And nobody else; the one that has both is on the segment that is named first."""
        network = self.several(self.vlan(), self.tunnel())
        self.assertEqual(network["mtu"], 1450)
        one, two, three, four = (self.boot(host, network) for host in self.hosts)
        self.expect((one, two), three, four)
        self.expect((three, four), one, two)
        self.assertFalse(self.knows(self.both, three))
        self.assertFalse(self.knows(self.tunnelled, two))
        self.assertTrue(self.knows(self.tunnelled, four))

    @pytest.mark.time_limit(240)
    def test_the_order_of_segments_decides(self) -> None:
        """The other way round, the one that has both is with those that have tunnels."""
        network = self.several(self.tunnel(), self.vlan())
        one, two, three = (self.boot(host, network) for host in self.hosts[:3])
        self.expect((two, three), one)

    def test_leases_have_the_smallest_mtu(self) -> None:
        """On every segment, though a VLAN could carry more."""
        network = self.several(self.vlan(), self.tunnel("gre"), self.tunnel())
        guest = self.plug_at(self.wired, network)
        lease = udhcpc(guest.vm, self.directory)
        self.assertEqual((lease.ip_address, lease.mtu_bytes), (guest.ip, 1450))

    def test_a_host_that_has_none_of_the_segments_gets_no_port(self) -> None:
        """The binding fails at once, on a network of one segment and on one of several."""
        lost = {**self.vlan(), "provider:physical_network": "physnet2"}
        for network in (self.make_network(**lost), self.several(self.vlan(), self.tunnel("geneve"))):
            body = {"network_id": network["id"], "binding:host_id": "tunnelled"}
            port = self.appliance.create("port", **body)
            self.assertEqual((port["binding:vif_type"], port["status"]), ("binding_failed", "DOWN"))


class ChangeTests(SegmentCase):
    """Segments, mappings and tunnels come and go under ports."""

    @pytest.mark.time_limit(300)
    def test_a_host_that_loses_its_mapping_is_carried_otherwise(self) -> None:
        """Its ports are with those that have tunnels then, and with the others again when it has it again."""
        network = self.several(self.vlan(), self.tunnel())
        one, two, three = (self.boot(host, network) for host in self.hosts[:3])
        self.expect((one, two), three)
        self.restart(self.both, bridge_mappings="[]")
        self.wait_for("its new neighbours", lambda: self.knows(self.tunnelled, two), 30)
        self.expect((two, three), one)
        self.restart(self.both, bridge_mappings=_VLAN)
        self.wait_for("its old neighbours", lambda: not self.knows(self.tunnelled, two), 30)
        self.expect((one, two), three)

    @pytest.mark.time_limit(300)
    def test_a_host_that_loses_a_type_of_tunnels_is_carried_otherwise(self) -> None:
        """By the next segment that it can."""
        network = self.several(self.tunnel("gre"), self.tunnel("vxlan"))
        two, three, four = (self.boot(host, network) for host in self.hosts[1:])
        self.expect((two, three, four))
        for host in (self.both, self.tunnelled):
            self.restart(host, tunnel_types='["vxlan"]')
        # The two start again side by side, and the second may be the first to say what it has.
        self.wait_for("the others to forget them", lambda: not self.knows_one(self.other, two, three), 30)
        self.expect((two, three), four)

    @pytest.mark.time_limit(240)
    def test_a_segment_that_is_added_reaches_hosts_that_had_none(self) -> None:
        """Ports are bound there from then on; ports that were there stay where they are, and keep the segment."""
        network = self.make_network("10.0.0.0/24", **self.vlan())
        one, two = (self.boot(host, network) for host in self.hosts[:2])
        self.assertEqual(network["mtu"], 1500)
        more = self.tunnel()
        body = {"network_id": network["id"], "network_type": "vxlan", "segmentation_id": more[_NAMES[2]]}
        segment = self.appliance.create("segment", **body)
        self.assertEqual(self.appliance.show("network", network["id"])["mtu"], 1450)
        three, four = (self.boot(host, network) for host in self.hosts[2:])
        self.expect((one, two), three)
        self.expect((three, four), one)
        path = f"/v2.0/segments/{segment['id']}"
        answer = self.appliance.request("DELETE", path)
        self.assertEqual(answer.status, 409, answer.body)
        self.assertIn("The segment is still bound with 2 port(s)", answer.body["NeutronError"]["message"])
        for guest in (three, four):
            self.delete("port", guest.id)
        self.assertEqual(self.appliance.request("DELETE", path).status, 204)
        self.expect((one, two))


class DeletedTests(SegmentCase):
    """Ports that go."""

    def test_a_deleted_port_leaves_no_connection_on_hosts_that_carry_its_vlan(self) -> None:
        """Though they know it by its frames alone; conversations with others go on."""
        network = self.make_network("10.0.0.0/24", **self.vlan())
        guest, doomed, other = (self.boot(host, network) for host in (self.wired, self.both, self.both))
        for each in (doomed, other):
            self.expect((guest, each))
            self.assertTrue(self.tracked(self.wired, each))
        self.delete("port", doomed.id)
        self.wait_for("the end of its connections", lambda: not self.tracked(self.wired, doomed), 1.0)
        self.assertTrue(self.tracked(self.wired, other))

    def tracked(self, host: Host, guest: Guest) -> list[str]:
        """Return the connections with a VM that a host tracks."""
        lines = host.ovs.appctl("dpctl/dump-conntrack").splitlines()
        return [line for line in lines if f"src={guest.ip}," in line or f"dst={guest.ip}," in line]


class RoutedTests(SegmentCase):
    """A network whose segments have subnets of their own."""

    @pytest.mark.time_limit(240)
    def test_ports_have_addresses_of_the_segment_that_their_host_is_on(self) -> None:
        """Given when they are bound; neighbours of a segment meet, and leases lead to the other by the gateway."""
        network = self.make_network(segments=[self.vlan(), self.tunnel()])
        wanted = {each["network_type"]: each["id"] for each in self.segments_of(network)}
        for number, kind in enumerate(("vlan", "vxlan"), start=1):
            body = {"network_id": network["id"], "segment_id": wanted[kind], "ip_version": 4}
            self.appliance.create("subnet", cidr=f"10.{number}.0.0/24", **body)
        one, two, three, four = (self.bound_later(host, network) for host in (self.wired, *self.hosts[2:], self.wired))
        self.assertEqual([guest.ip[:5] for guest in (one, two, three, four)], ["10.1.", "10.2.", "10.2.", "10.1."])
        for guest, other, route in ((one, four, "10.2.0.0/24"), (two, three, "10.1.0.0/24")):
            lease = udhcpc(guest.vm, self.directory)
            self.assertEqual((lease.ip_address, lease.mtu_bytes), (guest.ip, 1450))
            self.assertIn((route, f"{guest.ip[:5]}0.1"), lease.routes)
            guest.configure()
            other.configure()
            self.expect((guest, other))

    def segments_of(self, network: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the segments of a network."""
        answer = self.appliance.request("GET", f"/v2.0/segments?network_id={network['id']}")
        found: list[dict[str, Any]] = answer.body["segments"]
        return found

    def bound_later(self, host: Host, network: Mapping[str, Any]) -> Guest:
        """Create a port, bind it to a host, and plug a VM there."""
        port = self.appliance.create("port", network_id=network["id"])
        self.assertEqual((port["fixed_ips"], port["ip_allocation"]), ([], "deferred"))
        port = self.update("port", port["id"], **{"binding:host_id": host.name})
        guest = Guest(port, host.ovs.make_vm(port["id"], port["mac_address"]))
        host.ovs.plug(guest.vm)
        self.appliance.await_status(guest.id)
        return guest
