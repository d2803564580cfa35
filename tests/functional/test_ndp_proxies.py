"""Who is inside and is answered for on the link of a router's gateway, with real packets."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.bed.figures import note
from tests.bed.host import Guest
from tests.bed.routed import RouterCase
from tests.bed.talk import Server, Talk

SOON_SECONDS = 3.0
REPAIR_SECONDS = 5.0


class ProxyHost(RouterCase):
    """Two VMs behind a router, and the world, whose link has a prefix of its own; all are in one address scope."""

    def setUp(self) -> None:
        """Make them; the router answers for nobody yet."""
        super().setUp()
        scope = self.appliance.create("address_scope", name="world", ip_version=6)["id"]
        pool = {"address_scope_id": scope, "prefixes": ["2001:db8::/48"], "default_prefixlen": 64}
        self.pool = self.appliance.create("subnetpool", name="all", **pool)["id"]
        self.network = self.make_network()
        self.outside = self.appliance.create("network", **{"router:external": True})
        self.prefix = self.pooled(self.network)
        self.pooled(self.outside)
        self.router = self.make_router(self.network, outside=self.outside, enable_ndp_proxy=True)
        self.guest, self.other = self.open_guest(self.network), self.open_guest(self.network)
        self.world = self.plugged(self.outside, port_security_enabled=False)
        # To whoever is outside all of it is on the link.
        self.world.vm.run("ip", "route", "replace", self.prefix, "dev", "eth0")
        self.addCleanup(self._remove_proxies)

    def pooled(self, network: Mapping[str, Any]) -> str:
        """Make a subnet of the pool and return its prefix."""
        made = self.appliance.create("subnet", network_id=network["id"], ip_version=6, subnetpool_id=self.pool)
        return str(made["cidr"])

    def proxy(self, guest: Guest) -> str:
        """Have the router answer for a VM, and wait until it is reached; return the proxy's id."""
        body = {"ndp_proxy": {"router_id": self.router["id"], "port_id": guest.id}}
        began = time.monotonic()
        answer = self.appliance.request("POST", "/v2.0/ndp_proxies", body)
        self.assertEqual(answer.status, 201, answer.body)
        self.wait_for("the VM is reached", lambda: self.is_reached(guest), SOON_SECONDS)
        note(f"NDP proxy → ping: {(time.monotonic() - began) * 1000:.0f} ms")
        return str(answer.body["ndp_proxy"]["id"])

    def remove_proxy(self, proxy_id: str) -> None:
        """Delete a proxy."""
        answer = self.appliance.request("DELETE", f"/v2.0/ndp_proxies/{proxy_id}")
        self.assertEqual(answer.status, 204, answer.body)

    def is_reached(self, guest: Guest) -> bool:
        """Whether the world, which remembers nobody, reaches a VM with one ping."""
        self.world.vm.run("ip", "-6", "neigh", "flush", "dev", "eth0")
        return self.world.can_reach(guest.ip, tries=1)

    def answered(self) -> str:
        """Return for whom the kernel answers."""
        return self.inside_router(self.router, "ip", "-6", "neigh", "show", "proxy")

    def _remove_proxies(self) -> None:
        for each in self.appliance.request("GET", "/v2.0/ndp_proxies").body["ndp_proxies"]:
            self.remove_proxy(each["id"])


