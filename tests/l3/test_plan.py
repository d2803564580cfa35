"""The deeds, and their order."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netns import interfaces as i
from quantumd.edge.nft.interfaces import Chain, Change, Ruleset
from quantumd.l3.desired import desire
from quantumd.l3.filtering import ENDING
from quantumd.l3.plan import Observed, plan_router
from quantumd.l3.steps import (
    AddNamespace,
    ChangeFilters,
    ChangeInside,
    Deed,
    EndTranslated,
    Plug,
    RemoveNamespace,
    Unplug,
)
from quantumd.model.router_records import RouterGateway, RouterRecord
from tests.l3.world import (
    FLOATING,
    GATEWAY_INNER,
    GATEWAY_LINK,
    GATEWAY_OUTER,
    INNER,
    INTERFACE,
    OTHER_INTERFACE,
    OUTER,
    ROUTER,
    ROUTER_ID,
)


def deeds(router: RouterRecord | None, seen: Observed) -> tuple[Deed, ...]:
    """Return what is to be done."""
    plan = plan_router(ROUTER_ID, desire(router), seen)
    return plan.stages[0].steps[0].deeds if plan.stages else ()  # type: ignore[attr-defined] # there is one kind


def kinds(found: tuple[Deed, ...]) -> list[str]:
    """Return what kinds of deeds they are."""
    return [type(each).__name__ for each in found]


def operations(found: tuple[Deed, ...]) -> list[i.Operation]:
    """Return the operations inside."""
    return [each for deed in found if isinstance(deed, ChangeInside) for each in deed.operations]


def ways_changed(operation: i.Operation) -> str:
    """Return what an operation does to routes and rules; '' of any other."""
    name = type(operation).__name__
    if isinstance(operation, (i.PutRoute, i.RemoveRoute)):
        return f"{name.removesuffix('Route')} {'main' if operation.route.table == i.MAIN else 'table'}"
    return name if name.endswith("Rule") else ""


def carried(router: RouterRecord) -> Observed:
    """Return what is there of a router that is as it shall be."""
    wanted = desire(router)
    assert wanted is not None
    devices = {name: wire.device for name, wire in wanted.wires.items()}
    filters = Ruleset(
        {name: chain.digest for name, chain in wanted.filters.chains.items()},
        frozenset(wanted.filters.sets),
        wanted.filters.elements,
    )
    plugged = {wire.device.outer: wire.port_id for wire in wanted.wires.values()}
    addressing = wanted.addressing
    seen = i.Seen(devices, addressing.addresses, addressing.routes, addressing.rules)
    return Observed(seen, filters, plugged)


def meddled(**changes: Any) -> Observed:
    """Return what is there of a router inside of which something is otherwise."""
    seen = carried(ROUTER)
    assert seen.inside is not None
    return evolve(seen, inside=evolve(seen.inside, **changes))


class OrderTests(SynchronousTestCase):
    """A router that comes, changes, goes."""

    def test_what_is_as_it_shall_be_is_left_alone(self) -> None:
        """Also one that shall not be and is not."""
        self.assertEqual(deeds(ROUTER, carried(ROUTER)), ())
        self.assertEqual(deeds(None, Observed()), ())

    def test_a_new_router_is_plugged_last(self) -> None:
        """When it translates, routes, and answers; and then its addresses are announced."""
        found = deeds(ROUTER, Observed())
        order = [
            "AddNamespace",
            "ChangeInside",
            "ChangeFilters",
            "ChangeInside",
            "Plug",
            "Plug",
            "Plug",
            "ChangeInside",
        ]
        self.assertEqual(kinds(found), order)
        said = [each.address.address for each in operations(found[-1:]) if isinstance(each, i.Announce)]
        self.assertEqual(len(said), 5)

    def test_a_router_that_goes_is_unplugged_first(self) -> None:
        """Broken devices too."""
        seen = evolve(carried(ROUTER), plugged={OUTER: "", GATEWAY_OUTER: "x"})
        self.assertEqual(deeds(None, seen), (Unplug(OUTER), Unplug(GATEWAY_OUTER), RemoveNamespace()))
        self.assertEqual(deeds(None, Observed(plugged={OUTER: ""})), (Unplug(OUTER),))

    def test_an_interface_that_goes_is_unplugged_before_all(self) -> None:
        """And its device goes when nothing leads to it any more."""
        found = deeds(evolve(ROUTER, interfaces=(OTHER_INTERFACE,), routes=(), floating_ips=()), carried(ROUTER))
        self.assertEqual(found[0], Unplug(OUTER))
        inside = operations(found)
        gone, route = inside.index(i.RemovePair(INNER)), i.RemoveRoute(i.Route("10.9.0.0/16", ("10.0.0.9",)))
        self.assertLess(inside.index(route), gone)

    def test_routes_come_from_the_longest_and_go_from_the_shortest(self) -> None:
        """What comes comes first."""
        old, new = (
            evolve(ROUTER, routes=tuple(evolve(ROUTER.routes[0], destination=each) for each in destinations))
            for destinations in (("10.1.0.0/16", "10.2.2.0/24"), ("10.3.0.0/16", "10.4.4.0/24", "10.4.0.0/20"))
        )
        found = [each.route.destination for each in operations(deeds(new, carried(old))) if hasattr(each, "route")]
        self.assertEqual(found, ["10.4.4.0/24", "10.4.0.0/20", "10.3.0.0/16", "10.1.0.0/16", "10.2.2.0/24"])

    def test_what_is_marked_never_goes_with_what_is_not(self) -> None:
        """Tables are filled before rules lead there, and emptied when none does; the main one changes in between."""
        link = evolve(GATEWAY_LINK, port_id="0e000000-0000-4000-8000-000000000001", addresses=("198.51.100.2/24",))
        second = RouterGateway(link, 2, ("198.51.100.1",))
        both = evolve(ROUTER, more_gateways=(second,))
        alone = evolve(ROUTER, gateway=link, nexthops=second.nexthops, gateway_number=2, floating_ips=(), routes=())
        for old, new, order in (
            (alone, both, ["Put table", "PutRule", "Put main"]),
            (both, alone, ["Put main", "Remove main", "RemoveRule", "Remove table"]),
        ):
            found = filter(None, map(ways_changed, operations(deeds(new, carried(old)))))
            self.assertEqual([what for what, _ in groupby(found)], order)

    def test_a_changed_prefix_of_an_address_takes_the_place_of_the_old_one(self) -> None:
        """Of IPv6 there cannot be both."""
        changed = evolve(INTERFACE, addresses=("10.0.0.1/24", "fd00::1/80"))
        found = operations(deeds(evolve(ROUTER, interfaces=(changed, OTHER_INTERFACE)), carried(ROUTER)))
        old, new = (i.Address(INNER, f"fd00::1/{length}") for length in (64, 80))
        self.assertEqual(found[:2], [i.RemoveAddress(old), i.PutAddress(new)])

    def test_a_mac_that_changes_is_announced(self) -> None:
        """Neighbours know the old one."""
        changed = evolve(INTERFACE, mac_address="fa:16:3e:00:00:77")
        found = operations(deeds(evolve(ROUTER, interfaces=(changed, OTHER_INTERFACE)), carried(ROUTER)))
        self.assertIn(i.Announce("fa:16:3e:00:00:77", i.Address(INNER, "10.0.0.1/24")), found)


class EndTests(SynchronousTestCase):
    """Connections that must end."""

    def test_what_must_end_is_written_down_and_ends_before_anything_else(self) -> None:
        """A floating IP that is gone: its filters, its connections, and only then its address."""
        found = deeds(evolve(ROUTER, floating_ips=()), carried(ROUTER))
        self.assertEqual(kinds(found), ["ChangeFilters", "EndTranslated", "ChangeFilters", "ChangeInside"])
        first, second, third, _ = found
        assert isinstance(first, ChangeFilters)
        self.assertIn((*ENDING, FLOATING.floating_ip), first.change.elements)
        self.assertEqual(second, EndTranslated(frozenset({FLOATING.floating_ip})))
        self.assertEqual(third, ChangeFilters(Change(gone_sets=frozenset({ENDING}))))

    def test_what_was_written_down_ends_though_nobody_remembers(self) -> None:
        """The process ended in between."""
        seen = carried(ROUTER)
        filters = seen.filters
        left = Ruleset(filters.chains, filters.sets | {ENDING}, {**filters.elements, (*ENDING, "203.0.113.77"): ""})
        found = deeds(ROUTER, evolve(seen, filters=left))
        self.assertIn(EndTranslated(frozenset({"203.0.113.77"})), found)
        self.assertEqual(found[-1], ChangeFilters(Change(gone_sets=frozenset({ENDING}))))

    def test_a_floating_ip_that_leads_elsewhere_ends_what_went_there(self) -> None:
        """In the transaction in which it changes it is written down."""
        moved = evolve(ROUTER, floating_ips=(evolve(FLOATING, fixed_ip="10.0.0.6"),))
        self.assertIn(EndTranslated(frozenset({FLOATING.floating_ip})), deeds(moved, carried(ROUTER)))

    def test_translation_that_is_switched_off_ends_what_it_translated(self) -> None:
        """The gateway's address stays; switched on again nothing ends."""
        off = evolve(ROUTER, enable_snat=False)
        self.assertIn(EndTranslated(frozenset({"203.0.113.2"})), deeds(off, carried(ROUTER)))
        self.assertEqual(kinds(deeds(ROUTER, carried(off))), ["ChangeFilters"])

    def test_an_address_of_the_gateway_that_goes_ends_what_left_by_it(self) -> None:
        """What left by the others goes on."""
        assert ROUTER.gateway is not None
        moved = evolve(ROUTER, gateway=evolve(ROUTER.gateway, addresses=("203.0.113.9/24",)))
        self.assertIn(EndTranslated(frozenset({"203.0.113.2"})), deeds(moved, carried(ROUTER)))

    def test_a_new_floating_ip_ends_nothing(self) -> None:
        """Nobody went by it."""
        found = deeds(ROUTER, carried(evolve(ROUTER, floating_ips=())))
        self.assertEqual([each for each in found if isinstance(each, EndTranslated)], [])


