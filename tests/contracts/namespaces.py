"""What every provider of INamespaces keeps: its tests are run for the kernel's namespaces and for those in memory."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import evolve
from twisted.internet import reactor as twisted_reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from quantumd.edge.netns.interfaces import (
    Address,
    Announce,
    Device,
    INamespaces,
    Operation,
    OuterPorts,
    PutAddress,
    PutPair,
    PutProxied,
    PutRoute,
    PutRule,
    RemoveAddress,
    RemovePair,
    RemoveProxied,
    RemoveRoute,
    RemoveRule,
    Route,
    Rule,
    Seen,
)
from quantumd.edge.nft.interfaces import Chain, Change, Kind, Ruleset
from quantumd.errors import EdgeError

reactor: Any = twisted_reactor

INSIDE, GATEWAY = "qr-1", "qg-1"
CHAIN = Chain(("dnat ip to ip daddr map @floating",), "type nat hook prerouting priority -100; policy accept;")
FILTERS = Change(
    chains={("inet", "prerouting"): CHAIN},
    sets={("inet", "floating"): Kind("type ipv4_addr : ipv4_addr;"), ("inet", "ending"): Kind("type ipv4_addr;")},
    elements={("inet", "floating", "203.0.113.5"): "10.0.0.5", ("inet", "ending", "203.0.113.6"): ""},
)
NEWS_SECONDS = 1.0
LOOK_SECONDS = 3.0
"""How long it takes at most until it is noticed what the kernel tells nobody."""


class NamespacesCase(TestCase):
    """A test with a provider that has been started; its own class says how to make one."""

    def make(self) -> INamespaces:
        """Return a provider; it is stopped after the test."""
        raise AssertionError("each provider makes its own")

    def make_stranger(self) -> INamespaces:
        """Return another process's provider, of the same namespaces."""
        raise AssertionError("each provider makes its own")

    def setUp(self) -> None:
        """Choose names that nobody else has: of a namespace, and of devices where this process is."""
        self.prefix = f"l3t-{uuid.uuid4().hex[:6]}-"
        self.name = f"{self.prefix}one"
        self.namespaces: Any = self.make()
        tag = self.prefix[4:10]
        self.pairs = {
            INSIDE: PutPair(Device(INSIDE, "fa:16:3e:00:00:01", 1450, f"l3ti{tag}"), f"router {tag}"),
            GATEWAY: PutPair(Device(GATEWAY, "fa:16:3e:00:00:02", 1500, f"l3tg{tag}"), f"router {tag}"),
        }

    async def look(self) -> Seen:
        """Return what is in the namespace."""
        seen: Seen | None = await self.namespaces.read(self.name)
        assert seen is not None
        return seen

    async def apply(self, *operations: Operation) -> None:
        """Do them in the namespace."""
        await self.namespaces.apply(self.name, operations)

    async def make_router(self, *operations: Operation) -> None:
        """Make a namespace with a pair inside that has addresses, and do more."""
        await self.namespaces.add(self.name)
        addresses = (PutAddress(Address(INSIDE, "10.0.0.1/24")), PutAddress(Address(INSIDE, "fd00::1/64")))
        await self.apply(self.pairs[INSIDE], *addresses, *operations)

    async def refused(self, done: Awaitable[object]) -> str:
        """Return why something was refused."""
        try:
            await done
        except EdgeError as error:
            return str(error)
        raise AssertionError("it was not refused")

    async def within(self, seconds: float, is_so: Callable[[], object], what: str = "it") -> None:
        """Wait until it is so."""
        for _ in range(round(seconds / 0.02) + 1):
            if is_so():
                return
            await deferLater(reactor, 0.02)
        raise AssertionError(f"{what} was not so within {seconds:g} s")


