"""The place of services: made, kept, set right, and left alone. In memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from quantumd.converge.loop import ConvergeService
from quantumd.converge.plan import NOTHING
from quantumd.edge.netns.interfaces import Address, Device, Route
from quantumd.edge.netns.memory import MemoryNamespaces
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import Asker, IServiceDoor
from quantumd.model.dns_zones import Zone, Zones
from quantumd.model.service_place import INNER_DEVICE, OUTER_DEVICE
from quantumd.model.services import METADATA, ServicePoint
from quantumd.services.converger import ServicesConverger
from quantumd.services.plan import KEY, Observed, place_of, plan_place

NAME = "quantumd-services"


@implementer(IServiceDoor)
@define(eq=False)
class MemoryDoor:
    """A door in memory. ``is_plugged`` None: the device is broken."""

    points: tuple[ServicePoint, ...] = (METADATA,)
    completes_checksums: bool = True
    mtu_bytes: int = 9000
    is_plugged: bool | None = False
    trouble: str = ""
    said: list[str] = field(factory=list)
    listeners: list[Callable[[], None]] = field(factory=list)

    def observe(self) -> Deferred[None]:
        """See IServiceDoor."""
        return fail(EdgeUnavailable(self.trouble)) if self.trouble else succeed(None)

    def plugged(self) -> bool | None:
        """See IServiceDoor."""
        return self.is_plugged

    def plug(self) -> Deferred[None]:
        """See IServiceDoor."""
        return self._become(True)

    def unplug(self) -> Deferred[None]:
        """See IServiceDoor."""
        return self._become(False)

    def _become(self, state: bool) -> Deferred[None]:
        if self.trouble:
            return fail(EdgeUnavailable(self.trouble))
        self.is_plugged = state
        self.said.append("plug" if state else "unplug")
        return succeed(None)

    def on_change(self, listener: Callable[[], None]) -> None:
        """See IServiceDoor."""
        self.listeners.append(listener)

    def asker_at(self, address: str) -> Asker | None:
        """See IServiceDoor."""
        return None

    def zone_of(self, network_id: str, domain: str) -> Zone:
        """See IServiceDoor."""
        return Zones().of(network_id, domain)

    def changed(self) -> None:
        """Tell that something changed."""
        for listener in self.listeners:
            listener()


@define(eq=False)
class World:
    """A host in memory; ``restart`` replaces the process by an empty one."""

    clock: Clock = field(factory=Clock)
    namespaces: MemoryNamespaces = field(factory=lambda: MemoryNamespaces(NAME))
    door: MemoryDoor = field(factory=MemoryDoor)
    realised: int = 0
    loop: Any = None
    converger: Any = None

    def restart(self) -> None:
        """Begin, or begin anew."""
        if self.loop is not None:
            self.loop.stopService()
        self.converger = ServicesConverger("h", "1", NAME, self.namespaces, self.door, self._note)
        self.loop = ConvergeService(self.converger, self.clock, lambda reports, is_complete: None, 1000.0)
        self.loop.startService()
        self.loop.records_changed(frozenset(), True)
        self.settle()

    def _note(self) -> None:
        self.realised += 1

    def settle(self) -> None:
        """Let everything happen that is due within some seconds."""
        for _ in range(20):
            self.clock.pump([0.0] * 5 + [1.0])

    @property
    def is_right(self) -> bool:
        """Whether all is as it must be."""
        room = self.namespaces.rooms.get(NAME)
        seen = Observed(room.seen if room is not None else None, self.door.is_plugged, True)
        return plan_place(place_of(self.door.points, self.door.mtu_bytes), seen) == NOTHING


class ConvergerTests(SynchronousTestCase):
    """One host."""

    def setUp(self) -> None:
        self.world = World()

    def test_the_door_in_memory_is_one(self) -> None:
        """As its interface has it."""
        self.assertTrue(verifyObject(IServiceDoor, self.world.door))

    def test_it_is_made(self) -> None:
        """The device is plugged last, and who listens is told after that."""
        self.world.restart()
        self.assertTrue(self.world.is_right)
        seen = self.world.namespaces.rooms[NAME].seen
        self.assertEqual(seen.devices[INNER_DEVICE].outer, OUTER_DEVICE)
        self.assertEqual(self.world.door.said, ["plug"])
        self.assertGreater(self.world.realised, 0)

    def test_an_empty_process_plans_nothing(self) -> None:
        """All stays as it is."""
        self.world.restart()
        before = self.world.namespaces.rooms[NAME].seen
        self.world.restart()
        self.assertEqual(self.world.door.said, ["plug"])
        self.assertIs(self.world.namespaces.rooms[NAME].seen, before)
        self.assertEqual(self.world.converger.repaired, 0)

    def test_a_larger_network(self) -> None:
        """Makes the device's MTU larger, without plugging it anew."""
        self.world.restart()
        self.world.door.mtu_bytes = 9500
        self.world.door.changed()
        self.world.settle()
        self.assertEqual(self.world.namespaces.rooms[NAME].seen.devices[INNER_DEVICE].mtu_bytes, 9500)
        self.assertEqual(self.world.door.said, ["plug"])

    def test_a_broken_device_is_plugged_anew(self) -> None:
        """The switch does not notice that it is another one."""
        self.world.restart()
        self.world.door.is_plugged = None
        self.world.door.changed()
        self.world.settle()
        self.assertEqual(self.world.door.said, ["plug", "unplug", "plug"])
        self.assertEqual(self.world.converger.repaired, 1)

    def test_trouble(self) -> None:
        """Is waited out, and told meanwhile."""
        self.world.door.trouble = "away"
        self.world.restart()
        self.assertEqual(self.world.realised, 0)
        self.assertEqual((self.world.loop.trouble, self.world.loop.waits_for), ("away", "the world to be seen"))
        self.world.door.trouble = ""
        self.world.settle()
        self.assertTrue(self.world.is_right)

    def test_one_key_and_no_record(self) -> None:
        """Whatever changes."""
        self.world.restart()
        self.assertEqual(self.world.converger.keys_of(frozenset()), frozenset({KEY}))
        self.assertEqual(self.world.converger.describe().role, "services")

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.sampled_from(("device", "routes", "plug", "broken", "mtu", "name", "all", "restart", "address")))
    )
    def test_it_arrives_and_rests(self, harms: list[str]) -> None:
        """Whatever strangers do, in whatever order."""
        world = World()
        world.restart()
        for harm in harms:
            _harm(world, harm)
            world.settle()
            self.assertTrue(world.is_right, harm)
        before = tuple(world.door.said)
        world.restart()
        self.assertEqual(tuple(world.door.said), before)


