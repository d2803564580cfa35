"""The role's loop on a host in memory."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from quantumd.edge.netns.interfaces import Address, Seen
from quantumd.interfaces import IConverger
from quantumd.l2.drivers.ovs.plugs import OWNER
from quantumd.l3.names import namespace_of
from quantumd.model.messages import PortReport
from quantumd.model.router_records import RouterRecord
from tests.l3.world import BRIDGE, FLOATING, INNER, NAMESPACE, OUTER, ROUTER, ROUTER_ID, World


class ConvergerCase(SynchronousTestCase):
    """A host."""

    def setUp(self) -> None:
        """Start it."""
        self.world = World()

    def report(self) -> PortReport | None:
        """Return what was last told of the router."""
        return self.world.told.get(ROUTER_ID)

    def inside(self) -> Seen:
        """Return what is in the router's namespace."""
        seen = self.world.seen()
        assert seen is not None
        return seen


class LifeTests(ConvergerCase):
    """A router comes and goes."""

    def test_it_is_what_it_says(self) -> None:
        """All of the interface is there; it says what records it needs."""
        self.assertTrue(verifyObject(IConverger, self.world.converger))
        about = self.world.converger.describe()
        self.assertEqual((about.role, about.record_kinds), ("l3", (RouterRecord.kind,)))

    def test_a_router_is_carried_and_reported(self) -> None:
        """With the version that is realised."""
        self.world.know(ROUTER)
        self.assertEqual(len(self.world.ports()), 3)
        self.assertEqual(len(self.inside().devices), 3)
        self.assertEqual(self.report(), PortReport(ROUTER_ID, self.world.version, True))
        self.assertIn(FLOATING.floating_ip, {each.address.address[:-3] for each in self.world.namespaces.announced})

    def test_a_router_that_goes_leaves_nothing(self) -> None:
        """Neither namespace nor ports; a disabled one neither, and it is reported as realised."""
        self.world.know(ROUTER)
        self.world.know(evolve(ROUTER, admin_state_up=False))
        self.assertEqual((self.world.seen(), self.world.ports()), (None, {}))
        self.assertEqual(self.report(), PortReport(ROUTER_ID, self.world.version, True))
        self.world.know(ROUTER)
        self.world.forget()
        self.assertEqual((self.world.seen(), self.world.ports()), (None, {}))

    def test_nothing_goes_before_the_records_are_complete(self) -> None:
        """A process that starts and hears nothing leaves what is there."""
        self.world.know(ROUTER)
        before = self.world.state()
        self.world.loop.stopService()
        self.world.begin_without_records()
        self.world.look()
        self.assertEqual(self.world.state(), before)

    def test_what_is_left_of_a_router_goes_after_a_reboot(self) -> None:
        """Its ports are in the switch's database still, and broken."""
        self.world.know(ROUTER)
        self.world.loop.stopService()
        self.world.namespaces.lose(NAMESPACE)
        for name in self.world.ports():
            self.world.ovsdb.set_ofport(name, -1, "no such device")
        del self.world.wanted[ROUTER_ID]
        self.world.begin()
        self.assertEqual((self.world.seen(), self.world.ports()), (None, {}))


