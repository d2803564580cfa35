"""Several gateways of a router, and address scopes: what is asked of its namespace."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netns.interfaces import Address, Route, Rule
from quantumd.l3.desired import DesiredRouter, desire
from quantumd.l3.features.base import FAMILY
from quantumd.l3.features.marks import COMING, LEAVING
from quantumd.l3.features.scopes import CROSSING
from quantumd.model.router_records import (
    FloatingAddress,
    ForwardedPorts,
    LinkNeighbours,
    LinkScope,
    RouterGateway,
    RouterLink,
    RouterRecord,
    RouterRoute,
)
from tests.l3.world import FLOATING, GATEWAY_INNER, GATEWAY_LINK, INNER, INTERFACE, OTHER_INTERFACE, ROUTER

SECOND_LINK = RouterLink(
    "0e000000-0000-4000-8000-000000000001", "beyond", "fa:16:3e:00:00:04", 1500, ("198.51.100.2/24", "fd02::2/64")
)
SECOND_INNER = f"qg-{SECOND_LINK.port_id[:11]}"
LED = FloatingAddress("0f000000-0000-4000-8000-000000000001", "198.51.100.5", "10.0.1.5")
SECOND = RouterGateway(SECOND_LINK, 2, ("198.51.100.1", "fd02::1"), (LED,))
BOTH = evolve(ROUTER, more_gateways=(SECOND,))
OTHER_INNER = f"qr-{OTHER_INTERFACE.port_id[:11]}"
ONE, TWO = GATEWAY_INNER, SECOND_INNER


def desired(router: RouterRecord) -> DesiredRouter:
    """Return what is desired of a router that shall be there."""
    found = desire(router)
    assert found is not None
    return found


def routes(router: RouterRecord, table: int) -> set[Route]:
    """Return the routes of a table."""
    return {each for each in desired(router).addressing.routes if each.table == table}


def rules_of(router: RouterRecord, chain: str) -> tuple[str, ...]:
    """Return the rules of a chain; none of one that is not there."""
    found = desired(router).filters.chains.get((FAMILY, chain))
    return found.rules if found is not None else ()


class RouteTests(SynchronousTestCase):
    """Ways outside."""

    def test_the_first_is_the_way_to_anywhere(self) -> None:
        """Of each version of IP it is the first that has one."""
        main = routes(BOTH, 254)
        self.assertIn(Route("0.0.0.0/0", ("203.0.113.1",), ONE), main)
        self.assertIn(Route("::/0", ("fd02::1",), TWO), main)

    def test_or_all_are(self) -> None:
        """Sorted, so that what the kernel says is the same; one alone is as ever."""
        main = routes(evolve(BOTH, enable_default_route_ecmp=True), 254)
        self.assertIn(Route("0.0.0.0/0", ("198.51.100.1", "203.0.113.1"), devices=(TWO, ONE)), main)
        self.assertIn(Route("::/0", ("fd02::1",), TWO), main)
        alone = evolve(ROUTER, enable_default_route_ecmp=True)
        self.assertEqual(desired(alone).addressing, desired(ROUTER).addressing)

    def test_the_user_s_own_way_to_anywhere_is_that(self) -> None:
        """Answers go by the gateway all the same."""
        own = evolve(BOTH, routes=(RouterRoute("0.0.0.0/0", "10.0.0.9"),))
        self.assertEqual(
            [each.nexthops for each in routes(own, 254) if each.destination == "0.0.0.0/0"], [("10.0.0.9",)]
        )
        self.assertIn(Route("0.0.0.0/0", ("203.0.113.1",), ONE, table=101), routes(own, 101))

    def test_each_has_a_table(self) -> None:
        """With its link, what is behind next hops there, its way to anywhere, and a refusal of all else."""
        extra = (RouterRoute("10.8.0.0/16", "198.51.100.7"), RouterRoute("10.8.0.0/16", "10.0.0.9"))
        found = routes(evolve(BOTH, routes=(*ROUTER.routes, *extra)), 102)
        self.assertEqual(
            found,
            {
                Route("198.51.100.0/24", (), TWO, table=102), Route("fd02::/64", (), TWO, table=102),
                Route("10.8.0.0/16", ("198.51.100.7",), TWO, table=102),
                Route("0.0.0.0/0", ("198.51.100.1",), TWO, table=102), Route("::/0", ("fd02::1",), TWO, table=102),
                Route("0.0.0.0/0", (), metric=1000, table=102), Route("::/0", (), metric=1000, table=102),
            },
        )  # fmt: skip

    def test_other_subnets_of_an_outside_are_on_the_link(self) -> None:
        """In the first outside that has them, and in the table of each; what is inside, or led elsewhere, stays so."""
        near, far, led = "198.18.0.0/24", "fd03::/64", "198.18.1.0/24"
        first = LinkNeighbours(GATEWAY_LINK.port_id, (near, "10.0.0.0/16", led))
        second = LinkNeighbours(SECOND_LINK.port_id, (near, far))
        own = (RouterRoute(led, "10.0.0.9"),)
        router = evolve(BOTH, beside=(first, second), routes=own)
        main = {each for each in routes(router, 254) if each.device and not each.nexthops}
        self.assertEqual(main, {Route(near, (), ONE), Route(far, (), TWO)})
        self.assertIn(Route(near, (), ONE, table=101), routes(router, 101))
        for cidr in (near, far):
            self.assertIn(Route(cidr, (), TWO, table=102), routes(router, 102))

    def test_rules_lead_there(self) -> None:
        """Of the versions of IP that a gateway has; where it is alone there are none."""
        self.assertEqual(desired(BOTH).addressing.rules, {Rule(4, 1, 101), Rule(4, 2, 102), Rule(6, 2, 102)})
        self.assertEqual(desired(ROUTER).addressing.rules, frozenset())

    def test_a_next_hop_that_is_the_router_itself_is_none(self) -> None:
        """As when two gateways are in a network of which the second has the address of the first one's next hop."""
        link = evolve(SECOND_LINK, addresses=("203.0.113.1/24",))
        itself = evolve(BOTH, more_gateways=(RouterGateway(link, 2, ("203.0.113.9",)),), enable_default_route_ecmp=True)
        self.assertIn(Route("0.0.0.0/0", ("203.0.113.9",), TWO), routes(itself, 254))

    def test_floating_ips_are_on_the_devices_of_their_gateways(self) -> None:
        """Those that lead and those that forward."""
        forwarded = ForwardedPorts("198.51.100.6", "tcp", 80, 80, "10.0.0.5", 80, 80)
        found = desired(evolve(BOTH, more_gateways=(evolve(SECOND, forwarded=(forwarded,)),))).addressing.addresses
        for device, address in ((ONE, FLOATING.floating_ip), (TWO, LED.floating_ip), (TWO, "198.51.100.6")):
            self.assertIn(Address(device, f"{address}/32"), found)


