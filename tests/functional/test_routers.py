"""Routers with real packets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bed.host import Guest
from tests.bed.openvswitch import run
from tests.bed.routed import RouterCase
from tests.bed.talk import Server, Talk


class PathTests(RouterCase):
    """From network to network."""

    def test_networks_of_one_router_reach_each_other(self) -> None:
        """By IPv4 and TCP, and the addresses stay what they are."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.1.0/24")
        self.make_router(red, blue)
        one, two = self.routed(red), self.open_guest(blue)
        self.assertTrue(one.can_reach("10.0.0.1"))
        self.assertTrue(one.can_reach(two.ip))
        with Server(two), Talk(one, two.ip) as talk:
            self.assertEqual(talk.seen_as(), one.ip)

    def test_ipv6_is_routed_like_ipv4(self) -> None:
        """From one network to the other, on which the router has one port for both versions' subnets."""
        red, blue = self.make_network("fd00:1::/64"), self.make_network("fd00:2::/64")
        self.make_router(red, blue)
        one, two = self.open_guest(red), self.open_guest(blue)
        self.assertTrue(one.can_reach(two.ip))
        with Server(two), Talk(one, two.ip) as talk:
            self.assertEqual(talk.seen_as(), one.ip)

    def test_two_subnets_of_one_network(self) -> None:
        """Both interfaces are in the same network."""
        network = self.make_network("10.0.0.0/24", "10.0.1.0/24")
        self.make_router(network)
        first, second = self.subnets_of(network)
        one = self.open_guest(network, fixed_ips=[{"subnet_id": first["id"]}])
        two = self.open_guest(network, fixed_ips=[{"subnet_id": second["id"]}])
        self.assertTrue(one.can_reach(two.ip))

    def test_security_groups_hold_behind_a_router(self) -> None:
        """Whoever comes through a router is no member of the group for that."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.1.0/24")
        self.make_router(red, blue)
        one = self.routed(red, security_groups=[])
        two = self.routed(blue)
        self.assertFalse(one.can_reach(two.ip, tries=2))
        rule = {"direction": "ingress", "ethertype": "IPv4", "security_group_id": two.port["security_groups"][0]}
        made = self.appliance.create("security_group_rule", protocol="icmp", remote_ip_prefix="10.0.0.0/24", **rule)
        self.assertFalse(one.can_reach(two.ip, tries=2), "a port without a group may send nothing")
        self.update("port", one.id, security_groups=two.port["security_groups"])
        self.assertTrue(one.can_reach(two.ip))
        self.delete("security_group_rule", made["id"])

    def test_a_packet_too_large_for_the_next_network_is_told_so(self) -> None:
        """And the sender sends smaller ones, so TCP goes through."""
        red = self.make_network("10.0.0.0/24", mtu=1500)
        blue = self.make_network("10.0.1.0/24", mtu=1300)
        self.make_router(red, blue)
        one, two = self.open_guest(red), self.open_guest(blue)
        two.vm.run("ip", "link", "set", "eth0", "mtu", "1300")
        self.assertTrue(one.can_reach(two.ip))
        told = one.vm.run("sh", "-c", f"ping -n -c1 -W2 -M do -s 1400 {two.ip} || true")
        self.assertIn(
            "Frag needed", told.replace("frag needed", "Frag needed").replace("Message too long", "Frag needed")
        )
        self.assertIn("mtu 1300", one.vm.run("ip", "route", "get", two.ip))

    def test_extra_routes_lead_to_what_is_behind_a_vm(self) -> None:
        """Until they are taken away."""
        red, blue, far = (self.make_network(f"10.0.{number}.0/24") for number in range(3))
        router = self.make_router(red, blue)
        one, between, behind = self.open_guest(red), self.open_guest(blue), self.open_guest(far)
        self._join(between, behind)
        self.assertFalse(one.can_reach(behind.ip, tries=1))
        self.update("router", router["id"], routes=[{"destination": "10.0.2.0/24", "nexthop": between.ip}])
        self.assertTrue(one.can_reach(behind.ip))
        self.update("router", router["id"], routes=[])
        self.wait_for("the route is gone", lambda: not one.can_reach(behind.ip, tries=1))

    def _join(self, between: Guest, behind: Guest) -> None:
        """Let a VM route to what stands for a network behind it: an address on its loopback."""
        between.vm.run("ip", "address", "add", f"{behind.ip}/32", "dev", "lo")

    def test_a_disabled_router_carries_nothing(self) -> None:
        """And everything again when it is enabled."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.1.0/24")
        router = self.make_router(red, blue)
        one, two = self.open_guest(red), self.open_guest(blue)
        self.assertTrue(one.can_reach(two.ip))
        self.assertEqual(self.appliance.show("router", router["id"])["status"], "ACTIVE")
        self.update("router", router["id"], admin_state_up=False)
        self.wait_for("nothing passes", lambda: not one.can_reach(two.ip, tries=1))
        self.update("router", router["id"], admin_state_up=True)
        self.assertTrue(one.can_reach(two.ip))

    def test_a_removed_interface_leads_nowhere(self) -> None:
        """Its device is gone, and the others stay."""
        red, blue = self.make_network("10.0.0.0/24"), self.make_network("10.0.1.0/24")
        router = self.make_router(red, blue)
        one, two = self.open_guest(red), self.open_guest(blue)
        self.assertTrue(one.can_reach(two.ip))
        (subnet,) = self.subnets_of(blue)
        self.change_interface(router, "remove", subnet_id=subnet["id"])
        self.wait_for("nothing passes", lambda: not one.can_reach(two.ip, tries=1))
        self.assertTrue(one.can_reach("10.0.0.1"))
        self.assertNotIn("10.0.1.1", self.inside_router(router, "ip", "address"))

    def test_a_deleted_router_leaves_nothing(self) -> None:
        """No namespace, no device, no port of the switch."""
        network = self.make_network("10.0.0.0/24")
        router = self.make_router(network)
        one = self.open_guest(network)
        self.assertTrue(one.can_reach("10.0.0.1"))
        self._remove_routers()
        self._routers.clear()
        self.assertNotIn(router["id"], run("ip", "netns"))
        self.assertEqual(self.ovs.vsctl("list-ports", "br-int").split(), [one.vm.tap])
        self.assertFalse(one.can_reach("10.0.0.1", tries=1))


