"""The laws of the planner of routers, on a host in memory that is interfered with at will."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Final

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.converge.plan import merge
from quantumd.edge.netns.interfaces import Address, Device, Route, Rule, Seen
from quantumd.edge.nft.interfaces import Chain, Kind, Place
from quantumd.l3.features.forwarding import FORWARDED, GATHERED, SPREAD
from quantumd.l3.names import namespace_of
from quantumd.l3.steps import ChangeInside, ChangeRouter, Deed
from quantumd.model.router_records import (
    AddressLimit,
    FloatingAddress,
    ForwardedPorts,
    HelpedPort,
    LinkScope,
    Meter,
    MeterRule,
    RouterGateway,
    RouterLink,
    RouterRecord,
    RouterRoute,
)
from tests.bed.counts import count
from tests.l3.packets import Packet, model_of
from tests.l3.world import STRANGERS_NAMESPACE, STRANGERS_PORT, World

IDS: Final = tuple(f"0{at}000000-0000-4000-8000-000000000000" for at in (1, 2))
FLOATINGS: Final = ("203.0.113.5", "203.0.113.6")
FIXED: Final = ("10.0.0.5", "10.0.1.6")
METERS: Final = (
    Meter("11111111-0000-4000-8000-000000000001", (MeterRule("egress", "10.0.0.0/24"),)),
    Meter("11111111-0000-4000-8000-000000000002"),
)
HELPED: Final = (HelpedPort("tcp", 21, "ftp"), HelpedPort("udp", 69, "tftp"))
LIMITS: Final = (
    AddressLimit("203.0.113.5", "ingress", 100), AddressLimit("203.0.113.5", "egress", 1000, 2000),
    AddressLimit("203.0.113.2", "egress", 100),
)  # fmt: skip
PROXIED: Final = ("fd00::5", "fd00::6")
ROUTES: Final = (
    RouterRoute("10.9.0.0/16", "10.0.0.9"), RouterRoute("10.9.0.0/16", "10.0.0.8"),
    RouterRoute("10.9.0.0/16", "10.0.1.9"),
    RouterRoute("10.9.9.0/24", "10.0.1.9"), RouterRoute("fd09::/64", "fd00::9"),
)  # fmt: skip


PORTS: Final = ((6, 80), (6, 100), (6, 102), (6, 200), (17, 80))
"""Of protocols: ports that may be forwarded, and some that are not."""


def spans(floating_ip: str) -> tuple[tuple[ForwardedPorts | None, ...], ...]:
    """Return in which ways ports of a floating IP may be forwarded, one of each row."""

    def led(protocol: str, first: int, last: int, fixed: str, inner: int, inner_last: int) -> ForwardedPorts:
        return ForwardedPorts(floating_ip, protocol, first, last, fixed, inner, inner_last)

    one, other = FIXED
    return (
        (None, led("tcp", 80, 80, one, 80, 80), led("tcp", 80, 80, one, 8080, 8080), led("tcp", 80, 80, other, 80, 80)),
        (
            None, led("tcp", 100, 103, one, 100, 103), led("tcp", 100, 101, one, 100, 101),
            led("tcp", 100, 103, one, 102, 102), led("tcp", 102, 103, one, 102, 102),
            led("tcp", 100, 103, one, 200, 203), led("tcp", 100, 103, other, 100, 103),
        ),
        (None, led("udp", 80, 80, other, 80, 80)),
    )  # fmt: skip


def link(router: int, port: int, addresses: tuple[str, ...], mtu_bytes: int = 1450) -> RouterLink:
    """Return a link of a router."""
    port_id = f"{router}{port}00000a-000{port}-4000-8000-000000000000"
    return RouterLink(port_id, f"net-{port}", f"fa:16:3e:00:0{router}:0{port}", mtu_bytes, addresses)


@st.composite
def routers(draw: st.DrawFn, router: int) -> RouterRecord:
    """Any router that the API lets be: what a route leads to is near, and floating IPs lead from gateways to links."""
    both, second = ("10.0.0.1/24", "fd00::1/64"), ("10.0.0.1/24", "10.0.0.2/24")
    red = draw(st.sampled_from((both, second, ("10.0.0.1/24",), ("10.0.0.1/25", "fd00::1/80"), ("10.0.0.2/24",))))
    pool = (
        link(router, 1, red, draw(st.sampled_from((1450, 1400)))), link(router, 2, ("10.0.1.1/24",)),
        link(router, 3, ("10.0.2.1/24",)),
    )  # fmt: skip
    interfaces = tuple(each for each in pool if draw(st.booleans()))
    subnets = {address.partition("/")[0].rpartition(".")[0] for each in interfaces for address in each.addresses}
    gateways = draw(ways_outside(router, FIXED[0] if "10.0.0" in subnets else ""))
    gateway = gateways[0].link if gateways else None
    prefixes = subnets | ({"fd00::9"} if any("fd00::1" in "".join(each.addresses) for each in interfaces) else set())
    near = [each for each in ROUTES if {each.nexthop, each.nexthop.rpartition(".")[0]} & prefixes]
    fixed = [each for each in FIXED if gateway is not None and each.rpartition(".")[0] in subnets]
    leads = {each: draw(st.sampled_from(fixed)) for each in FLOATINGS[: 2 * len(fixed)] if draw(st.booleans())}
    if len(set(leads.values())) < len(leads):
        leads.popitem()
    free = [each for each in FLOATINGS if gateway is not None and each not in leads]
    spanned = [draw(st.sampled_from(ways)) for each in free if draw(st.booleans()) for ways in spans(each)]
    forwarded = [each for each in spanned if each is not None and each.fixed_ip in fixed]
    first = gateways[0] if gateways else None
    scopes = [
        LinkScope(each.port_id, draw(st.sampled_from(("", "one", "two"))))
        for each in (*interfaces, *(some.link for some in gateways)) if draw(st.booleans())
    ]  # fmt: skip
    return RouterRecord(
        IDS[router - 1], 1, draw(st.sampled_from((True, True, True, False))), interfaces, gateway,
        first.nexthops if first is not None else (), draw(st.booleans()),
        tuple(each for each in near if draw(st.booleans())),
        tuple(FloatingAddress(outer, outer, fixed) for outer, fixed in leads.items()),
        tuple(forwarded),
        first.number if first is not None else 1, gateways[1:], draw(st.booleans()), tuple(scopes),
        answers := gateway is not None and draw(st.booleans()),
        tuple(each for each in PROXIED if answers and draw(st.booleans())),
        tuple(each for each in LIMITS if gateway is not None and draw(st.booleans())),
        helped=tuple(each for each in HELPED if draw(st.booleans())),
        meters=tuple(each for each in METERS if gateway is not None and draw(st.booleans())),
    )  # fmt: skip


@st.composite
def ways_outside(draw: st.DrawFn, router: int, fixed_ip: str) -> tuple[RouterGateway, ...]:
    """Any gateways, in any order; two of them have one place, and never both. The first has no floating IP yet."""
    one = draw(st.sampled_from((("203.0.113.2/24",), ("203.0.113.3/24", "fd01::3/64"))))
    here = (FloatingAddress("198.51.100.5", "198.51.100.5", fixed_ip),) if fixed_ip and draw(st.booleans()) else ()
    pool = [
        RouterGateway(link(router, draw(st.sampled_from((8, 9))), one, 1500), 1, ("203.0.113.1",)),
        RouterGateway(link(router, 7, ("198.51.100.2/24",), 1500), 2, ("198.51.100.1",)),
        RouterGateway(link(router, 6, ("192.0.2.2/24", "fd02::2/64"), 1500), 3, ("192.0.2.1", "fd02::1")),
    ]
    found = draw(st.permutations([each for each in pool if draw(st.booleans())]))
    return (*found[:1], *(evolve(each, floating_ips=here) if each.number == 2 else each for each in found[1:]))


def _down(seen: Seen) -> Seen:
    return evolve(seen, devices={name: evolve(each, is_up=False) for name, each in seen.devices.items()})


def _taken_away(seen: Seen) -> Seen:
    return evolve(seen, devices={name: evolve(each, outer="") for name, each in seen.devices.items()})


def _more(seen: Seen) -> Seen:
    theirs = Device("theirs", "fa:16:3e:99:99:99", 1500)
    addresses = {Address("theirs", "192.0.2.9/24"), *(Address(name, "10.0.0.77/24") for name in seen.devices)}
    routes = {Route("10.9.0.0/16", ("192.0.2.1",), "theirs"), Route("10.9.0.0/16", ("10.0.0.77",), metric=5)}
    return evolve(
        seen,
        devices={**seen.devices, "theirs": theirs},
        addresses=seen.addresses | addresses,
        routes=seen.routes | routes,
        proxied=seen.proxied | {Address(name, "fd00::77/128") for name in seen.devices},
    )


MEDDLING: Final[dict[str, Callable[[Seen], Seen]]] = {
    "unsettle": lambda seen: evolve(seen, is_settled=False),
    "down": _down,
    "take away": _taken_away,
    "more": _more,
    "lose rules": lambda seen: evolve(seen, rules=frozenset({Rule(4, 77, 177)})),
    "flush": lambda seen: Seen(seen.devices, is_named=seen.is_named, is_settled=seen.is_settled),
    "lose proxied": lambda seen: evolve(seen, proxied=frozenset()),
    "lose routes": lambda seen: evolve(seen, routes=frozenset()),
    "empty": lambda seen: evolve(seen, devices={}, addresses=frozenset(), routes=frozenset()),
}


def _meddle(world: World, what: str, router_id: str) -> None:
    """Do what a stranger does to a router that is there."""
    name = namespace_of(router_id)
    if name not in world.namespaces.rooms:
        return
    filters = world.namespaces.filters_of(name)
    if what in MEDDLING:
        world.namespaces.meddle(name, MEDDLING[what])
    elif what == "lose":
        world.namespaces.lose(name)
    elif what == "lose name":
        world.namespaces.lose_name(name)
    elif what == "flush filters":
        filters.flush()
        world.namespaces.meddle(name)
    elif what == "more filters":
        filters.chains["inet", "theirs"] = Chain(("accept",))
        filters.sets["inet", "some"] = Kind("type mark;")
        world.namespaces.meddle(name)
    else:
        for device in world.plugs.plugged(router_id):
            world.ovsdb.unplug("br-int", device)


STRANGE: Final = (*MEDDLING, "lose", "lose name", "flush filters", "more filters", "unplug")
Led = dict[tuple[str, int, int], tuple[str, int]]
"""Addresses and ports inside, by floating IP, protocol and port."""
Action = tuple[str, int, RouterRecord | None]
ANY_ROUTER: Final = {at: routers(at) for at in (1, 2)}
ACTIONS = st.lists(
    st.one_of(
        *(st.tuples(st.just("know"), st.just(at), ANY_ROUTER[at]) for at in ANY_ROUTER),
        st.tuples(st.sampled_from(("forget", "restart", "fail", *STRANGE)), st.sampled_from((1, 2)), st.none()),
    ),
    min_size=1,
    max_size=10,
)


def act(world: World, action: Action) -> None:
    """Let something happen, and let the process act on it."""
    what, at, record = action
    if record is not None:
        world.know(record)
    elif what == "forget":
        world.forget(IDS[at - 1])
    elif what == "restart":
        world.restart()
    elif what == "fail":
        world.namespaces.trouble = "the kernel is busy"
        world.look()
        world.namespaces.trouble = ""
    else:
        _meddle(world, what, IDS[at - 1])
    world.settle()


def arrived(world: World) -> tuple[object, ...]:
    """Return what there is when all is done that is to be done."""
    world.look()
    if not world.loop.is_converged or not world.plan().is_empty:
        raise AssertionError((world.loop.waits_for, world.loop.faults, world.plan()))
    return world.state()


class LawTests(SynchronousTestCase):
    """Whatever happens."""

    @given(ACTIONS)
    @settings(max_examples=count(40, 800), deadline=None)
    def test_only_the_end_matters(self, actions: list[Action]) -> None:
        """Any path arrives where a host arrives that saw only its end, and then rests."""
        world, straight = World(), World()
        for action in actions:
            act(world, action)
        straight.know(*world.wanted.values())
        self.assertEqual(arrived(world), arrived(straight))

    @given(ACTIONS)
    @settings(max_examples=count(25, 500), deadline=None)
    def test_an_empty_process_plans_nothing(self, actions: list[Action]) -> None:
        """Whatever it finds is as it must be; and every router is reported as realised."""
        world = World()
        for action in actions:
            act(world, action)
        before = arrived(world)
        made = [len(room.filters.changes) for room in world.namespaces.rooms.values()]
        world.loop.stopService()
        world.begin()
        self.assertTrue(world.plan().is_empty)
        self.assertEqual(world.state(), before)
        self.assertEqual([len(room.filters.changes) for room in world.namespaces.rooms.values()], made)
        versions = {router_id: report.version for router_id, report in world.told.items()}
        self.assertEqual(versions, {each.id: each.version for each in world.wanted.values()})

    @given(ANY_ROUTER[1], ANY_ROUTER[1], st.sampled_from(STRANGE), st.data())
    @settings(max_examples=count(60, 1500), deadline=None)
    def test_deeds_may_be_lost_and_repeated(
        self, old: RouterRecord, new: RouterRecord, strange: str, data: st.DataObject
    ) -> None:
        """What must end ends all the same."""
        world, straight = World(), World()
        world.know(old)
        straight.know(new)
        world.loop.stopService()
        before = dict(world.namespaces.filters_of(namespace_of(IDS[0])).elements) if old.admin_state_up else {}
        if data.draw(st.booleans()):
            _meddle(world, strange, IDS[0])
            before = {}
        world.note(evolve(new, version=9))
        for _ in range(3):
            for step in world.changes():
                # What comes behind a deed that failed, or was the last of a process, is not done.
                done = step.deeds[: data.draw(st.integers(0, len(step.deeds)))]
                deeds = [each for each in done for _ in range(data.draw(st.sampled_from((1, 2))))]
                world.execute(evolve(step, deeds=tuple(deeds)))
        for _ in range(3):
            for step in world.changes():
                self.assertEqual(world.execute(step), "")
        self.assertTrue(world.plan().is_empty, world.plan())
        self.assertEqual(world.state(), straight.state())
        ended = {address for each in world.namespaces.ended for address in each}
        kept = {each.floating_ip: each.fixed_ip for some in new.gateways for each in some.floating_ips}
        if new.admin_state_up:
            moved = {
                place[2] for place, fixed in before.items() if place[1] == "floating" and kept.get(place[2]) != fixed
            }
            self.assertEqual(moved - ended, set())
            self._require_ended_ports(
                world, _led(before), _led(world.namespaces.filters_of(namespace_of(IDS[0])).elements)
            )

    def _require_ended_ports(self, world: World, before: Led, after: Led) -> None:
        """Those that lead elsewhere or nowhere have ended, by themselves or with their address; no others."""
        ended = {each for some in world.namespaces.ended_ports for each in some}
        whole = {address for some in world.namespaces.ended for address in some}
        for where, target in before.items():
            address, protocol, port = where
            has_ended = any(
                (each.address, each.protocol) == (address, protocol) and each.first <= port <= each.last
                for each in ended
            )
            self.assertTrue(has_ended or address in whole or after.get(where) == target, where)
            self.assertFalse(has_ended and after.get(where) == target, where)

    @given(ANY_ROUTER[1], ANY_ROUTER[1])
    @settings(max_examples=count(80, 2000), deadline=None)
    def test_no_packet_passes_on_the_way_that_passes_neither_before_nor_afterwards(
        self, old: RouterRecord, new: RouterRecord
    ) -> None:
        """After each deed, and after each operation in it.

        Each packet goes where it goes before or afterwards, and looks as what leaves there looks before or afterwards.
        """
        before, after = World(), World()
        before.know(old)
        after.know(new)
        way = World()
        way.know(old)
        way.loop.stopService()
        way.note(new)
        models = (model_of(before, IDS[0]), model_of(after, IDS[0]))
        ways = {packet: [each.way(packet) for each in models] for packet in packets(old, new)}
        for step in way.changes():
            for deeds in prefixes(step):
                self.assertEqual(way.execute(evolve(step, deeds=deeds)), "")
                now = model_of(way, IDS[0])
                for packet, allowed in ways.items():
                    found = now.way(packet)
                    self.assertIn(found, (None, *allowed), (packet, step.deeds, deeds))
                    if found is not None:
                        looks = [each.look(packet, found) for each in models]
                        self.assertIn(now.look(packet, found), looks, (packet, step.deeds, deeds))
        self.assertEqual(way.state(), after.state())

    @given(ACTIONS)
    @settings(max_examples=count(20, 400), deadline=None)
    def test_keys_one_by_one_are_all_at_once(self, actions: list[Action]) -> None:
        """And planning changes nothing."""
        world = World()
        for action in actions:
            act(world, action)
        world.loop.stopService()
        for router_id, what in product(IDS, ("flush", "unplug")):
            _meddle(world, what, router_id)
        before = world.state()
        keys = world.converger.every_key()
        single = merge(world.converger.plan(frozenset({key})) for key in sorted(keys))
        self.assertEqual(world.plan(), single if not single.is_empty else world.plan())
        self.assertEqual(world.plan().is_empty, single.is_empty)
        self.assertEqual(world.state(), before)

    @given(ACTIONS)
    @settings(max_examples=count(20, 400), deadline=None)
    def test_strangers_are_left_alone(self, actions: list[Action]) -> None:
        """Their namespaces, their ports of the bridge, their devices."""
        world = World()
        theirs = Seen({"eth0": Device("eth0", "fa:16:3e:99:99:99", 1500)}, frozenset({Address("eth0", "10.0.0.1/24")}))
        world.namespaces.meddle(STRANGERS_NAMESPACE, lambda _: theirs)
        for action in actions:
            act(world, action)
        self.assertEqual(world.namespaces.rooms[STRANGERS_NAMESPACE].seen, theirs)
        row = world.ovsdb.interfaces()[STRANGERS_PORT]
        self.assertEqual(row.external_ids, {"iface-id": "99999999"})
        self.assertIn(STRANGERS_PORT, world.namespaces.outside)


def _led(elements: Mapping[Place, str]) -> Led:
    """Return where each port leads."""
    found: Led = {}
    for (_, name, outside), inside in elements.items():
        if name in (FORWARDED, GATHERED, SPREAD):
            address, protocol, ports = outside.split(" . ")
            first, _, last = ports.partition("-")
            target, _, inner = inside.partition(" . ")
            for port in range(int(first), int(last or first) + 1):
                found[address, int(protocol), port] = (target, int(inner or port))
    return found


def prefixes(step: ChangeRouter) -> list[tuple[Deed, ...]]:
    """Return the deeds of a step in pieces, one by one; of a change inside each operation by itself."""
    pieces: list[tuple[Deed, ...]] = []
    for deed in step.deeds:
        inside = deed.operations if isinstance(deed, ChangeInside) else ()
        pieces += [(ChangeInside((each,)),) for each in inside] or [(deed,)]
    return pieces


def packets(*records: RouterRecord) -> list[Packet]:
    """Return packets from each device to and from whatever these routers know."""
    links = [(each, "qr-") for record in records for each in record.interfaces]
    links += [(each.link, "qg-") for record in records for each in record.gateways]
    devices = sorted({prefix + each.port_id[:11] for each, prefix in links})
    ends: tuple[str, ...] = (
        "10.0.0.5",
        "10.0.1.6",
        "10.0.2.7",
        "10.9.0.1",
        "10.9.9.1",
        *FLOATINGS,
        "203.0.113.9",
        "8.8.8.8",
    )
    ends += ("198.51.100.5", "198.51.100.9")
    found = [Packet(*each) for each in product(devices, ends, ends) if each[1] != each[2]]
    six = [{each for link in record.interfaces for each in link.addresses if ":" in each} for record in records]
    # Of IPv6 an address is there only once: while its prefix changes it is away for a moment.
    if all(each == six[0] for each in six):
        found += [Packet(*each) for each in product(devices, ("fd02::9", "fd00::5"), (*PROXIED, "fd00::7", "fd02::9"))]
    outside = ("203.0.113.9", "8.8.8.8", "198.51.100.9")
    insides = [each for each in devices if each.startswith("qr-")]
    marked = product(insides, ends[:2], outside, (1, 2, 3))
    found += [Packet(device, source, to, mark=mark) for device, source, to, mark in marked]
    return found + [Packet(*each, *port) for each in product(devices, ends[:1], FLOATINGS) for port in PORTS]
