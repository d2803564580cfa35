"""Networks between hosts: real packets in real tunnels between real switches. Needs root."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS
from scapy.layers.l2 import ARP, GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

from tests.bed.cluster import UNDERLAY_BRIDGE, Host
from tests.bed.dhcp_client import udhcpc
from tests.bed.host import Guest
from tests.bed.load import EchoStream
from tests.bed.openvswitch import run
from tests.bed.roles import RolesCase
from tests.bed.wire import Wire

_FIRST_ID = 5000


class TunnelCase(RolesCase):
    """Hosts on one cable, by whose addresses their tunnels find each other."""

    host_names = ("host-a", "host-b", "host-c")
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
        provider = {"provider:network_type": network_type, "provider:segmentation_id": self.used_ids[-1]}
        return self.make_network("10.0.0.0/24", *more, **provider)

    def underlay(self, host: Host) -> Wire:
        """Listen to what arrives at a host from others."""
        return Wire(host.ovs.namespace, f"ul{self.hosts.index(host)}")

    def settle(self, guest: Guest, other: Guest) -> None:
        """Wait until two VMs reach each other."""
        self.assertTrue(guest.can_reach(other.ip, tries=25))


class PacketTests(TunnelCase):
    """VMs on different hosts."""

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

    def test_vxlan(self) -> None:
        """50 bytes smaller."""
        self.lease_and_ping("vxlan", 1450)

    def test_gre(self) -> None:
        """42 bytes smaller."""
        self.lease_and_ping("gre", 1458)

    def test_geneve(self) -> None:
        """50 bytes smaller, and 8 for options."""
        self.lease_and_ping("geneve", 1442)