class NarrowTests(RouterCase):
    """Subnets with room for one address, or two (RFC 3021, RFC 6164): inside, and as the link outside."""

    def make_narrow(self, cidr: str, **attributes: Any) -> dict[str, Any]:
        """Create a network with such a subnet, on which there is no room for DHCP."""
        return self.make_network(cidr, subnet={"enable_dhcp": False, **attributes})

    def narrow_guest(self, network: Mapping[str, Any], gateway: str) -> Guest:
        """Create a VM in a subnet; its default route is by an address of the link."""
        guest = self.make_guest(network, port_security_enabled=False)
        self.plug(guest)
        (subnet,) = self.subnets_of(network)
        guest.configure(int(subnet["cidr"].partition("/")[2]))
        guest.vm.run("ip", "route", "replace", "default", "via", gateway, "dev", "eth0", "onlink")
        return guest

    def test_two_addresses(self) -> None:
        """The router has one, a VM the other, and there is no broadcast address."""
        for wide, narrow, own in (
            ("10.0.0.0/24", "10.9.0.0/31", "10.9.0.0"),
            ("fd00:1::/64", "fd00:9::/127", "fd00:9::"),
        ):
            inside, between = self.make_network(wide), self.make_narrow(narrow, gateway_ip=own)
            self.make_router(inside, between)
            one, two = self.open_guest(inside), self.narrow_guest(between, own)
            self.assertTrue(one.can_reach(two.ip), narrow)
            with Server(two), Talk(one, two.ip) as talk:
                self.assertEqual(talk.seen_as(), one.ip)

    def test_one_address(self) -> None:
        """It is the router's own, and is reached from another network."""
        inside, alone = self.make_network("10.0.0.0/24"), self.make_narrow("10.9.0.1/32", gateway_ip="10.9.0.1")
        router = self.make_router(inside, alone)
        one = self.open_guest(inside)
        self.assertTrue(one.can_reach("10.9.0.1"))
        self.assertIn("10.9.0.1/32", self.inside_router(router, "ip", "address"))

    def test_the_link_outside(self) -> None:
        """Of two addresses, or of one with a next hop that is not of the subnet; what leaves is translated as ever."""
        for cidr, gateway, world_address in (
            ("203.0.113.0/31", "203.0.113.0", "203.0.113.0/31"),
            ("203.0.113.9/32", "198.51.100.1", "198.51.100.1/24"),
        ):
            inside, outside = self.make_network("10.0.0.0/24"), self.make_outside(cidr, gateway_ip=gateway)
            router = self.make_router(inside, outside=outside)
            own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
            world = self.world_at(outside, world_address)
            world.vm.run("ip", "route", "replace", f"{own}/32", "dev", "eth0")
            guest = self.open_guest(inside)
            with Server(world), Talk(guest, gateway) as talk:
                self.assertEqual(talk.seen_as(), own, cidr)

    def world_at(self, outside: Mapping[str, Any], address: str) -> Guest:
        """Create who is at the next hop, which no port has."""
        world = self.make_guest(outside, port_security_enabled=False, fixed_ips=[])
        self.plug(world)
        world.vm.run("ip", "address", "add", address, "dev", "eth0")
        return world
