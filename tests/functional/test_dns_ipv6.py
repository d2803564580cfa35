"""DNS over IPv6: DHCPv6 or the router tells of the server, which answers at an address of the subnet."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet6 import ICMPv6NDOptRDNSS

from tests.bed.advertisements import solicited
from tests.bed.dns_case import DOMAIN, DnsCase


class Ipv6Tests(DnsCase):
    """A network of both IP versions."""

    def test_it_answers(self) -> None:
        """By UDP and TCP, with AAAA and PTR, and apart from a network with the same addresses."""
        guests = []
        for name in ("red", "blue"):
            network = self.make_network("10.0.0.0/24")
            modes = {"ip_version": 6, "ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"}
            self.appliance.create("subnet", network_id=network["id"], cidr="fd00:1::/64", **modes)
            ips = [{"ip_address": "10.0.0.5"}, {"ip_address": "fd00:1::5"}]
            guest = self.make_guest(network, fixed_ips=ips, dns_name=name)
            self.plug(guest)
            guest.configure()
            guest.vm.run("ip", "address", "add", "fd00:1::5/64", "dev", "eth0", "nodad")
            guests.append((name, guest))
        (port,) = self.dhcp_ports(network)
        (server,) = (ip["ip_address"] for ip in port["fixed_ips"] if ":" in ip["ip_address"])
        for name, guest in guests:
            self.wait_for("it is answered", lambda guest=guest, name=name: self.dig(guest, name, server=server) != "")  # type: ignore[misc]
            for way in ("+notcp", "+tcp"):
                self.assertEqual(self.dig(guest, way, name, server=server), "10.0.0.5")
                self.assertEqual(self.dig(guest, way, "AAAA", name, server=server), "fd00:1::5")
                self.assertEqual(self.dig(guest, way, "-x", "fd00:1::5", server=server), f"{name}.{DOMAIN}.")
                self.assertEqual(len(self.dig(guest, way, "a.big", server=server).split()), 100)


class AdvertisedTests(DnsCase):
    """A network of IPv6 alone, whose VMs take their addresses from advertisements."""

    def test_the_router_tells_of_it(self) -> None:
        """A VM without DHCPv6 asks the server that advertisements name."""
        network = self.appliance.create("network")
        modes: dict[str, Any] = dict.fromkeys(("ipv6_ra_mode", "ipv6_address_mode"), "dhcpv6-stateless")
        subnet = self.appliance.create("subnet", network_id=network["id"], cidr="fd00:1::/64", ip_version=6, **modes)
        self.make_router(network)
        guest = self.make_guest(network, dns_name="web")
        self.plug(guest)
        self.wait_for("it has its address", lambda: guest.ip in guest.vm.run("ip", "address"))
        (server,) = solicited(guest)[ICMPv6NDOptRDNSS].dns
        self.assertEqual(server, self.server_of(network))
        self.wait_for("it is answered", lambda: self.dig(guest, "AAAA", f"web.{DOMAIN}", server=server) == guest.ip)
        self.update("subnet", subnet["id"], dns_nameservers=["fd00::53"])
        self.wait_for("the named one is told", lambda: solicited(guest)[ICMPv6NDOptRDNSS].dns == ["fd00::53"])
        self.update("subnet", subnet["id"], dns_nameservers=["::"])
        self.wait_for("none is told", lambda: ICMPv6NDOptRDNSS not in solicited(guest))