class NamespacesContract(NamespacesCase):
    """The tests."""

    __test__ = False

    # --- namespaces

    async def test_it_is_what_it_says(self) -> None:
        """All of the interface is there."""
        self.assertTrue(verifyObject(INamespaces, self.namespaces))

    async def test_a_namespace_comes_and_goes_however_often_it_is_asked(self) -> None:
        """What is there with it is nothing; what is not there is no error to look at, nor to remove."""
        self.assertIsNone(await self.namespaces.read(self.name))
        await self.namespaces.remove(self.name)
        for _ in range(2):
            await self.namespaces.add(self.name)
            self.assertEqual(await self.namespaces.names(), {self.name})
            self.assertEqual(await self.look(), Seen())
        for _ in range(2):
            await self.namespaces.remove(self.name)
            self.assertEqual(await self.namespaces.names(), frozenset())
            self.assertIsNone(await self.namespaces.read(self.name))

    async def test_a_namespace_that_is_there_keeps_what_is_in_it(self) -> None:
        """To add it again sets it right and takes nothing away."""
        await self.make_router()
        before = await self.look()
        await self.namespaces.add(self.name)
        self.assertEqual(await self.look(), before)

    async def test_nothing_can_be_done_where_there_is_no_namespace(self) -> None:
        """Each says so, as an error of the edge."""
        for done in (
            self.namespaces.apply(self.name, (RemovePair(INSIDE),)),
            self.namespaces.read_filters(self.name),
            self.namespaces.apply_filters(self.name, FILTERS),
            self.namespaces.end_translated(self.name, frozenset({"203.0.113.5"})),
        ):
            self.assertIn(self.name, await self.refused(done))

    async def test_a_name_that_no_namespace_can_have_leads_to_none(self) -> None:
        """It may stand in somebody's database."""
        for name in ("", f"{self.prefix}/x", "../x", f"{self.prefix}\0", self.prefix + "x" * 300):
            self.assertIsNone(await self.namespaces.read(name))

    # --- devices

    async def test_pairs_are_read_as_they_were_made(self) -> None:
        """Their inner ends, up, with the names of the outer ones; made again they stay the same."""
        await self.namespaces.add(self.name)
        for _ in range(2):
            await self.apply(*self.pairs.values())
            self.assertEqual(await self.look(), Seen({name: pair.device for name, pair in self.pairs.items()}))

    async def test_a_pair_changes_and_keeps_its_addresses(self) -> None:
        """Another MAC and another MTU."""
        await self.make_router()
        before = await self.look()
        changed = evolve(self.pairs[INSIDE].device, mac="fa:16:3e:00:00:09", mtu_bytes=1400)
        await self.apply(evolve(self.pairs[INSIDE], device=changed))
        self.assertEqual(await self.look(), evolve(before, devices={INSIDE: changed}))

    async def test_a_pair_whose_other_end_is_another_device_is_made_anew(self) -> None:
        """As when somebody has taken the end away."""
        await self.make_router()
        moved = evolve(self.pairs[INSIDE].device, outer=self.pairs[GATEWAY].device.outer)
        await self.apply(evolve(self.pairs[INSIDE], device=moved))
        self.assertEqual((await self.look()).devices, {INSIDE: moved})

    async def test_a_pair_goes_with_its_addresses_and_routes(self) -> None:
        """One that is not there goes in vain."""
        await self.make_router(PutRoute(Route("10.9.0.0/16", ("10.0.0.9",))))
        await self.apply(RemovePair(INSIDE), RemovePair(INSIDE), RemovePair("nothing"))
        self.assertEqual(await self.look(), Seen())

    async def test_an_end_that_is_left_over_gives_way(self) -> None:
        """One with the same alias, whose other end is where nobody finds it."""
        other = f"{self.prefix}two"
        await self.namespaces.add(other)
        await self.namespaces.apply(other, (self.pairs[INSIDE],))
        await self.namespaces.add(self.name)
        await self.apply(self.pairs[INSIDE])
        self.assertEqual((await self.look()).devices, {INSIDE: self.pairs[INSIDE].device})

    async def test_an_end_of_somebody_else_stays(self) -> None:
        """The pair cannot be made, and the rest is done."""
        other = f"{self.prefix}two"
        await self.namespaces.add(other)
        await self.namespaces.apply(other, (evolve(self.pairs[INSIDE], alias="theirs"),))
        await self.namespaces.add(self.name)
        self.assertIn("File exists", await self.refused(self.namespaces.apply(self.name, tuple(self.pairs.values()))))
        self.assertEqual(set((await self.look()).devices), {GATEWAY})
        theirs: Seen | None = await self.namespaces.read(other)
        self.assertEqual(theirs and set(theirs.devices), {INSIDE})

    # --- addresses

    async def test_addresses_come_and_go_however_often(self) -> None:
        """Of both versions; to give one to what is not there is an error, to take it is none."""
        await self.make_router()
        addresses = {Address(INSIDE, each) for each in ("10.0.0.1/24", "fd00::1/64", "203.0.113.5/32", "fd00::5/128")}
        await self.apply(*map(PutAddress, sorted(addresses, key=repr) * 2))
        self.assertEqual((await self.look()).addresses, addresses)
        await self.apply(*map(RemoveAddress, sorted(addresses, key=repr) * 2))
        self.assertEqual((await self.look()).addresses, frozenset())
        await self.apply(RemoveAddress(Address("nothing", "10.0.0.1/24")))
        await self.refused(self.namespaces.apply(self.name, (PutAddress(Address("nothing", "10.0.0.1/24")),)))

    async def test_an_address_that_goes_takes_no_other_with_it(self) -> None:
        """Not even others of its subnet, which the kernel has as second to it."""
        await self.make_router(PutAddress(Address(INSIDE, "10.0.0.2/24")), PutAddress(Address(INSIDE, "10.0.0.3/24")))
        await self.apply(RemoveAddress(Address(INSIDE, "10.0.0.1/24")))
        left = {Address(INSIDE, each) for each in ("10.0.0.2/24", "10.0.0.3/24", "fd00::1/64")}
        self.assertEqual((await self.look()).addresses, left)

    async def test_addresses_are_announced(self) -> None:
        """Nobody answers, so that it is done is all that is said; of what is not there too."""
        await self.make_router()
        await self.apply(
            Announce("fa:16:3e:00:00:01", Address(INSIDE, "10.0.0.1/24")),
            Announce("fa:16:3e:00:00:01", Address("nothing", "fd00::1/64")),
        )
        await deferLater(reactor, 0.1)

    async def test_addresses_are_answered_for(self) -> None:
        """However often; on what is not there that is an error, and none to let it be. With a device they go."""
        await self.make_router(self.pairs[GATEWAY])
        proxied = {Address(GATEWAY, "fd00::5/128"), Address(GATEWAY, "fd00::6/128"), Address(INSIDE, "fd01::6/128")}
        await self.apply(*map(PutProxied, sorted(proxied, key=repr) * 2))
        self.assertEqual((await self.look()).proxied, proxied)
        await self.refused(self.namespaces.apply(self.name, (PutProxied(Address("nothing", "fd00::5/128")),)))
        nowhere = RemoveProxied(Address("nothing", "fd00::5/128"))
        await self.apply(*(RemoveProxied(Address(INSIDE, "fd01::6/128")),) * 2, nowhere)
        self.assertEqual((await self.look()).proxied, {each for each in proxied if each.device == GATEWAY})
        await self.apply(RemovePair(GATEWAY))
        self.assertEqual((await self.look()).proxied, frozenset())

    # --- routes

    async def test_routes_are_read_as_they_were_made(self) -> None:
        """Of both versions, to anywhere, by several next hops, and on the link whatever the addresses."""
        routes = frozenset({
            Route("10.9.0.0/16", ("10.0.0.9",)), Route("10.8.0.0/16", ("10.0.0.8", "10.0.0.9")),
            Route("fd09::/64", ("fd00::9",)), Route("fd08::/64", ("fd00::8", "fd00::9")),
            Route("0.0.0.0/0", ("203.0.113.1",), INSIDE), Route("::/0", ("fe80::1",), INSIDE),
            Route("10.9.0.0/16", ("10.0.0.7",), metric=50),
        })  # fmt: skip
        await self.make_router(*map(PutRoute, sorted(routes, key=repr) * 2))
        self.assertEqual((await self.look()).routes, routes)
        await self.apply(*map(RemoveRoute, sorted(routes, key=repr) * 2))
        self.assertEqual((await self.look()).routes, frozenset())

    async def test_a_route_takes_the_place_of_another(self) -> None:
        """From one next hop to several, to one, and to one on the link."""
        await self.make_router()
        for destination, (one, two) in {
            "10.9.0.0/16": ("10.0.0.8", "10.0.0.9"),
            "::/0": ("fd00::8", "fd00::9"),
        }.items():
            for route in (
                Route(destination, (one,)), Route(destination, (one, two)), Route(destination, (two,)),
                Route(destination, (one,), INSIDE), Route(destination, (one,)),
            ):  # fmt: skip
                await self.apply(PutRoute(route))
                self.assertEqual((await self.look()).routes, {route})
            await self.apply(RemoveRoute(route))

    async def test_a_route_goes_whatever_it_leads_to(self) -> None:
        """It may have been changed since it was seen."""
        await self.make_router(PutRoute(Route("10.9.0.0/16", ("10.0.0.8", "10.0.0.9"))))
        await self.apply(RemoveRoute(Route("10.9.0.0/16", ("10.0.0.7",))))
        self.assertEqual((await self.look()).routes, frozenset())

    async def test_a_route_to_where_nobody_is_is_refused_and_the_rest_is_done(self) -> None:
        """It says which."""
        await self.make_router()
        good, bad = Route("10.8.0.0/16", ("10.0.0.8",)), Route("10.9.0.0/16", ("192.0.2.1",))
        unplaced = Route("10.7.0.0/16", ("10.0.0.8",), "nothing")
        why = await self.refused(self.namespaces.apply(self.name, map(PutRoute, (bad, unplaced, good))))
        self.assertTrue(why)
        self.assertEqual((await self.look()).routes, {good})

    async def test_routes_of_several_links_are_read_as_they_were_made(self) -> None:
        """Over both versions, to neighbours of equal addresses, in tables of their own; what is refused too."""
        both = (GATEWAY, INSIDE)
        routes = frozenset({
            Route("0.0.0.0/0", ("192.0.2.1", "203.0.113.1"), devices=both),
            Route("::/0", ("fd01::1", "fd02::1"), devices=(INSIDE, GATEWAY)),
            Route("0.0.0.0/0", ("203.0.113.1", "203.0.113.1"), table=103, devices=both),
            Route("::/0", ("fe80::1", "fe80::1"), table=103, devices=both),
            Route("0.0.0.0/0", ("203.0.113.1",), GATEWAY, table=101), Route("203.0.113.0/24", (), GATEWAY, table=101),
            Route("fd01::/64", (), INSIDE, table=102), Route("::/0", ("fd01::1",), INSIDE, table=102),
            *(Route(each, (), metric=1000, table=101) for each in ("0.0.0.0/0", "::/0")),
        })  # fmt: skip
        await self.make_router(self.pairs[GATEWAY], *map(PutRoute, sorted(routes, key=repr) * 2))
        self.assertEqual((await self.look()).routes, routes)
        for each in routes:
            await self.apply(RemoveRoute(each))
        self.assertEqual((await self.look()).routes, frozenset())

    async def test_ways_outside_come_and_go(self) -> None:
        """From one to two, to the other one alone, which stays when the first device has gone."""
        await self.make_router(self.pairs[GATEWAY])
        for where, (one, other) in {"0.0.0.0/0": ("192.0.2.1", "203.0.113.1"), "::/0": ("fd01::1", "fd02::1")}.items():
            for route in (
                Route(where, (one,), INSIDE), Route(where, (one, other), devices=(INSIDE, GATEWAY)),
                Route(where, (other,), GATEWAY),
            ):  # fmt: skip
                await self.apply(PutRoute(route))
                self.assertEqual({each for each in (await self.look()).routes if each.destination == where}, {route})
        left = (await self.look()).routes
        await self.apply(RemovePair(INSIDE))
        self.assertEqual((await self.look()).routes, left)
        self.assertEqual(len(left), 2)

    # --- rules

    async def test_rules_come_and_go_however_often(self) -> None:
        """Of both versions."""
        await self.namespaces.add(self.name)
        rules = frozenset(Rule(version, mark, 100 + mark) for version in (4, 6) for mark in (1, 2, 100))
        await self.apply(*map(PutRule, sorted(rules, key=repr) * 2))
        self.assertEqual((await self.look()).rules, rules)
        await self.apply(*map(RemoveRule, sorted(rules, key=repr) * 2))
        self.assertEqual((await self.look()).rules, frozenset())

    # --- filters

    async def test_filters_are_read_as_they_were_made(self) -> None:
        """At first there are none; each namespace has its own."""
        await self.namespaces.add(self.name)
        self.assertEqual(await self.namespaces.read_filters(self.name), Ruleset())
        await self.namespaces.apply_filters(self.name, FILTERS)
        made = Ruleset({("inet", "prerouting"): CHAIN.digest}, frozenset(FILTERS.sets), FILTERS.elements)
        self.assertEqual(await self.namespaces.read_filters(self.name), made)
        other = f"{self.prefix}two"
        await self.namespaces.add(other)
        self.assertEqual(await self.namespaces.read_filters(other), Ruleset())

    async def test_filters_change_all_at_once_or_not_at_all(self) -> None:
        """An element of a set that is not there spoils it all."""
        await self.namespaces.add(self.name)
        await self.namespaces.apply_filters(self.name, FILTERS)
        before = await self.namespaces.read_filters(self.name)
        wrong = Change(
            chains={("inet", "more"): Chain(("drop",))}, elements={("inet", "nothing", "203.0.113.5"): "10.0.0.5"}
        )
        await self.refused(self.namespaces.apply_filters(self.name, wrong))
        self.assertEqual(await self.namespaces.read_filters(self.name), before)

    async def test_an_element_gets_another_value_in_one_change(self) -> None:
        """It goes and comes."""
        await self.namespaces.add(self.name)
        await self.namespaces.apply_filters(self.name, FILTERS)
        place = ("inet", "floating", "203.0.113.5")
        await self.namespaces.apply_filters(
            self.name, Change(elements={place: "10.0.0.6"}, gone_elements={place: "10.0.0.5"})
        )
        self.assertEqual((await self.namespaces.read_filters(self.name)).elements[place], "10.0.0.6")

    async def test_connections_that_are_not_there_end_in_vain(self) -> None:
        """None is counted."""
        await self.namespaces.add(self.name)
        self.assertEqual(await self.namespaces.end_translated(self.name, frozenset({"203.0.113.5"})), 0)
        ports = frozenset({OuterPorts("203.0.113.5", 6, 80, 90)})
        self.assertEqual(await self.namespaces.end_translated(self.name, frozenset(), ports), 0)

    # --- news

    async def test_what_others_change_is_told(self) -> None:
        """Of devices, addresses, routes and filters, within a second."""
        await self.make_router()
        await self.look()
        await deferLater(reactor, 0.4)
        told: list[str] = []
        self.namespaces.on_change(told.append)
        stranger, name = self.make_stranger(), self.name
        for what, change in {
            "a pair": lambda: stranger.apply(name, (self.pairs[GATEWAY],)),
            "an address": lambda: stranger.apply(name, (PutAddress(Address(INSIDE, "10.0.0.2/24")),)),
            "a route": lambda: stranger.apply(name, (PutRoute(Route("10.9.0.0/16", ("10.0.0.9",))),)),
            "a route of IPv6": lambda: stranger.apply(name, (PutRoute(Route("fd09::/64", ("fd00::9",))),)),
            "a rule": lambda: stranger.apply(name, (PutRule(Rule(4, 7, 107)),)),
            "a rule of IPv6": lambda: stranger.apply(name, (PutRule(Rule(6, 7, 107)),)),
            "filters": lambda: stranger.apply_filters(name, FILTERS),
            "the whole": lambda: stranger.remove(name),
        }.items():
            told.clear()
            await change()
            await self.within(NEWS_SECONDS, lambda: told, what)
            await deferLater(reactor, 0.4)
            self.assertEqual(set(told), {self.name})

    async def test_an_address_that_is_answered_for_no_more_is_told(self) -> None:
        """Within some seconds; and no longer when that was seen."""
        address = Address(INSIDE, "fd01::6/128")
        await self.make_router(PutProxied(address))
        await self.look()
        await deferLater(reactor, 0.4)
        told: list[str] = []
        self.namespaces.on_change(told.append)
        await self.make_stranger().apply(self.name, (RemoveProxied(address),))
        await self.within(LOOK_SECONDS, lambda: told)
        self.assertEqual((await self.look()).proxied, frozenset())
        told.clear()
        await deferLater(reactor, LOOK_SECONDS)
        self.assertEqual(told, [])