class PacketTests(ProxyHost):
    """Who reaches whom."""

    def test_only_who_is_answered_for_is_reached(self) -> None:
        """Also not by who has learnt where the others are; no longer when the proxy is gone."""
        self.assertFalse(self.is_reached(self.guest))
        made = self.proxy(self.guest)
        self.assertTrue(self.guest.can_reach(self.world.ip))
        with Server(self.guest), Talk(self.world, self.guest.ip) as talk:
            self.assertEqual(talk.seen_as(), self.world.ip)
        gateway = self.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        self.assertFalse(self.is_reached(self.other))
        self.world.vm.run("ip", "route", "replace", f"{self.other.ip}/128", "via", gateway)
        self.assertFalse(self.world.can_reach(self.other.ip, tries=3))
        self.assertTrue(self.world.can_reach(self.guest.ip, tries=1))
        self.remove_proxy(made)
        self.wait_for("it is not reached", lambda: not self.world.can_reach(self.guest.ip, tries=1), SOON_SECONDS)
        self.assertNotIn(self.guest.ip, self.answered())

    def test_a_router_that_answers_no_more_lets_in_whom_it_is_told_to(self) -> None:
        """As any router does, whoever knows the way; its proxies are there again with it."""
        self.proxy(self.guest)
        self.update("router", self.router["id"], enable_ndp_proxy=False)
        self.wait_for("nobody answers", lambda: not self.is_reached(self.guest), SOON_SECONDS)
        self.assertEqual(self.answered(), "")
        gateway = self.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
        self.world.vm.run("ip", "route", "replace", self.prefix, "via", gateway)
        self.assertTrue(self.world.can_reach(self.other.ip))
        self.world.vm.run("ip", "route", "replace", self.prefix, "dev", "eth0")
        self.update("router", self.router["id"], enable_ndp_proxy=True)
        self.wait_for("it is reached again", lambda: self.is_reached(self.guest), SOON_SECONDS)

    def test_what_goes_with_the_port(self) -> None:
        """Its proxy, and nobody else's."""
        self.proxy(self.guest)
        self.proxy(self.other)
        self.delete("port", self.guest.id)
        self.wait_for("it is answered for no more", lambda: self.guest.ip not in self.answered(), SOON_SECONDS)
        self.assertTrue(self.is_reached(self.other))


class EndureTests(ProxyHost):
    """Over restarts, and against strangers."""

    def test_a_restart_changes_nothing(self) -> None:
        """Neither when quantumd is killed."""
        self.proxy(self.guest)
        before = self.answered(), self.inside_router(self.router, "nft", "-a", "list", "ruleset")
        for end in (self.appliance.stop, self.appliance.kill):
            end()
            self.assertTrue(self.is_reached(self.guest))
            self.appliance.start("/readyz")
            after = self.answered(), self.inside_router(self.router, "nft", "-a", "list", "ruleset")
            self.assertEqual(after, before)
            self.assertTrue(self.is_reached(self.guest))

    def test_what_strangers_change_is_set_right(self) -> None:
        """An entry that is deleted, of which the kernel tells nobody; the setting; one that they add; the filters."""
        self.proxy(self.guest)
        self.proxy(self.other)
        device = f"qg-{self.gateway_port()[:11]}"
        whole = self.answered()
        for what, command in {
            "an entry deleted": ("ip", "-6", "neigh", "del", "proxy", self.guest.ip, "dev", device),
            "an entry added": ("ip", "-6", "neigh", "add", "proxy", "2001:db8:9::9", "dev", device),
            "the setting": ("sysctl", "-qw", "net.ipv6.conf.all.proxy_ndp=0"),
            "the set": ("nft", "flush", "set", "inet", "quantumd", "proxied"),
        }.items():
            # Nothing is looked at any more because of what was done before.
            time.sleep(1.0)
            self.logged = len(self.appliance.log())
            self.inside_router(self.router, *command)
            self.await_repaired(what)
            self.assertEqual(sorted(self.answered().splitlines()), sorted(whole.splitlines()))

    def await_repaired(self, what: str) -> None:
        """Wait until it was noticed that something is wrong, and the VM is reached again."""
        began = time.monotonic()
        self.wait_for(f"{what}: noticed", lambda: "set right" in self.appliance.log()[self.logged :], REPAIR_SECONDS)
        self.wait_for(f"{what}: reached again", lambda: self.is_reached(self.guest), REPAIR_SECONDS)
        note(f"{what} → reached again: {time.monotonic() - began:.2f} s")

    def gateway_port(self) -> str:
        """Return the id of the router's gateway port."""
        path = f"/v2.0/ports?device_id={self.router['id']}&device_owner=network:router_gateway"
        return str(self.appliance.request("GET", path).body["ports"][0]["id"])