def _harm(world: World, harm: str) -> None:
    room = world.namespaces.rooms.get(NAME)
    match harm:
        case "plug" | "broken":
            world.door.is_plugged = None if harm == "broken" else False
            world.door.changed()
        case "all":
            world.namespaces.lose(NAME)
        case "name":
            if room is not None:
                world.namespaces.lose_name(NAME)
        case "restart":
            world.restart()
        case "device" if room is not None:
            world.namespaces.meddle(
                NAME, lambda seen: evolve(seen, devices={}, addresses=frozenset(), routes=frozenset())
            )
        case "routes" if room is not None:
            world.namespaces.meddle(NAME, lambda seen: evolve(seen, routes=frozenset()))
        case "mtu" if room is not None and INNER_DEVICE in room.seen.devices:
            smaller = evolve(room.seen.devices[INNER_DEVICE], mtu_bytes=576, is_up=False)
            room.seen = evolve(room.seen, devices={**room.seen.devices, INNER_DEVICE: smaller})
            world.door.changed()
        case "address" if room is not None:
            room.seen = evolve(room.seen, addresses=frozenset({Address(INNER_DEVICE, "10.0.0.1/24")}))
            world.door.changed()


class PlaceTests(SynchronousTestCase):
    """What must be there."""

    def test_all_leads_to_one_router(self) -> None:
        """So that there is one neighbour, however many ask."""
        place = place_of((METADATA,), 9000)
        self.assertEqual({each.nexthops for each in place.routes}, {("169.254.0.1",), ("fe80::1",)})
        self.assertEqual({each.device for each in place.routes}, {INNER_DEVICE})
        self.assertIn(Address(INNER_DEVICE, "169.254.169.254/32"), place.addresses)
        self.assertIsInstance(place.device, Device)
        self.assertTrue(all(isinstance(each, Route) for each in place.routes))
