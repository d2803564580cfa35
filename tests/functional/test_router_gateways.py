"""Routers with several gateways, with real packets: two outsides, each of which leads to the same world behind it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from tests.bed.host import Guest
from tests.bed.routed import RouterCase
from tests.bed.talk import Server, Talk

WORLD = "8.8.8.8"
"""An address that is behind both outsides."""
WORLD6 = "2001:db8:8::8"
FAR = "9.9.9.9"
"""One behind the second alone, from where that speaks to routers."""
FAR6 = "2001:db8:9::9"
MANY = 24


class TwoWays(RouterCase):
    """A router with a VM inside, and two outsides."""

    def setUp(self) -> None:
        """Make them; the first gateway alone is the router's at first."""
        super().setUp()
        self.network = self.make_network("10.0.0.0/24")
        subnet6 = {"cidr": "fd00:10::/64", "gateway_ip": "fd00:10::1", "ip_version": 6}
        self.appliance.create("subnet", network_id=self.network["id"], **subnet6)
        self.outsides = [self.make_both(*each) for each in (("203.0.113", "fd00:1"), ("198.51.100", "fd00:2"))]
        self.router = self.make_router(self.network, outside=self.outsides[0])
        self.change_gateways(self.router, "add", self.outsides[1]["id"])
        self.guest = self.open_both(self.network, "10.0.0.1")
        self.worlds = [self.world(outside) for outside in self.outsides]
        self.own = [each["external_fixed_ips"][0]["ip_address"] for each in self.gateways()]

    def make_both(self, prefix: str, prefix6: str) -> dict[str, Any]:
        """Create an external network of both versions of IP."""
        network = self.make_outside(f"{prefix}.0/24")
        more = {"network_id": network["id"], "ip_version": 6, "enable_dhcp": False}
        self.appliance.create("subnet", cidr=f"{prefix6}::/64", gateway_ip=f"{prefix6}::1", **more)
        return network

    def open_both(self, network: Mapping[str, Any], gateway: str) -> Guest:
        """Create a VM with addresses of both versions."""
        guest = self.plugged(network, port_security_enabled=False)
        for fixed_ip in guest.port["fixed_ips"]:
            guest.configure(64 if ":" in fixed_ip["ip_address"] else 24, fixed_ip["ip_address"])
        guest.vm.run("ip", "route", "replace", "default", "via", gateway)
        guest.vm.run("ip", "-6", "route", "replace", "default", "via", "fd00:10::1")
        return guest

    def world(self, outside: Mapping[str, Any]) -> Guest:
        """Create a VM that is the next hop outside, and leads to the world behind it."""
        guest = self.plugged(outside, port_security_enabled=False)
        for subnet in self.subnets_of(outside):
            guest.configure(64 if ":" in subnet["cidr"] else 24, subnet["gateway_ip"])
        guest.vm.run("ip", "link", "set", "lo", "up")
        for address in (f"{WORLD}/32", f"{WORLD6}/128"):
            guest.vm.run("ip", "address", "add", address, "dev", "lo")
        prefix6 = next(each["cidr"] for each in self.subnets_of(outside) if ":" in each["cidr"])
        own6 = next(
            each["ip_address"]
            for gateway in self.gateways()
            for each in gateway["external_fixed_ips"]
            if each["ip_address"].startswith(prefix6.partition("::")[0])
        )
        guest.vm.run("ip", "-6", "route", "replace", "fd00:10::/64", "via", own6)
        return guest

    def gateways(self) -> list[dict[str, Any]]:
        """Return the gateways of the router."""
        found: list[dict[str, Any]] = self.appliance.show("router", self.router["id"])["external_gateways"]
        return [{**each, "external_fixed_ips": sorted(each["external_fixed_ips"], key=_is_6)} for each in found]

    def spread(self, is_so: bool = True) -> None:
        """Have connections spread over both gateways, and wait until they are."""
        self.update("router", self.router["id"], enable_default_route_ecmp=is_so)
        self.wait_for("there are two ways", lambda: ("nexthop" in self.default_route()) is is_so)

    def default_route(self) -> str:
        """Return the default route."""
        return self.inside_router(self.router, "ip", "route", "show", "default")

    def far(self) -> Guest:
        """Have the second world speak to all else from an address behind it; return it."""
        guest = self.worlds[1]
        for address in (f"{FAR}/32", f"{FAR6}/128"):
            guest.vm.run("ip", "address", "add", address, "dev", "lo")
        guest.vm.run("ip", "route", "replace", "198.51.100.0/24", "dev", "eth0", "src", FAR)
        own6 = self.gateways()[1]["external_fixed_ips"][1]["ip_address"]
        guest.vm.run("ip", "-6", "route", "replace", "fd00:10::/64", "via", own6, "src", FAR6)
        return guest


