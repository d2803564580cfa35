"""Routers with real packets: one host, its switch, VMs, and a network that stands for the outside."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.bed.appliance import Appliance
from tests.bed.host import Guest, HostCase
from tests.bed.needs import OVS, missing
from tests.bed.openvswitch import PrivateOvs


class RouterCase(HostCase):
    """Tests on one host that carries routers. quantumd runs where the switch does, as on every real host."""

    skip = missing(*OVS, "ping", "nft", "conntrack")
    settings: ClassVar[Mapping[str, str]] = {"api.preview": "true"}

    @classmethod
    def setUpClass(cls) -> None:
        """Start the switch and quantumd."""
        cls.take_directory()
        cls.ovs = PrivateOvs(cls.directory / "ovs")
        cls.addClassCleanup(cls.ovs.stop)
        cls.appliance = Appliance(
            cls.directory / "quantumd", cls.ovs.directory, cls.settings, namespace=cls.ovs.namespace
        )
        cls.addClassCleanup(lambda: cls.appliance.close())
        cls.ovs.start()
        cls.prepare_switch()
        cls.appliance.start("/readyz")

    def make_outside(self, cidr: str = "203.0.113.0/24") -> dict[str, Any]:
        """Create an external network."""
        network = self.appliance.create("network", **{"router:external": True})
        self.appliance.create("subnet", network_id=network["id"], cidr=cidr, ip_version=4, enable_dhcp=False)
        return network

    def make_router(self, *networks: Mapping[str, Any], outside: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Create a router that stands in the first subnet of each network."""
        gateway = {"external_gateway_info": {"network_id": outside["id"]}} if outside is not None else {}
        router = self.appliance.create("router", **gateway)
        for network in networks:
            self.add_interface(router, network)
        return router

    def add_interface(self, router: Mapping[str, Any], network: Mapping[str, Any]) -> None:
        """Let a router stand in the first subnet of a network."""
        subnet = self.appliance.request("GET", f"/v2.0/subnets?network_id={network['id']}").body["subnets"][0]
        answer = self.appliance.request(
            "PUT", f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]}
        )
        self.assertEqual(answer.status, 200, answer.body)

    def routed(self, network: Mapping[str, Any], gateway: str, **attributes: Any) -> Guest:
        """Create a port, plug a VM for it, and give it its address and its default gateway."""
        guest = self.plugged(network, **attributes)
        guest.vm.run("ip", "route", "replace", "default", "via", gateway)
        return guest


class PathTests(RouterCase):
    """From network to network, and outside."""

    def test_the_main_path(self) -> None:
        """Two networks, a router, an outside; and a floating IP."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.1.0/24")
        outside = self.make_outside()
        router = self.make_router(red, blue, outside=outside)
        one, two = self.routed(red, "10.0.0.1"), self.routed(blue, "10.0.1.1")
        world = self.plugged(outside, port_security_enabled=False)
        self.assertTrue(one.can_reach("10.0.0.1"))
        rule = {"direction": "ingress", "ethertype": "IPv4", "security_group_id": one.port["security_groups"][0]}
        self.appliance.create("security_group_rule", protocol="icmp", **rule)
        self.assertTrue(one.can_reach(two.ip))
        self.assertTrue(one.can_reach(world.ip))
        floating = self.appliance.create("floatingip", floating_network_id=outside["id"], port_id=two.id)
        self.assertTrue(world.can_reach(floating["floating_ip_address"]))
