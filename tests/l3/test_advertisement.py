"""Router advertisements, read by somebody else's decoder."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRDNSS,
    ICMPv6NDOptSrcLLAddr,
)
from twisted.trial.unittest import SynchronousTestCase

from quantumd.l3.advertisement import LIFETIME_SECONDS, advertisement
from quantumd.model.router_records import AdvertisedPrefix, RouterLink

MAC = "fa:16:3e:00:00:01"


def link(*advertised: AdvertisedPrefix, mtu_bytes: int = 1450) -> RouterLink:
    """Return a link on which this is advertised."""
    return RouterLink("p", "n", MAC, mtu_bytes, ("fd00::1/64",), advertised)


class AdvertisementTests(SynchronousTestCase):
    """What hosts are told."""

    def read(self, said: RouterLink, lifetime_seconds: int = LIFETIME_SECONDS) -> ICMPv6ND_RA:
        """Return the advertisement as scapy reads it."""
        return ICMPv6ND_RA(advertisement(said, lifetime_seconds))

    def test_the_router_and_the_link(self) -> None:
        """Its MAC, its lifetime, and how large packets may be."""
        found = self.read(link(AdvertisedPrefix("fd00::/64", "slaac"), mtu_bytes=1280))
        self.assertEqual((found.type, found.chlim, found.routerlifetime), (134, 64, LIFETIME_SECONDS))
        self.assertEqual(found[ICMPv6NDOptSrcLLAddr].lladdr, MAC)
        self.assertEqual(found[ICMPv6NDOptMTU].mtu, 1280)

    def test_what_each_mode_asks_of_hosts(self) -> None:
        """Managed, other, autonomous."""
        expected = {"slaac": (0, 0, 1), "dhcpv6-stateless": (0, 1, 1), "dhcpv6-stateful": (1, 0, 0)}
        for mode, flags in expected.items():
            found = self.read(link(AdvertisedPrefix("fd00::/64", mode)))
            self.assertEqual((mode, found.M, found.O, found[ICMPv6NDOptPrefixInfo].A), (mode, *flags))

    def test_prefixes_of_different_modes_each_say_for_themselves(self) -> None:
        """The flags of the link are those that any of them needs."""
        managed = AdvertisedPrefix("fd00:2::/64", "dhcpv6-stateful")
        found = self.read(link(AdvertisedPrefix("fd00:1::/64", "slaac"), managed))
        prefixes: list[Any] = [found.getlayer(ICMPv6NDOptPrefixInfo, number) for number in (1, 2)]
        self.assertEqual([(each.prefix, each.A) for each in prefixes], [("fd00:1::", 1), ("fd00:2::", 0)])
        self.assertEqual((found.M, found.O), (1, 0))

    def test_name_servers_are_told_once(self) -> None:
        """However many subnets name them."""
        servers = ("fd00::53", "fd00::54")
        some = (AdvertisedPrefix(f"fd00:{number}::/64", "slaac", servers) for number in (1, 2))
        self.assertEqual(self.read(link(*some))[ICMPv6NDOptRDNSS].dns, list(servers))
        self.assertNotIn(ICMPv6NDOptRDNSS, self.read(link(AdvertisedPrefix("fd00::/64", "slaac"))))

    def test_a_router_that_goes_has_no_lifetime(self) -> None:
        """Nor have its name servers."""
        found = self.read(link(AdvertisedPrefix("fd00::/64", "slaac", ("fd00::53",))), 0)
        self.assertEqual((found.routerlifetime, found[ICMPv6NDOptRDNSS].lifetime), (0, 0))
