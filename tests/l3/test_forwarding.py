"""Port forwardings as nft has them, and what has to end when they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netns.interfaces import OuterPorts
from quantumd.edge.nft.interfaces import Place
from quantumd.l3.features.forwarding import KINDS, elements_of
from quantumd.l3.features.forwarding_changes import changed_ports
from quantumd.l3.features.nat import filters_of
from quantumd.model.router_records import ForwardedPorts
from tests.l3.world import ROUTER, World

FLOATING: Final = "203.0.113.6"
WEB = ForwardedPorts(FLOATING, "tcp", 80, 80, "10.0.0.5", 8080, 8080)
MOST: Final = 12
"""The last port of the law."""


@st.composite
def forwardings(draw: st.DrawFn) -> tuple[ForwardedPorts, ...]:
    """Any forwardings of two floating IPs that the API lets be side by side."""
    found: list[ForwardedPorts] = []
    for floating_ip, protocol in ((FLOATING, "tcp"), (FLOATING, "udp"), ("203.0.113.7", "tcp")):
        port = 1
        while port <= MOST and draw(st.booleans()):
            first = draw(st.integers(port, MOST))
            last = draw(st.integers(first, MOST))
            inner = draw(st.sampled_from((first, 1, 5, first + 1)))
            inner_last = draw(st.sampled_from((inner, inner + last - first)))
            address = draw(st.sampled_from(("10.0.0.5", "10.0.0.6")))
            found.append(ForwardedPorts(floating_ip, protocol, first, last, address, inner, inner_last))
            port = last + 1
    return tuple(found)


def led(some: tuple[ForwardedPorts, ...]) -> dict[tuple[str, str, int], tuple[str, int]]:
    """Return where each port leads, by what the records say."""
    found = {}
    for each in some:
        for port in range(each.first_port, each.last_port + 1):
            is_one = each.first_fixed_port == each.last_fixed_port
            inner = each.first_fixed_port + (0 if is_one else port - each.first_port)
            found[each.floating_ip, each.protocol, port] = (each.fixed_ip, inner)
    return found


def elements(some: tuple[ForwardedPorts, ...]) -> Mapping[Place, str]:
    """Return the elements of the maps."""
    return dict(elements_of(some))


class ElementTests(SynchronousTestCase):
    """The maps."""

    def test_one_port(self) -> None:
        """By its floating IP and protocol."""
        self.assertEqual(elements((WEB,)), {("inet", "forwarded", "203.0.113.6 . 6 . 80"): "10.0.0.5 . 8080"})

    def test_ranges(self) -> None:
        """To one port and to themselves they are one element each; to others each port is one."""
        gathered = evolve(WEB, protocol="udp", last_port=82)
        spread = evolve(WEB, protocol="sctp", last_port=82, first_fixed_port=80, last_fixed_port=82)
        shifted = evolve(WEB, last_port=82, last_fixed_port=8082)
        self.assertEqual(
            elements((gathered, spread, shifted)),
            {
                ("inet", "gathered", "203.0.113.6 . 17 . 80-82"): "10.0.0.5 . 8080",
                ("inet", "spread", "203.0.113.6 . 132 . 80-82"): "10.0.0.5",
                ("inet", "forwarded", "203.0.113.6 . 6 . 80"): "10.0.0.5 . 8080",
                ("inet", "forwarded", "203.0.113.6 . 6 . 81"): "10.0.0.5 . 8081",
                ("inet", "forwarded", "203.0.113.6 . 6 . 82"): "10.0.0.5 . 8082",
            },
        )

    def test_icmp_has_no_ports(self) -> None:
        """Whatever is named, it is all of it; and all ends when it leads elsewhere."""
        pings = evolve(WEB, protocol="icmp")
        self.assertEqual(elements((pings,)), {("inet", "spread", "203.0.113.6 . 1 . 0-65535"): "10.0.0.5"})
        elsewhere = elements((evolve(pings, fixed_ip="10.0.0.6"),))
        ended = frozenset({OuterPorts(FLOATING, 1, 0, 65535)})
        self.assertEqual(changed_ports(elements((pings,)), elsewhere, ()), ended)

    def test_rules_look_into_every_map(self) -> None:
        """For what arrives and for what the router itself sends; where nothing is forwarded there are none."""
        plain, forwarding = filters_of(ROUTER), filters_of(evolve(ROUTER, forwarded=(WEB,)))
        for chain in ("prerouting", "output"):
            rules = forwarding.chains["inet", chain].rules
            for name, protocol in ((name, each) for name in KINDS for each in ("tcp", "udp", "sctp")):
                found = [rule for rule in rules if f"@{name}" in rule and f"l4proto {protocol} " in rule]
                self.assertEqual(len(found), 1, (name, protocol))
            self.assertEqual(plain.chains["inet", chain].rules, rules[:1])
        self.assertEqual({("inet", name) for name in KINDS}, forwarding.sets.keys() - plain.sets.keys())

    def test_the_address_is_the_router_s(self) -> None:
        """Once, however many of its ports are forwarded."""
        world = World()
        world.know(evolve(ROUTER, forwarded=(WEB, evolve(WEB, first_port=81, last_port=81))))
        seen = world.seen()
        assert seen is not None
        self.assertIn(f"{FLOATING}/32", {each.address for each in seen.addresses})
        announced = [each.address.address for each in world.namespaces.announced]
        self.assertIn(f"{FLOATING}/32", announced)


class ChangeTests(SynchronousTestCase):
    """What has to end."""

    @given(forwardings(), forwardings(), st.booleans())
    def test_exactly_what_leads_elsewhere(
        self, before: tuple[ForwardedPorts, ...], after: tuple[ForwardedPorts, ...], is_held: bool
    ) -> None:
        """And what led to the router itself, where it had the address."""
        was, comes = led(before), led(after)
        held = {FLOATING, "203.0.113.7"} if is_held else set()
        found = {
            (each.address, {6: "tcp", 17: "udp"}[each.protocol], port)
            for each in changed_ports(elements(before), elements(after), held)
            for port in range(each.first, each.last + 1)
        }
        wanted = {where for where, target in was.items() if comes.get(where) != target}
        self.assertEqual(found, wanted | ((comes.keys() - was.keys()) if is_held else set()))

    def test_ports_side_by_side_are_one(self) -> None:
        """However many elements they were."""
        shifted = evolve(WEB, last_port=4175, last_fixed_port=12175)
        self.assertEqual(changed_ports(elements((shifted,)), {}, ()), frozenset({OuterPorts(FLOATING, 6, 80, 4175)}))

    def test_what_strangers_wrote_is_nobody_s(self) -> None:
        """Elements of another form, and other sets."""
        strange = {
            ("inet", "forwarded", "203.0.113.6 . 6"): "10.0.0.5 . 80",
            ("inet", "spread", "203.0.113.6 . 6 . 80"): "accept",
            ("inet", "theirs", "203.0.113.6 . 6 . 80"): "10.0.0.5 . 80",
        }
        self.assertEqual(changed_ports(strange, {}, ()), frozenset())


class RouterTests(SynchronousTestCase):
    """A router in memory."""

    def setUp(self) -> None:
        """It forwards a port."""
        self.world = World()
        self.world.know(evolve(ROUTER, forwarded=(WEB,)))
        self.world.namespaces.ended_ports.clear()

    def ended(self) -> set[OuterPorts]:
        """Return what was ended."""
        return {each for some in self.world.namespaces.ended_ports for each in some}

    def test_a_new_router_ends_nothing(self) -> None:
        """Nothing went there."""
        world = World()
        world.know(evolve(ROUTER, forwarded=(WEB,)))
        self.assertEqual(world.namespaces.ended_ports, [])

    def test_one_that_is_changed_ends(self) -> None:
        """And nothing is left of the note that it had to."""
        self.world.know(evolve(ROUTER, forwarded=(evolve(WEB, fixed_ip="10.0.0.6"),)))
        self.assertEqual(self.ended(), {OuterPorts(FLOATING, 6, 80, 80)})
        sets = self.world.namespaces.filters_of(f"quantumd-{ROUTER.id}").sets
        self.assertNotIn(("inet", "ending_ports"), sets)

    def test_one_that_is_added_ends_what_went_to_the_router(self) -> None:
        """The address is there already."""
        self.world.know(evolve(ROUTER, forwarded=(WEB, evolve(WEB, protocol="udp"))))
        self.assertEqual(self.ended(), {OuterPorts(FLOATING, 17, 80, 80)})

    def test_what_a_process_left_to_be_ended_is_ended(self) -> None:
        """By the next one; what strangers wrote there is passed over."""
        self.world.loop.stopService()
        nft = self.world.namespaces.filters_of(f"quantumd-{ROUTER.id}")
        name = ("inet", "ending_ports")
        nft.sets[name] = KINDS["forwarded"]
        for text in (f"{FLOATING} . 6 . 90 . 99", "something"):
            nft.elements[*name, text] = ""
        self.world.begin()
        self.assertEqual(self.ended(), {OuterPorts(FLOATING, 6, 90, 99)})
        self.assertNotIn(name, nft.sets)