def _is_6(fixed_ip: Mapping[str, str]) -> bool:
    return ":" in fixed_ip["ip_address"]


class DefaultTests(TwoWays):
    """By which gateway connections leave."""

    def test_by_the_first(self) -> None:
        """All of them, with its address; in the second outside itself by the second."""
        with Server(self.worlds[0]), Server(self.worlds[1]) as second:
            for _ in range(6):
                with Talk(self.guest, WORLD) as talk, Talk(self.guest, WORLD6) as talk6:
                    self.assertEqual(talk.seen_as(), self.own[0])
                    self.assertTrue(talk6.seen_as())
            self.assertEqual(second.connections, 0)
            with Talk(self.guest, self.worlds[1].ip) as talk:
                self.assertEqual(talk.seen_as(), self.own[1])

    def test_the_second_becomes_the_first(self) -> None:
        """Connections that are there go on by the way that they came."""
        with Server(self.worlds[0]), Server(self.worlds[1]), Talk(self.guest, WORLD) as before:
            self.assertEqual(before.seen_as(), self.own[0])
            self.change_gateways(self.router, "update", self.outsides[1]["id"], self.outsides[0]["id"])
            self.wait_for("the way is another", lambda: "198.51.100.1" in self.default_route())
            with Talk(self.guest, WORLD) as after:
                self.assertEqual((after.seen_as(), before.seen_as()), (self.own[1], self.own[0]))

    def test_over_both(self) -> None:
        """Of many connections to one address some leave by each, and stay there."""
        with Server(self.worlds[0]) as one, Server(self.worlds[1]) as two, contextlib.ExitStack() as stack:
            early = stack.enter_context(Talk(self.guest, WORLD))
            self.assertEqual(early.seen_as(), self.own[0])
            self.spread()
            talks = [stack.enter_context(Talk(self.guest, WORLD)) for _ in range(MANY)]
            seen = [talk.seen_as() for talk in talks]
            self.assertEqual(set(seen), set(self.own))
            counted = one.connections, two.connections
            talks6 = [stack.enter_context(Talk(self.guest, WORLD6)) for _ in range(MANY)]
            self.assertTrue(all(talk.seen_as() for talk in talks6))
            self.assertLess(counted[0], one.connections)
            self.assertLess(counted[1], two.connections)
            self.spread(is_so=False)
            self.assertEqual([talk.seen_as() for talk in (early, *talks)], [self.own[0], *seen])
            self.assertTrue(all(talk.seen_as() for talk in talks6))


class ReplyTests(TwoWays):
    """What comes in by the second gateway is answered by it, though all else leaves by the first."""

    def test_floating_ips_of_the_second_outside(self) -> None:
        """From far behind it, too; what the VM begins itself leaves by the first."""
        address = self.make_floating(self.outsides[1], self.guest)["floating_ip_address"]
        with Server(self.guest), Server(self.worlds[0]):
            with Talk(self.worlds[1], address) as talk:
                self.assertEqual(talk.seen_as(), self.worlds[1].ip)
            with Talk(self.far(), address) as talk:
                self.assertEqual(talk.seen_as(), FAR)
            with Talk(self.guest, WORLD) as talk:
                self.assertEqual(talk.seen_as(), self.own[0])

    def test_floating_ips_of_both_lead_to_one_vm(self) -> None:
        """It speaks by each to its own outside."""
        addresses = [self.make_floating(each, self.guest)["floating_ip_address"] for each in self.outsides]
        with Server(self.guest), Server(self.worlds[0]), Server(self.worlds[1]):
            for world, address in zip(self.worlds, addresses, strict=True):
                with Talk(world, address) as coming, Talk(self.guest, world.ip) as leaving:
                    self.assertEqual((coming.seen_as(), leaving.seen_as()), (world.ip, address))
            with Talk(self.guest, addresses[1]) as talk:
                self.assertIn(talk.seen_as(), addresses)

    def test_forwarded_ports_of_the_second_outside(self) -> None:
        """And the router itself, which answers there."""
        floating = self.make_floating(self.outsides[1])
        self.forward(floating, self.guest, "80", "5002")
        far = self.far()
        with Server(self.guest), Talk(far, floating["floating_ip_address"], 80) as talk:
            self.assertEqual(talk.seen_as(), FAR)
        self.assertTrue(far.can_reach(self.own[1]))

    def test_untranslated_over_ipv6(self) -> None:
        """From far behind the second."""
        inner = next(each["ip_address"] for each in self.guest.port["fixed_ips"] if ":" in each["ip_address"])
        with Server(self.guest), Talk(self.far(), inner) as talk:
            self.assertEqual(talk.seen_as(), FAR6)


