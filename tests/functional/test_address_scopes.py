"""Address scopes and routers, with real packets: in one scope nothing is translated, the rest passes by that alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bed.host import Guest
from tests.bed.routed import RouterCase
from tests.bed.talk import Server, Talk


class ScopeCase(RouterCase):
    """Makes scopes, pools in them, and networks of those."""

    def setUp(self) -> None:
        """Two scopes of IPv4, and a pool in each."""
        super().setUp()
        scopes = [self.appliance.create("address_scope", name=name, ip_version=4)["id"] for name in ("one", "two")]
        self.scopes = scopes
        self.pools = [
            self.pool(scope, prefix) for scope, prefix in zip(scopes, ("10.0.0.0/16", "10.1.0.0/16"), strict=True)
        ]
        self.outside = self.of_pool(self.pool(scopes[0], "203.0.113.0/24"), 24, **{"router:external": True})

    def pool(self, scope: str | None, prefix: str) -> str:
        """Make a pool."""
        made = {"prefixes": [prefix], "default_prefixlen": 24, "address_scope_id": scope}
        return str(self.appliance.create("subnetpool", name="pool", **made)["id"])

    def of_pool(self, pool: str, length: int = 24, version: int = 4, **attributes: Any) -> dict[str, Any]:
        """Make a network with a subnet of a pool."""
        network = self.appliance.create("network", **attributes)
        wanted = {"subnetpool_id": pool, "ip_version": version, "prefixlen": length}
        self.appliance.create("subnet", network_id=network["id"], **wanted)
        return network

    def know_the_way(self, world: Guest, router: Mapping[str, Any], *prefixes: str) -> None:
        """Let the world send what is for prefixes inside to the router."""
        own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        for prefix in prefixes:
            world.vm.run("ip", "route", "replace", prefix, "via", own)

    def is_silent(self, client: Guest, address: str) -> bool:
        """Whether nothing comes back from an address."""
        return not client.can_reach(address, tries=2)


class ScopeTests(ScopeCase):
    """Two networks of the first scope, one of the second and one of none; outside is in the first."""

    def setUp(self) -> None:
        """Make them, a router in all, and a VM in each."""
        super().setUp()
        self.networks = [self.of_pool(self.pools[0]), self.of_pool(self.pools[0]), self.of_pool(self.pools[1])]
        self.networks.append(self.make_network("10.2.0.0/24"))
        self.router = self.make_router(*self.networks, outside=self.outside)
        self.own = self.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        self.red, self.pink, self.blue, self.grey = (self.open_guest(each) for each in self.networks)
        self.out = self.open_guest(self.outside)
        self.know_the_way(self.out, self.router, "10.0.0.0/14")

    def test_what_leaves_in_its_own_scope_is_not_translated(self) -> None:
        """All else is."""
        with Server(self.out):
            for guest, seen_as in ((self.red, self.red.ip), (self.blue, self.own), (self.grey, self.own)):
                with Talk(guest, self.out.ip) as talk:
                    self.assertEqual(talk.seen_as(), seen_as)

    def test_who_reaches_whom_untranslated(self) -> None:
        """Who is in the same scope, in both directions, from outside too; and nobody else."""
        self.assertTrue(self.red.can_reach(self.pink.ip))
        self.assertTrue(self.out.can_reach(self.pink.ip))
        for client, server in (
            (self.red, self.blue), (self.blue, self.red), (self.grey, self.red), (self.blue, self.grey),
            (self.out, self.blue), (self.out, self.grey),
        ):  # fmt: skip
            self.assertTrue(self.is_silent(client, server.ip), (client.ip, server.ip))

    def test_floating_ips_cross_scopes(self) -> None:
        """From outside and from inside, and outwards also where nothing else is translated."""
        address = self.make_floating(self.outside, self.blue)["floating_ip_address"]
        with Server(self.blue), Server(self.out):
            for client in (self.out, self.red):
                with Talk(client, address) as talk:
                    self.assertTrue(talk.seen_as())
            with Talk(self.blue, self.out.ip) as talk:
                self.assertEqual(talk.seen_as(), address)
            gateway = {"network_id": self.outside["id"], "enable_snat": False}
            self.update("router", self.router["id"], external_gateway_info=gateway)
            self.wait_for("nobody is translated", lambda: self.is_silent(self.grey, self.out.ip))
            with Talk(self.blue, self.out.ip) as talk:
                self.assertEqual(talk.seen_as(), address)
            with Talk(self.red, self.out.ip) as talk:
                self.assertEqual(talk.seen_as(), self.red.ip)

    def test_a_pool_goes_into_another_scope(self) -> None:
        """The router hears of it: who was apart is together, and the other way round."""
        self.assertTrue(self.is_silent(self.blue, self.grey.ip))
        self.update("subnetpool", self.pools[1], address_scope_id=None)
        self.wait_for("they are together", lambda: self.blue.can_reach(self.grey.ip, tries=1))
        self.update("subnetpool", self.pools[1], address_scope_id=self.scopes[0])
        self.wait_for("they are apart", lambda: not self.blue.can_reach(self.grey.ip, tries=1))
        self.wait_for("they are together", lambda: self.blue.can_reach(self.red.ip, tries=1))

    def test_a_restart_changes_nothing(self) -> None:
        """Filters are the same ones afterwards."""
        before = self.inside_router(self.router, "nft", "-a", "list", "ruleset")
        self.appliance.restart("/readyz")
        self.assertTrue(self.red.can_reach(self.pink.ip))
        self.assertTrue(self.is_silent(self.red, self.blue.ip))
        self.assertEqual(self.inside_router(self.router, "nft", "-a", "list", "ruleset"), before)


class Ipv6Tests(ScopeCase):
    """Of IPv6 nothing is translated: who is apart stays apart."""

    def test_who_reaches_whom(self) -> None:
        """Inside and outside; IPv4 beside it has scopes of its own, here none."""
        scope = self.appliance.create("address_scope", name="six", ip_version=6)["id"]
        pools = [
            self.appliance.create(
                "subnetpool", name=name, prefixes=[prefix], default_prefixlen=64, address_scope_id=of
            )["id"]
            for name, prefix, of in (("in", "fd00:1::/48", scope), ("out", "fd00:2::/48", None))
        ]
        networks = [
            self.make_network("10.5.0.0/24"),
            self.make_network("10.6.0.0/24"),
            self.make_network("10.7.0.0/24"),
        ]
        for network, pool in zip(networks, (pools[0], pools[0], pools[1]), strict=True):
            wanted = {"subnetpool_id": pool, "ip_version": 6, "prefixlen": 64}
            self.appliance.create("subnet", network_id=network["id"], **wanted)
        self.make_router(*networks)
        red, pink, blue = (self.both(each) for each in networks)
        self.assertTrue(red.can_reach(_address(pink, ":")))
        self.assertTrue(self.is_silent(red, _address(blue, ":")))
        self.assertTrue(self.is_silent(blue, _address(pink, ":")))
        self.assertTrue(red.can_reach(_address(blue, ".")))

    def both(self, network: Mapping[str, Any]) -> Guest:
        """Create a VM with addresses and default routes of both versions."""
        guest = self.plugged(network, port_security_enabled=False)
        for fixed_ip in guest.port["fixed_ips"]:
            guest.configure(64 if ":" in fixed_ip["ip_address"] else 24, fixed_ip["ip_address"])
        for subnet in self.subnets_of(network):
            guest.vm.run("ip", f"-{subnet['ip_version']}", "route", "replace", "default", "via", subnet["gateway_ip"])
        return guest


def _address(guest: Guest, mark: str) -> str:
    """Return the address of the version whose addresses have this mark in them."""
    return next(str(each["ip_address"]) for each in guest.port["fixed_ips"] if mark in each["ip_address"])