class StrangerTests(SynchronousTestCase):
    """What others did."""

    def test_a_namespace_without_its_name_or_its_settings_is_set_right(self) -> None:
        """Nothing else is done."""
        for change in ({"is_named": False}, {"is_settled": False}):
            self.assertEqual(deeds(ROUTER, meddled(**change)), (AddNamespace(),))

    def test_a_device_that_is_down_is_set_right_and_stays_plugged(self) -> None:
        """It is the same device."""
        wanted = desire(ROUTER)
        assert wanted is not None
        devices = {name: evolve(wire.device, is_up=name != INNER) for name, wire in wanted.wires.items()}
        found = deeds(ROUTER, meddled(devices=devices))
        pair = i.PutPair(wanted.wires[INNER].device, f"quantumd router {ROUTER_ID}")
        self.assertEqual(found, (ChangeInside((pair,)),))

    def test_a_device_that_lost_its_end_is_made_and_plugged_anew(self) -> None:
        """With its addresses, and with routes that went with it."""
        wanted = desire(ROUTER)
        assert wanted is not None
        devices = {
            name: evolve(wire.device, outer="" if name == INNER else wire.device.outer)
            for name, wire in wanted.wires.items()
        }
        found = deeds(ROUTER, meddled(devices=devices))
        self.assertEqual(kinds(found), ["Unplug", "ChangeInside", "ChangeInside", "Plug", "ChangeInside"])
        self.assertEqual((found[0], found[3]), (Unplug(OUTER), Plug(INTERFACE.port_id, OUTER, INTERFACE.mac_address)))
        self.assertIn(i.PutAddress(i.Address(INNER, "10.0.0.1/24")), operations(found))
        self.assertIn(i.PutRoute(i.Route("10.9.0.0/16", ("10.0.0.9",))), operations(found))

    def test_devices_of_strangers_go_when_all_else_is_done(self) -> None:
        """One that cannot be removed keeps nobody from his work."""
        wanted = desire(ROUTER)
        assert wanted is not None
        theirs = i.Device("eth9", "fa:16:3e:99:99:99", 1500)
        found = deeds(ROUTER, meddled(devices={"eth9": theirs}))
        self.assertEqual(found[-1], ChangeInside((i.RemovePair("eth9"),)))
        self.assertIsInstance(found[-3], Plug)

    def test_addresses_and_routes_of_ours_that_nobody_asked_for_go(self) -> None:
        """A route of another metric stands beside ours, and goes."""
        seen = carried(ROUTER)
        assert seen.inside is not None
        address, route = i.Address(GATEWAY_INNER, "192.0.2.1/24"), i.Route("0.0.0.0/0", ("203.0.113.9",), metric=5)
        found = deeds(ROUTER, meddled(addresses=seen.inside.addresses | {address}, routes=seen.inside.routes | {route}))
        self.assertEqual(operations(found), [i.RemoveRoute(route), i.RemoveAddress(address)])

    def test_chains_and_sets_in_our_table_that_nobody_asked_for_go(self) -> None:
        """And one that was changed is written anew."""
        seen = carried(ROUTER)
        chains = {**seen.filters.chains, ("inet", "prerouting"): "", ("inet", "theirs"): Chain(("accept",)).digest}
        found = deeds(ROUTER, evolve(seen, filters=evolve(seen.filters, chains=chains)))
        change = found[0].change if isinstance(found[0], ChangeFilters) else Change()
        self.assertEqual((set(change.chains), change.gone_chains), ({("inet", "prerouting")}, {("inet", "theirs")}))