class RemovalTests(TwoWays):
    """Gateways that go."""

    def test_one_that_goes_ends_exactly_its_connections(self) -> None:
        """Those of the other go on, whichever way they came."""
        self.spread()
        floating = self.make_floating(self.outsides[0], self.guest)["floating_ip_address"]
        third = self.open_both(self.network, "10.0.0.1")
        with Server(self.guest), Server(self.worlds[0]), Server(self.worlds[1]), contextlib.ExitStack() as stack:
            talks = [stack.enter_context(Talk(third, WORLD)) for _ in range(MANY)]
            seen = [talk.seen_as() for talk in talks]
            self.assertEqual(set(seen), set(self.own))
            coming = stack.enter_context(Talk(self.worlds[0], floating))
            self.assertTrue(coming.seen_as())
            self.change_gateways(self.router, "remove", self.outsides[1]["id"])
            self.wait_for("there is one way", lambda: "nexthop" not in self.default_route())
            time.sleep(0.5)
            limits = {self.own[0]: 5.0, self.own[1]: 0.3}
            left = [talk.seen_as(limits[before]) for talk, before in zip(talks, seen, strict=True)]
            self.assertEqual(left, [each if each == self.own[0] else "" for each in seen])
            self.assertTrue(coming.seen_as())

    def test_the_first_goes_and_the_second_is_all_there_is(self) -> None:
        """By it all leave from then on; what was its stays."""
        floating = self.make_floating(self.outsides[1], self.guest)["floating_ip_address"]
        third = self.open_both(self.network, "10.0.0.1")
        with Server(self.guest), Server(self.worlds[1]), Talk(self.far(), floating) as coming:
            self.assertEqual(coming.seen_as(), FAR)
            self.change_gateways(self.router, "remove", self.outsides[0]["id"])
            self.wait_for("the way is another", lambda: "198.51.100.1" in self.default_route())
            self.assertEqual(coming.seen_as(), FAR)
            with Talk(third, WORLD) as talk, Talk(self.guest, WORLD) as own:
                self.assertEqual((talk.seen_as(), own.seen_as()), (self.own[1], floating))


class RestartTests(TwoWays):
    """The process ends and another one comes."""

    def test_nothing_is_lost_and_nothing_is_changed(self) -> None:
        """Connections by both gateways, rules, routes and filters."""
        self.spread()
        floating = self.make_floating(self.outsides[1], self.guest)["floating_ip_address"]
        with Server(self.guest), Server(self.worlds[0]), Server(self.worlds[1]), contextlib.ExitStack() as stack:
            third = self.open_both(self.network, "10.0.0.1")
            talks = [stack.enter_context(Talk(third, WORLD)) for _ in range(MANY)]
            talks.append(stack.enter_context(Talk(self.far(), floating)))
            seen = [talk.seen_as() for talk in talks]
            self.assertEqual(set(seen), {*self.own, FAR})
            before = self.all_of_it()
            for restart in (self.appliance.restart, self.killed):
                restart("/readyz")
                self.assertEqual([talk.seen_as() for talk in talks], seen)
            time.sleep(1.0)
            self.assertEqual(self.all_of_it(), before)

    def killed(self, path: str) -> None:
        """Kill the process and start another one."""
        self.appliance.kill()
        self.appliance.start(path)

    def all_of_it(self) -> tuple[str, ...]:
        """Return all that the router is made of."""
        parts = (("link",), ("rule",), ("-6", "rule"), ("route", "show", "table", "all"))
        inside = [self.inside_router(self.router, "ip", "-o", *each) for each in parts]
        return (*inside, self.inside_router(self.router, "nft", "-a", "list", "ruleset"))
