"""What VMs make of router advertisements: the kernel's own address configuration."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from scapy.layers.inet6 import ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo, ICMPv6NDOptRDNSS

from tests.bed.advertisements import solicited
from tests.bed.host import Guest
from tests.bed.routed import RouterCase


class AdvertisementTests(RouterCase):
    """On the links of a router."""

    def make_v6_network(self, cidr: str, mode: str | None) -> dict[str, Any]:
        """Create a network with a subnet that has this mode."""
        network = self.appliance.create("network")
        modes = {"ipv6_ra_mode": mode, "ipv6_address_mode": mode} if mode is not None else {}
        self.appliance.create("subnet", network_id=network["id"], cidr=cidr, ip_version=6, **modes)
        return network

    def plain(self, network: Mapping[str, Any]) -> Guest:
        """Create a port and plug a VM that nothing is set in by hand."""
        guest = self.make_guest(network, port_security_enabled=False)
        self.plug(guest)
        return guest

    def test_a_vm_makes_itself_the_address_of_its_port_and_reaches_another_network(self) -> None:
        """SLAAC: address, default route, and the way there and back."""
        red, blue = self.make_v6_network("fd00:1::/64", "slaac"), self.make_v6_network("fd00:2::/64", "slaac")
        one = self.plain(red)
        self.make_router(red, blue)
        two = self.plain(blue)
        for guest in (one, two):
            self.wait_for("it has its address", lambda guest=guest: guest.ip in guest.vm.run("ip", "address"))  # type: ignore[misc]
        self.assertTrue(one.can_reach(two.ip))
        self.assertIn("default via fe80::", one.vm.run("ip", "-6", "route"))

    def test_a_removed_interface_is_no_default_route_any_more(self) -> None:
        """VMs are told at once, not left to wait for half an hour."""
        network = self.make_v6_network("fd00:1::/64", "slaac")
        router = self.make_router(network)
        guest = self.plain(network)
        self.wait_for("there is a default route", lambda: "default" in guest.vm.run("ip", "-6", "route"))
        (subnet,) = self.subnets_of(network)
        self.change_interface(router, "remove", subnet_id=subnet["id"])
        self.wait_for("there is none", lambda: "default" not in guest.vm.run("ip", "-6", "route"), 2.0)

    def test_what_each_mode_says(self) -> None:
        """Whether hosts make addresses, and whether they ask for the address or for the rest."""
        expected = {"slaac": (0, 0, 1), "dhcpv6-stateless": (0, 1, 1), "dhcpv6-stateful": (1, 0, 0)}
        # Who says nothing of addresses has them from elsewhere, and is told the same.
        for (mode, flags), given in itertools.product(expected.items(), (True, False)):
            modes = {"ipv6_ra_mode": mode, **({"ipv6_address_mode": mode} if given else {})}
            network = self.make_network("fd00:1::/64", subnet={**modes, "dns_nameservers": ["fd00::53"]})
            self.make_router(network)
            said = solicited(self.plain(network))
            prefix = said[ICMPv6NDOptPrefixInfo]
            self.assertEqual((modes, said.M, said.O, prefix.A), (modes, *flags))
            self.assertEqual((prefix.prefix, prefix.prefixlen, prefix.L), ("fd00:1::", 64, 1))
            self.assertEqual(said[ICMPv6NDOptMTU].mtu, network["mtu"])
            self.assertEqual(said[ICMPv6NDOptRDNSS].dns, ["fd00::53"])
            self.assertEqual((said.chlim, said.routerlifetime), (64, 1800))

    def test_a_subnet_without_a_mode_is_not_advertised(self) -> None:
        """Who gives no mode has a router of his own, or wants none."""
        network = self.make_v6_network("fd00:1::/64", None)
        self.make_router(network)
        guest = self.plain(network)
        self.assertIsNone(solicited(guest, 2.0))

    def test_a_restart_says_nothing_wrong(self) -> None:
        """What VMs have stays, and who asks is answered again."""
        network = self.make_v6_network("fd00:1::/64", "slaac")
        self.make_router(network)
        guest = self.plain(network)
        self.wait_for("it has its address", lambda: guest.ip in guest.vm.run("ip", "address"))
        self.appliance.restart("/readyz")
        self.assertIn("default", guest.vm.run("ip", "-6", "route"))
        self.assertEqual(solicited(guest).routerlifetime, 1800)