class StrangerTests(ConvergerCase):
    """What others do."""

    def setUp(self) -> None:
        """Carry a router."""
        super().setUp()
        self.world.know(ROUTER)
        self.before = self.world.state()

    def assert_repaired(self, times: int) -> None:
        """It is as before, and that was counted."""
        self.world.settle()
        self.assertEqual(self.world.state(), self.before)
        self.assertEqual(self.world.converger.repaired, times)

    def test_what_is_as_it_shall_be_is_not_repaired(self) -> None:
        """Nor is what the role does itself counted."""
        self.world.namespaces.meddle(NAMESPACE)
        self.assert_repaired(0)

    def test_changes_inside_are_repaired_and_counted(self) -> None:
        """An address that went, one that came, a name, all filters."""
        self.world.namespaces.meddle(NAMESPACE, lambda seen: evolve(seen, addresses=frozenset()))
        self.assert_repaired(1)
        more = Address(INNER, "192.0.2.1/24")
        self.world.namespaces.meddle(NAMESPACE, lambda seen: evolve(seen, addresses=seen.addresses | {more}))
        self.assert_repaired(2)
        self.world.namespaces.lose_name(NAMESPACE)
        self.assert_repaired(3)
        self.world.namespaces.filters_of(NAMESPACE).flush()
        self.world.namespaces.meddle(NAMESPACE)
        self.assert_repaired(4)

    def test_a_namespace_that_went_comes_again(self) -> None:
        """With all that is in it, and plugged anew."""
        self.world.namespaces.lose(NAMESPACE)
        self.assert_repaired(1)

    def test_a_port_that_was_taken_away_is_plugged_again(self) -> None:
        """By its owner's mark it was known whose it is."""
        self.world.ovsdb.unplug(BRIDGE, OUTER)
        self.assert_repaired(1)

    def test_a_mark_of_a_router_that_nobody_knows_is_a_device_that_goes(self) -> None:
        """Whatever stands there."""
        for at, owner in enumerate(("../x", "x" * 500, "a\0b", "0a000000")):
            self.world.ovsdb.plug(BRIDGE, f"tapx{at}", {OWNER: owner})
        self.world.look()
        self.assertTrue(self.world.loop.is_converged, self.world.loop.waits_for)
        self.assertEqual(self.world.state(), self.before)

    def test_a_namespace_of_ours_that_nobody_asked_for_goes(self) -> None:
        """It begins as ours do."""
        self.world.namespaces.add(namespace_of("0f000000-0000-4000-8000-000000000001"))
        self.world.look()
        self.assertEqual(self.world.state(), self.before)

    def test_a_namespace_that_is_called_after_no_router_stays(self) -> None:
        """Though it begins as ours do."""
        self.world.namespaces.add(namespace_of("notes"))
        before = self.world.state()
        self.world.look()
        self.assertEqual(self.world.state(), before)


class TroubleTests(ConvergerCase):
    """What cannot be done."""

    def test_what_fails_is_tried_again_and_said(self) -> None:
        """The version that was realised stays."""
        self.world.know(ROUTER)
        realised = self.world.version
        self.world.namespaces.trouble = "the kernel is busy"
        self.world.know(evolve(ROUTER, enable_snat=False))
        self.assertEqual(self.report(), PortReport(ROUTER_ID, realised, True, "the kernel is busy"))
        self.world.namespaces.trouble = ""
        self.world.look()
        self.assertEqual(self.report(), PortReport(ROUTER_ID, self.world.version, True))

    def test_a_device_of_somebody_else_is_in_the_way(self) -> None:
        """It stays; the router says so, and is not plugged."""
        self.world.namespaces.outside[OUTER] = "theirs"
        self.world.know(ROUTER)
        report = self.report()
        self.assertIn("File exists", (report and report.fault) or "")
        self.assertEqual((self.world.namespaces.outside[OUTER], self.world.ports()), ("theirs", {}))
        del self.world.namespaces.outside[OUTER]
        self.world.look()
        self.assertEqual(self.report(), PortReport(ROUTER_ID, self.world.version, True))

    def test_what_is_heard_while_a_router_is_changed_is_looked_at_afterwards(self) -> None:
        """It may have come when all was read already."""
        self.world.know(ROUTER)
        before = self.world.state()
        namespaces, heard = self.world.namespaces, list[str]()

        def meddle_once(name: str) -> None:
            if not heard:
                heard.append(name)
                # The last deed is done, and the router is still looked at.
                namespaces.meddle(NAMESPACE, lambda seen: evolve(seen, routes=frozenset()))

        namespaces.on_change(meddle_once)
        self.world.know(evolve(ROUTER, interfaces=ROUTER.interfaces[:1]))
        self.world.know(ROUTER)
        self.assertEqual((heard, self.world.state()), ([NAMESPACE], before))