class FilterTests(SynchronousTestCase):
    """Translation and marks."""

    def test_what_leaves_looks_as_its_gateway_says(self) -> None:
        """By its own floating IPs, and else its address."""
        found = rules_of(BOTH, "postrouting")
        for device, name, own in ((ONE, "fixed", "203.0.113.2"), (TWO, "fixed_2", "198.51.100.2")):
            self.assertIn(f'oifname "{device}" snat ip to ip saddr map @{name}', found)
            self.assertIn(f'oifname "{device}" meta nfproto ipv4 snat ip to {own}', found)
        elements = desired(BOTH).filters.elements
        self.assertEqual(elements[FAMILY, "fixed_2", LED.fixed_ip], LED.floating_ip)
        self.assertNotIn((FAMILY, "fixed", LED.fixed_ip), elements)
        self.assertEqual(elements[FAMILY, "floating", LED.floating_ip], LED.fixed_ip)

    def test_connections_are_marked_by_the_gateway(self) -> None:
        """Whichever side it is on; also where it is alone."""
        for router, gateways in ((ROUTER, ((ONE, 1),)), (BOTH, ((ONE, 1), (TWO, 2)))):
            for chain, side in ((COMING, "iifname"), (LEAVING, "oifname")):
                marking = [f'{side} "{device}" ct mark 0 ct mark set {number}' for device, number in gateways]
                self.assertEqual([each for each in rules_of(router, chain) if side in each and "qg-" in each], marking)


