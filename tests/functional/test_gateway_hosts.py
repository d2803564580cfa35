"""Routers on a host of their own: VMs are elsewhere, and reach the router through a tunnel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.bed.host import Guest
from tests.bed.roles import RolesCase
from tests.bed.routed import Routing
from tests.bed.talk import Server, Talk


class TunnelledCase(Routing, RolesCase):
    """VMs run on host-a, and the outside is on a cable between the hosts."""

    host_names = ("host-a", "host-b")
    settings: ClassVar[Mapping[str, str]] = {"l2.bridge_mappings": '["physnet1:br-ex"]'}
    tunnels: ClassVar[Mapping[str, str]] = {"host-a": "172.30.0.1", "host-b": "172.30.0.2"}

    @classmethod
    def prepare_switch(cls) -> None:
        """One cable for tunnels, and one for the outside."""
        cls.cluster.wire()
        cls.cluster.lay_underlay()

    def plugged(self, network: Mapping[str, Any], **attributes: Any) -> Guest:
        """Create a port on host-a, plug a VM for it, and set its first address by hand."""
        port = self.appliance.create("port", network_id=network["id"], **{"binding:host_id": "host-a"}, **attributes)
        guest = Guest(port, self.hosts[0].ovs.make_vm(port["id"], port["mac_address"]))
        self.hosts[0].ovs.plug(guest.vm)
        self.appliance.await_status(guest.id)
        guest.configure(24)
        guest.vm.run("ip", "link", "set", "eth0", "mtu", str(network["mtu"]))
        return guest

    def tunnelled(self, cidr: str, number: int) -> dict[str, Any]:
        """Create a network that hosts carry in tunnels."""
        provider: dict[str, Any] = {"provider:network_type": "vxlan", "provider:segmentation_id": number}
        return self.make_network(cidr, **provider)


class GatewayHostTests(TunnelledCase):
    """host-b carries routers."""

    gateways = ("host-b",)

    def test_vms_reach_the_outside_and_are_reached_through_the_gateway_host(self) -> None:
        """Between two tunnelled networks, out by the gateway, and in by a floating IP."""
        red, blue = self.tunnelled("10.0.0.0/24", 5001), self.tunnelled("10.0.1.0/24", 5002)
        outside = self.make_outside(**{"provider:network_type": "flat", "provider:physical_network": "physnet1"})
        router = self.make_router(red, blue, outside=outside)
        self.wait_for("it is ACTIVE", lambda: self.appliance.show("router", router["id"])["status"] == "ACTIVE")
        one, two, world = self.open_guest(red), self.open_guest(blue), self.open_guest(outside)
        self.assertTrue(one.can_reach(two.ip))
        floating = str(self.make_floating(outside, one)["floating_ip_address"])
        with Server(world), Server(one):
            with Talk(two, world.ip) as talk:
                own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
                self.assertEqual(talk.seen_as(), own)
            with Talk(world, floating) as talk:
                self.assertEqual(talk.seen_as(), world.ip)
        kinds = {(each["agent_type"], each["host"]) for each in self.agents()}
        self.assertIn(("L3 agent", "host-b"), kinds)
        self.assertNotIn(("L3 agent", "host-a"), kinds)


class MovedRouterTests(TunnelledCase):
    """Either host carries routers, and operators move them."""

    gateways = host_names = ("host-a", "host-b")

    def test_a_router_is_moved_with_all_that_hangs_on_it(self) -> None:
        """By quantumctl, while API processes run: its floating IP is reached again, and the old host keeps nothing."""
        red = self.tunnelled("10.0.0.0/24", 5001)
        outside = self.make_outside(**{"provider:network_type": "flat", "provider:physical_network": "physnet1"})
        router = self.make_router(red, outside=outside)
        guest, world = self.open_guest(red), self.open_guest(outside)
        floating = self.make_floating(outside, guest)
        address = str(floating["floating_ip_address"])
        self.await_floating(floating, "ACTIVE")
        for _ in range(2):
            here = self.carrier_of(router)
            (there,) = {"host-a", "host-b"} - {here}
            self.assertTrue(world.can_reach(address))
            self.assertEqual(self.ctl("router", "evacuate", here), f"router {router['id']}: {here} -> {there}\n")
            self.await_floating(floating, "ACTIVE")
            self.assertEqual(self.carrier_of(router), there)
            self.assertEqual(self.appliance.show("router", router["id"])["status"], "ACTIVE")
            self.assertTrue(world.can_reach(address))
            self.assertTrue(guest.can_reach(world.ip))
        self.assertEqual(self.ctl("router", "move", router["id"], here), f"router {router['id']}: {there} -> {here}\n")
        self.await_floating(floating, "ACTIVE")
        self.assertTrue(world.can_reach(address))

    def carrier_of(self, router: Mapping[str, Any]) -> str:
        """Return the host that carries a router."""
        (agent,) = self.appliance.request("GET", f"/v2.0/routers/{router['id']}/l3-agents").body["agents"]
        return str(agent["host"])

    def ctl(self, *words: str) -> str:
        """Run quantumctl beside the API process; return what it prints."""
        program = str(Path(sys.executable).with_name("quantumctl"))
        command = [program, *self.appliance.options(), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
