"""What the record of a router says."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.compile.routers import router_record
from quantumd.model.nouns import Router, RouterAddress, RouterPort
from quantumd.model.router_records import (
    FloatingAddress,
    ForwardedPorts,
    LinkNeighbours,
    LinkScope,
    RouterLink,
    RouterRecord,
    RouterRoute,
)

GATEWAY = RouterPort(
    "p1", True, "n1", "fa:16:3e:00:00:01", 1500, True,
    (
        RouterAddress("172.24.4.9", "172.24.4.0/24", "172.24.4.1"),
        RouterAddress("2001:db8::9", "2001:db8::/64", "2001:db8::1"),
        RouterAddress("172.25.0.9", "172.25.0.0/16", "172.25.0.1"),
    ),
)  # fmt: skip
INSIDE = RouterPort(
    "p2", False, "n2", "fa:16:3e:00:00:02", 1450, True, (RouterAddress("10.0.0.1", "10.0.0.0/24", "10.0.0.1"),)
)
FORWARDED = ForwardedPorts("172.24.4.78", "tcp", 80, 80, "10.0.0.5", 8080, 8080)
FLOATING = FloatingAddress("f1", "172.24.4.77", "10.0.0.5")
ROUTE = RouterRoute("10.77.0.0/16", "10.0.0.7")
ROUTER = Router(
    "r1",
    "host-a",
    True,
    False,
    (ROUTE,),
    (GATEWAY, INSIDE),
    (FLOATING,),
    (FORWARDED,),
    enable_ndp_proxy=True,
    proxied=("fd00::5",),
)


class RecordTests(SynchronousTestCase):
    """From a router to its record."""

    def test_it_is_whole(self) -> None:
        """Addresses with their prefixes, and one way out for each version of IP."""
        gateway = ("172.24.4.9/24", "2001:db8::9/64", "172.25.0.9/16")
        self.assertEqual(
            router_record(ROUTER, 12),
            RouterRecord(
                "r1",
                12,
                True,
                (RouterLink("p2", "n2", "fa:16:3e:00:00:02", 1450, ("10.0.0.1/24",)),),
                RouterLink("p1", "n1", "fa:16:3e:00:00:01", 1500, gateway),
                ("172.24.4.1", "2001:db8::1"),
                False,
                (ROUTE,),
                (FLOATING,),
                (FORWARDED,),
                enable_ndp_proxy=True,
                proxied=("fd00::5",),
            ),
        )

    def test_what_else_is_on_the_links_of_gateways(self) -> None:
        """Those that have nothing beside their own subnets are not named."""
        beside = evolve(GATEWAY, beside=("172.27.0.0/24", "fd09::/64"))
        second = evolve(GATEWAY, id="p5", ordinal=1, number=2)
        record = router_record(evolve(ROUTER, ports=(second, beside, INSIDE)), 12)
        self.assertEqual(record.beside, (LinkNeighbours("p1", ("172.27.0.0/24", "fd09::/64")),))

    def test_several_gateways_are_in_their_order(self) -> None:
        """Each with its next hops, its number and the floating IPs of its network; of several there the first's."""
        there = RouterAddress("172.26.0.9", "172.26.0.0/24", "172.26.0.1")
        second = RouterPort("p0", True, "n3", "fa:16:3e:00:00:03", 1500, True, (there,), ordinal=1, number=3)
        third = evolve(second, id="p9", ordinal=2, number=2)
        led = evolve(FLOATING, id="f2", floating_ip="172.26.0.77")
        outside = {FLOATING.floating_ip: "n1", FORWARDED.floating_ip: "n3", led.floating_ip: "n3"}
        router = evolve(ROUTER, ports=(second, GATEWAY, INSIDE, third), floating_ips=(FLOATING, led), outside=outside)
        record = router_record(evolve(router, enable_default_route_ecmp=True), 12)
        found = [(each.link.port_id, each.number, each.nexthops) for each in record.gateways]
        here = ("172.24.4.1", "2001:db8::1")
        self.assertEqual(found, [("p1", 1, here), ("p0", 3, ("172.26.0.1",)), ("p9", 2, ("172.26.0.1",))])
        self.assertEqual([each.floating_ips for each in record.gateways], [(FLOATING,), (led,), ()])
        self.assertEqual([each.forwarded for each in record.gateways], [(), (FORWARDED,), ()])
        self.assertTrue(record.enable_default_route_ecmp)
        left = router_record(evolve(router, ports=(evolve(GATEWAY, is_enabled=False), INSIDE, third)), 12)
        self.assertEqual([each.link.port_id for each in left.gateways], ["p9"])
        self.assertEqual((left.gateway_number, left.floating_ips, left.forwarded), (2, (led,), (FORWARDED,)))

    def test_ports_in_scopes_are_named(self) -> None:
        """With the scope of each version of IP; those in none are not."""
        six = RouterAddress("fd00::1", "fd00::/64", None, address_scope="six")
        four = evolve(INSIDE.addresses[0], address_scope="four")
        both, one = evolve(INSIDE, addresses=(four, six)), evolve(INSIDE, id="p3", addresses=(six,))
        record = router_record(evolve(ROUTER, ports=(GATEWAY, both, one)), 12)
        self.assertEqual(record.scopes, (LinkScope("p2", "four", "six"), LinkScope("p3", "", "six")))

    def test_who_answers_for_nobody_has_nobody_to_answer_for(self) -> None:
        """Whatever was asked of it when it did."""
        record = router_record(evolve(ROUTER, enable_ndp_proxy=False), 12)
        self.assertEqual((record.enable_ndp_proxy, record.proxied), (False, ()))

    def test_what_is_disabled_is_left_out(self) -> None:
        """With a gateway its next hops."""
        record = router_record(evolve(ROUTER, ports=(evolve(GATEWAY, is_enabled=False), INSIDE)), 12)
        self.assertEqual((record.gateway, record.nexthops, len(record.interfaces)), (None, (), 1))
        record = router_record(evolve(ROUTER, ports=(GATEWAY, evolve(INSIDE, is_enabled=False))), 12)
        self.assertEqual((record.gateway is None, record.interfaces), (False, ()))

    def test_no_way_out(self) -> None:
        """Without a gateway of the subnet, or where the router is that itself."""
        for gateway_ip in (None, "172.24.4.9"):
            addresses = (RouterAddress("172.24.4.9", "172.24.4.0/24", gateway_ip),)
            record = router_record(evolve(ROUTER, ports=(evolve(GATEWAY, addresses=addresses),)), 12)
            self.assertEqual(record.nexthops, ())