class ScopeTests(SynchronousTestCase):
    """Address scopes."""

    def scoped(self, router: RouterRecord, **scopes: str) -> RouterRecord:
        """Return the router with ports in scopes of IPv4."""
        ports = {"inner": INTERFACE, "other": OTHER_INTERFACE, "first": GATEWAY_LINK, "second": SECOND_LINK}
        return evolve(router, scopes=tuple(LinkScope(ports[name].port_id, scope) for name, scope in scopes.items()))

    def test_where_all_are_in_one_scope_nothing_is_kept_apart(self) -> None:
        """In none at all, too."""
        self.assertEqual(rules_of(BOTH, CROSSING), ())
        together = self.scoped(BOTH, inner="s", other="s", first="s", second="s")
        self.assertEqual(rules_of(together, CROSSING), ())

    def test_who_is_in_one_scope_may_pass(self) -> None:
        """In both directions; all else only when it is translated, or about to be."""
        found = rules_of(self.scoped(BOTH, inner="s", second="s"), CROSSING)
        passing = [each for each in found if "iifname" in each]
        self.assertEqual(
            passing,
            [
                f'meta nfproto ipv4 iifname {{ "{each}", "{other}" }} oifname {{ "{each}", "{other}" }} accept'
                for each, other in ((OTHER_INNER, ONE), (INNER, TWO))
            ],
        )
        self.assertEqual(found[-1], "meta nfproto ipv4 drop")
        for device in (ONE, TWO):
            self.assertIn(f'meta nfproto ipv4 oifname "{device}" accept', found)
        self.assertFalse([each for each in found if "ipv6" in each])

    def test_without_translation_floating_ips_alone_leave(self) -> None:
        """Each by its gateway."""
        found = rules_of(evolve(self.scoped(BOTH, inner="s"), enable_snat=False), CROSSING)
        for device, fixed in ((ONE, FLOATING.fixed_ip), (TWO, LED.fixed_ip)):
            self.assertIn(f'meta nfproto ipv4 oifname "{device}" ip saddr {{ {fixed} }} accept', found)
            self.assertNotIn(f'meta nfproto ipv4 oifname "{device}" accept', found)

    def test_what_leaves_in_its_scope_keeps_its_address(self) -> None:
        """By the gateway that is in it; having none in common is no reason."""
        untranslated = f'meta nfproto ipv4 iifname {{ "{INNER}" }} accept'
        found = rules_of(self.scoped(BOTH, inner="s", second="s"), "postrouting")
        self.assertIn(f'oifname "{TWO}" {untranslated}', found)
        self.assertNotIn(f'oifname "{ONE}" {untranslated}', found)
        self.assertFalse([each for each in rules_of(BOTH, "postrouting") if "iifname {" in each])

    def test_ipv6_has_scopes_of_its_own(self) -> None:
        """Nothing of it is translated."""
        inside = evolve(INTERFACE, addresses=("10.0.0.1/24", "fd00::1/64"))
        router = evolve(BOTH, interfaces=(inside, OTHER_INTERFACE), scopes=(LinkScope(inside.port_id, "", "six"),))
        self.assertEqual(
            rules_of(router, CROSSING),
            (
                f'meta nfproto ipv6 iifname {{ "{TWO}" }} oifname {{ "{TWO}" }} accept',
                f'meta nfproto ipv6 iifname {{ "{INNER}" }} oifname {{ "{INNER}" }} accept',
                "meta nfproto ipv6 drop",
            ),
        )

    def test_without_a_gateway_scopes_are_kept_apart_too(self) -> None:
        """And that is all that is filtered."""
        alone = evolve(self.scoped(ROUTER, inner="s"), gateway=None, nexthops=(), floating_ips=())
        self.assertEqual(set(desired(alone).filters.chains), {(FAMILY, CROSSING)})
