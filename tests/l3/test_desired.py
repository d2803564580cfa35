"""What the records ask of a router's namespace."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netns.interfaces import Address, Device, Route
from quantumd.l3.desired import DesiredRouter, desire, keys_of
from quantumd.l3.names import namespace_of, router_in
from quantumd.model.router_records import RouterRecord, RouterRoute
from tests.l3.world import FLOATING, GATEWAY_INNER, GATEWAY_OUTER, INNER, INTERFACE, OUTER, ROUTER, ROUTER_ID


def desired(router: RouterRecord) -> DesiredRouter:
    """Return what is desired of a router that shall be there."""
    found = desire(router)
    assert found is not None
    return found


class DesireTests(SynchronousTestCase):
    """Wires, addresses, routes."""

    def test_a_router_that_is_not_or_is_disabled_shall_not_be_there(self) -> None:
        """Nothing of it."""
        self.assertIsNone(desire(None))
        self.assertIsNone(desire(evolve(ROUTER, admin_state_up=False)))

    def test_each_port_is_a_wire(self) -> None:
        """Its ends are known by the port's id; the gateway's by another prefix."""
        wires = desired(ROUTER).wires
        inner = Device(INNER, INTERFACE.mac_address, 1450, OUTER)
        self.assertEqual((wires[INNER].device, wires[INNER].port_id), (inner, INTERFACE.port_id))
        self.assertEqual(wires[GATEWAY_INNER].device.outer, GATEWAY_OUTER)
        self.assertEqual(len(wires), 3)
        self.assertTrue(all(len(name) < 16 and len(wire.device.outer) < 16 for name, wire in wires.items()))

    def test_it_answers_to_its_ports_addresses_and_to_floating_ips(self) -> None:
        """Those are the gateway's, each by itself."""
        addresses = desired(ROUTER).addressing.addresses
        self.assertIn(Address(INNER, "10.0.0.1/24"), addresses)
        self.assertIn(Address(INNER, "fd00::1/64"), addresses)
        self.assertIn(Address(GATEWAY_INNER, f"{FLOATING.floating_ip}/32"), addresses)

    def test_it_sends_what_it_does_not_know_to_the_outside(self) -> None:
        """Unless a route of the user says otherwise; several next hops are one route."""
        default = Route("0.0.0.0/0", ("203.0.113.1",), GATEWAY_INNER)
        self.assertEqual(desired(ROUTER).addressing.routes, {default, Route("10.9.0.0/16", ("10.0.0.9",))})
        routes = (RouterRoute("0.0.0.0/0", "10.0.0.9"), RouterRoute("0.0.0.0/0", "10.0.0.8"))
        own = desired(evolve(ROUTER, routes=routes)).addressing.routes
        self.assertEqual(own, {Route("0.0.0.0/0", ("10.0.0.8", "10.0.0.9"))})

    def test_a_route_to_where_the_router_does_not_stand_is_none(self) -> None:
        """As while the port is disabled through which it goes: all else is carried; of several next hops the others."""
        far = RouterRoute("10.8.0.0/16", "10.0.77.9")
        itself = RouterRoute("10.7.0.0/16", FLOATING.floating_ip)
        routes = (*ROUTER.routes, far, itself, RouterRoute("10.9.0.0/16", "10.0.77.9"))
        found = desired(evolve(ROUTER, routes=routes)).addressing.routes
        self.assertEqual({each for each in found if not each.device}, {Route("10.9.0.0/16", ("10.0.0.9",))})

    def test_a_route_that_no_kernel_takes_is_none(self) -> None:
        """All else is carried."""
        wrong = (RouterRoute("10.8.0.0/16", "fd00::9"), RouterRoute("fd08::/64", "10.0.0.9"))
        broadcast = RouterRoute("10.7.0.0/16", "10.0.0.255")
        found = desired(evolve(ROUTER, routes=(*wrong, broadcast, *ROUTER.routes))).addressing.routes
        self.assertEqual({each for each in found if not each.device}, {Route("10.9.0.0/16", ("10.0.0.9",))})

    def test_without_a_gateway_nothing_is_translated(self) -> None:
        """There are no filters."""
        filters = desired(evolve(ROUTER, gateway=None, floating_ips=(), nexthops=())).filters
        self.assertEqual((filters.chains, filters.sets, filters.elements), ({}, {}, {}))

    def test_a_floating_ip_leads_in_and_out(self) -> None:
        """By two maps."""
        elements = desired(ROUTER).filters.elements
        self.assertEqual(elements["inet", "floating", FLOATING.floating_ip], FLOATING.fixed_ip)
        self.assertEqual(elements["inet", "fixed", FLOATING.fixed_ip], FLOATING.floating_ip)

    def test_only_records_of_routers_are_work(self) -> None:
        """Each router is a piece of it."""
        self.assertEqual(keys_of({(RouterRecord.kind, ROUTER_ID), ("l2.port", "x")}), {("router", ROUTER_ID)})

    def test_a_namespace_is_known_again(self) -> None:
        """By its name."""
        self.assertEqual(router_in(namespace_of(ROUTER_ID)), ROUTER_ID)
