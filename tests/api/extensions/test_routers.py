"""Routers: gateways, interfaces, routes, and what they protect."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from quantumd.model.context import Context
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))


class RouterCase(ResourceCase):
    """Has an external network, a network of Alice's with a subnet, and says how to do what."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.outside, self.outer = self.external("172.24.4.0/24")
        self.inside, self.inner = self.bed.network_with_subnet("10.0.0.0/24", ALICE)

    def external(self, cidr: str) -> tuple[str, str]:
        """Make an external network with a subnet; return their ids."""
        network = self.bed.create("network", router__external=True)["id"]
        return network, self.bed.create("subnet", network_id=network, ip_version=4, cidr=cidr)["id"]

    def router(self, context: Context = ALICE, **said: Any) -> View:
        """Make a router."""
        return self.bed.create("router", context, **said)

    def with_gateway(self, **more: Any) -> View:
        """Make one that leads outside."""
        return self.router(external_gateway_info={"network_id": self.outside, **more})

    def act(self, name: str, made: View, body: Any, context: Context = ALICE) -> View:
        """Do an action."""
        path = f"routers/<resource_id>/{name}"
        found: View = self.bed.act("PUT", path, body, context, resource_id=made["id"])
        return found

    def add(self, router: View, context: Context = ALICE, **body: Any) -> View:
        """Add an interface."""
        return self.act("add_router_interface", router, body, context)

    def remove(self, router: View, **body: Any) -> View:
        """Remove an interface."""
        return self.act("remove_router_interface", router, body)

    def shown(self, router: View) -> View:
        """Return the router as it is now."""
        return self.bed.show("router", router["id"], ALICE)

    def ports(self, router: View) -> list[View]:
        """Return the ports that the router uses."""
        return self.bed.listed("port", device_id=(router["id"],))


class RouterTests(RouterCase):
    """The resource."""

    def test_the_view_is_whole(self) -> None:
        """No host carries it: it is down."""
        made = self.router(name="r", description="d")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "name": "r",
                "description": "d",
                "project_id": "alice",
                "admin_state_up": True,
                "status": "DOWN",
                "external_gateway_info": None,
                "enable_ndp_proxy": False,
                "external_gateways": [],
                "enable_default_route_ecmp": False,
                "conntrack_helpers": [],
                "flavor_id": None,
                "availability_zone_hints": [],
                "availability_zones": [],
                "routes": [],
                "tags": [],
                "created_at": "2026-11-20T10:02:34Z",
                "updated_at": "2026-11-20T10:02:34Z",
                "revision_number": 1,
            },
        )
        self.assertEqual(self.shown(made), made)
        changed = self.bed.update("router", made["id"], ALICE, admin_state_up=False)
        self.assertEqual(changed, {**made, "admin_state_up": False, "revision_number": 2})

    def test_others_see_nothing_of_it(self) -> None:
        """It is its project's."""
        made = self.router()
        self.assertEqual(self.bed.listed("router", BOB), [])
        self.assert_refused(404, "RouterNotFound", self.bed.show, "router", made["id"], BOB)
        self.assert_refused(404, "RouterNotFound", self.add, made, BOB, subnet_id=self.inner)

    def test_one_in_use_stays(self) -> None:
        """What stands in a subnet is not deleted; what has only a gateway is, with its port."""
        made = self.with_gateway()
        port_id = self.add(made, subnet_id=self.inner)["port_id"]
        message = self.assert_refused(409, "RouterInUse", self.bed.delete, "router", made["id"], ALICE)
        self.assertEqual(message, f"Router {made['id']} has ports still attached: {port_id}")
        self.remove(made, subnet_id=self.inner)
        self.bed.delete("router", made["id"], ALICE)
        self.assertEqual(self.ports(made), [])


class GatewayTests(RouterCase):
    """The way out."""

    def test_it_takes_an_address_outside(self) -> None:
        """By a port of no project, which the router's owner does not see."""
        made = self.with_gateway()
        (port,) = self.ports(made)
        shown = {"network_id": self.outside, "external_fixed_ips": port["fixed_ips"], "enable_snat": True}
        self.assertEqual(made["external_gateway_info"], shown)
        self.assertEqual((port["device_owner"], port["project_id"]), ("network:router_gateway", ""))
        self.assertEqual(port["fixed_ips"][0]["subnet_id"], self.outer)
        self.assertEqual(self.shown(made), made)

    def test_it_goes_and_another_comes(self) -> None:
        """Null takes it away, and so does an empty object."""
        other, _ = self.external("172.25.0.0/24")
        made = self.with_gateway()
        moved = self.bed.update("router", made["id"], ALICE, external_gateway_info={"network_id": other})
        self.assertEqual(moved["external_gateway_info"]["network_id"], other)
        self.assertEqual(self.shown(made), moved)
        (port,) = self.ports(made)
        self.assertEqual(port["network_id"], other)
        nothing: tuple[Any, ...] = (None, {})
        for none in nothing:
            gone = self.bed.update("router", made["id"], ALICE, external_gateway_info=none)
            self.assertIsNone(gone["external_gateway_info"])
        self.assertEqual(self.ports(made), [])

    def test_an_administrator_chooses_addresses_and_translation(self) -> None:
        """Others may not; the same port gets the addresses."""
        wanted = [{"subnet_id": self.outer, "ip_address": "172.24.4.77"}]
        more = {"external_fixed_ips": wanted, "enable_snat": False}
        self.assert_refused(403, "PolicyNotAuthorized", self.with_gateway, **more)
        made = self.with_gateway()
        info = {"network_id": self.outside, **more}
        changed = self.bed.update("router", made["id"], ADMIN, external_gateway_info=info)
        self.assertEqual(changed["external_gateway_info"], info)
        kept = self.bed.update("router", made["id"], ALICE, external_gateway_info={"network_id": self.outside})
        self.assertEqual(kept["external_gateway_info"], info)
        self.assertEqual(self.shown(made)["external_gateway_info"], info)

    def test_it_must_be_an_external_network(self) -> None:
        """That the caller sees."""
        message = self.assert_refused(400, "BadRequest", self.router, external_gateway_info={"network_id": self.inside})
        self.assertEqual(message, f"Bad router request: Network {self.inside} is not an external network.")
        self.assert_refused(404, "NetworkNotFound", self.router, external_gateway_info={"network_id": UNKNOWN})

    def test_its_subnets_are_not_inside_too(self) -> None:
        """The router could not tell them apart, whichever comes first."""
        _, clash = self.bed.network_with_subnet("172.24.4.128/25", ALICE)
        made = self.router()
        self.add(made, subnet_id=clash)
        info = {"network_id": self.outside}
        self.assert_refused(400, "BadRequest", self.bed.update, "router", made["id"], ALICE, external_gateway_info=info)
        message = self.assert_refused(400, "BadRequest", self.add, self.with_gateway(), subnet_id=clash)
        self.assertIn(f"Cidr 172.24.4.128/25 of subnet {clash} overlaps with cidr 172.24.4.0/24", message)

    def test_it_gets_an_address_of_a_new_subnet_of_ipv6(self) -> None:
        """If it has none of that version, and the router does not stand in it; the router is told to have changed."""
        made, other = self.with_gateway(), self.with_gateway()
        inside: View = {"network_id": self.inside, "ip_version": 6, "cidr": "fd00:1::/64"}
        self.add(other, subnet_id=self.bed.create("subnet", ALICE, **inside)["id"])
        self.bed.create("subnet", network_id=self.outside, ip_version=4, cidr="172.25.0.0/24")
        self.assertEqual(self.shown(made), made)
        first = self.bed.create("subnet", network_id=self.outside, ip_version=6, cidr="fd00:1::/56")["id"]
        now = self.shown(made)
        own, added = now["external_gateway_info"]["external_fixed_ips"]
        self.assertEqual(([own], added["subnet_id"]), (made["external_gateway_info"]["external_fixed_ips"], first))
        self.assertEqual(now["revision_number"], made["revision_number"] + 1)
        self.assertEqual(len(self.shown(other)["external_gateway_info"]["external_fixed_ips"]), 1)
        self.bed.create("subnet", network_id=self.outside, ip_version=6, cidr="fd02::/64")
        self.assertEqual(self.shown(made), now)
        self.assertEqual(len(self.shown(other)["external_gateway_info"]["external_fixed_ips"]), 2)

    def test_every_subnet_outside_is_kept_apart(self) -> None:
        """Also one in which the router has no address: floating IPs come from it, and neighbours are there."""
        self.bed.create("subnet", network_id=self.outside, ip_version=4, cidr="172.25.0.0/16")
        made = self.with_gateway()
        _, clash = self.bed.network_with_subnet("172.25.7.0/24", ALICE)
        message = self.assert_refused(400, "BadRequest", self.add, made, subnet_id=clash)
        self.assertIn(f"Cidr 172.25.7.0/24 of subnet {clash} overlaps with cidr 172.25.0.0/16", message)
        other = self.router()
        self.add(other, subnet_id=clash)
        info = {"network_id": self.outside}
        message = self.assert_refused(
            400, "BadRequest", self.bed.update, "router", other["id"], ALICE, external_gateway_info=info
        )
        self.assertIn("Cidr 172.25.0.0/16 of subnet", message)


class InterfaceTests(RouterCase):
    """Where it stands inside."""

    def test_by_subnet(self) -> None:
        """It gets the gateway address, by a port of its project."""
        made = self.router()
        added = self.add(made, subnet_id=self.inner)
        port = self.bed.show("port", added["port_id"], ALICE)
        self.assertEqual(
            added,
            {
                "id": made["id"],
                "project_id": "alice",
                "port_id": port["id"],
                "network_id": self.inside,
                "subnet_id": self.inner,
                "subnet_ids": [self.inner],
            },
        )
        self.assertEqual(port["fixed_ips"], [{"subnet_id": self.inner, "ip_address": "10.0.0.1"}])
        self.assertEqual((port["device_owner"], port["device_id"]), ("network:router_interface", made["id"]))
        self.assertEqual((port["port_security_enabled"], port["security_groups"]), (False, []))
        self.assertEqual(self.shown(made)["revision_number"], 2)
        self.assertEqual(self.remove(made, subnet_id=self.inner), added)
        self.assertEqual(self.ports(made), [])

    def test_by_port(self) -> None:
        """It gets the port's addresses, and the port is the router's until it is removed."""
        port = self.bed.create("port", ALICE, network_id=self.inside)
        made = self.router()
        self.assertEqual(self.add(made, port_id=port["id"])["subnet_ids"], [self.inner])
        held = self.bed.show("port", port["id"], ALICE)
        self.assertEqual((held["device_owner"], held["device_id"]), ("network:router_interface", made["id"]))
        message = self.assert_refused(409, "PortInUse", self.add, self.router(), port_id=port["id"])
        self.assertIn(f"Port already has an attached device {made['id']}.", message)
        self.remove(made, port_id=port["id"])
        self.assert_refused(404, "PortNotFound", self.bed.show, "port", port["id"])

    def test_twice_in_one_subnet(self) -> None:
        """Is refused, and so are subnets with addresses in common."""
        made = self.router()
        self.add(made, subnet_id=self.inner)
        message = self.assert_refused(400, "BadRequest", self.add, made, subnet_id=self.inner)
        self.assertEqual(message, f"Bad router request: Router already has a port on subnet {self.inner}.")
        _, clash = self.bed.network_with_subnet("10.0.0.128/25", ALICE)
        self.assertIn("overlaps", self.assert_refused(400, "BadRequest", self.add, made, subnet_id=clash))

    def test_ipv6_subnets_of_a_network_share_a_port(self) -> None:
        """As today; each is removed by itself."""
        first, second = (
            self.bed.create("subnet", ALICE, network_id=self.inside, ip_version=6, cidr=cidr)["id"]
            for cidr in ("fd00:1::/64", "fd00:2::/64")
        )
        made = self.router()
        port_id = self.add(made, subnet_id=first)["port_id"]
        self.assertEqual(self.add(made, subnet_id=second)["port_id"], port_id)
        self.assertNotEqual(self.add(made, subnet_id=self.inner)["port_id"], port_id)
        self.remove(made, subnet_id=first)
        self.assertEqual([each["subnet_id"] for each in self.bed.show("port", port_id)["fixed_ips"]], [second])
        self.remove(made, subnet_id=second)
        self.assert_refused(404, "PortNotFound", self.bed.show, "port", port_id)

    def test_what_cannot_be_meant(self) -> None:
        """Nothing, both, no id, no gateway, no address, a subnet that the caller does not see."""
        made = self.router()
        both = {"port_id": UNKNOWN, "subnet_id": self.inner}
        for body in ({}, both):
            self.assert_refused(400, "BadRequest", self.add, made, **body)
        message = self.assert_refused(400, "BadRequest", self.add, made, subnet_id="x")
        self.assertEqual(message, "Bad router request: 'x' is not a valid UUID.")
        self.assert_refused(404, "SubnetNotFound", self.add, made, subnet_id=UNKNOWN)
        self.assert_refused(404, "PortNotFound", self.add, made, port_id=UNKNOWN)
        _, hidden = self.bed.network_with_subnet("10.9.0.0/24", BOB)
        self.assert_refused(404, "SubnetNotFound", self.add, made, subnet_id=hidden)
        alone = self.bed.create(
            "subnet", ALICE, network_id=self.inside, ip_version=4, cidr="10.8.0.0/24", gateway_ip=None
        )
        self.assert_refused(400, "BadRequest", self.add, made, subnet_id=alone["id"])
        bare = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[])
        self.assert_refused(400, "BadRequest", self.add, made, port_id=bare["id"])

    def test_what_is_not_there_is_not_removed(self) -> None:
        """By port, by subnet, and by a port with another subnet."""
        made = self.router()
        self.assert_refused(404, "RouterInterfaceNotFoundForSubnet", self.remove, made, subnet_id=self.inner)
        self.assert_refused(404, "RouterInterfaceNotFound", self.remove, made, port_id=UNKNOWN)
        port_id = self.add(made, subnet_id=self.inner)["port_id"]
        self.assert_refused(400, "SubnetMismatchForPort", self.remove, made, port_id=port_id, subnet_id=self.outer)

    def test_its_ports_are_protected(self) -> None:
        """They are neither deleted nor given to another device, nor may their subnet go."""
        made = self.with_gateway()
        port_id = self.add(made, subnet_id=self.inner)["port_id"]
        for each in self.ports(made):
            self.assert_refused(409, "ServicePortInUse", self.bed.delete, "port", each["id"])
        self.assert_refused(409, "ServicePortInUse", self.bed.update, "port", port_id, device_id="other")
        self.assert_refused(409, "SubnetInUse", self.bed.delete, "subnet", self.inner)


class RouteTests(RouterCase):
    """Routes beside those of the links."""

    def setUp(self) -> None:
        """A router with an interface."""
        super().setUp()
        self.made = self.router()
        self.add(self.made, subnet_id=self.inner)

    def routes(self, *routes: tuple[str, str]) -> list[View]:
        """Return routes as the API has them."""
        return [{"destination": destination, "nexthop": nexthop} for destination, nexthop in routes]

    def test_they_are_kept(self) -> None:
        """In their order; null takes them away."""
        wanted = self.routes(("10.77.0.0/16", "10.0.0.7"), ("10.78.0.0/16", "10.0.0.8"))
        changed = self.bed.update("router", self.made["id"], ALICE, routes=wanted)
        self.assertEqual((changed["routes"], self.shown(self.made)["routes"]), (wanted, wanted))
        self.assertEqual(self.bed.update("router", self.made["id"], ALICE, routes=None)["routes"], [])

    def test_next_hops_are_on_a_link(self) -> None:
        """And not the router itself."""
        for nexthop, reason in (("10.9.0.7", "is not connected with router"), ("10.0.0.1", "is used by router")):
            message = self.assert_refused(
                400, "InvalidRoutes", self.bed.update, "router", self.made["id"], ALICE,
                routes=self.routes(("10.77.0.0/16", nexthop)),
            )  # fmt: skip
            self.assertIn(reason, message)

    def test_next_hops_are_those_that_a_router_can_send_to(self) -> None:
        """Of the destination's version of IP, and a host: one that no kernel takes would keep the router DOWN."""
        more: View = {"network_id": self.inside, "ip_version": 6, "cidr": "fd00::/64"}
        self.add(self.made, subnet_id=self.bed.create("subnet", ALICE, **more)["id"])
        wrong = (
            ("10.77.0.0/16", "fd00::7", "is not of the IP version of the destination"),
            ("fd77::/64", "10.0.0.7", "is not of the IP version of the destination"),
            ("10.77.0.0/16", "10.0.0.255", "is not the address of a host"),
            ("10.77.0.0/16", "10.0.0.0", "is not the address of a host"),
        )
        for destination, nexthop, reason in wrong:
            routes = self.routes((destination, nexthop))
            message = self.assert_refused(
                400, "InvalidRoutes", self.bed.update, "router", self.made["id"], ALICE, routes=routes
            )
            self.assertIn(f"the nexthop {reason}", message)
            self.assert_refused(
                400, "InvalidRoutes", self.act, "add_extraroutes", self.made, {"router": {"routes": routes}}
            )
        self.bed.update("router", self.made["id"], ALICE, routes=self.routes(("fd77::/64", "fd00::7")))

    def test_they_are_bounded(self) -> None:
        """By the setting."""
        many = self.routes(*((f"10.{number}.0.0/16", "10.0.0.7") for number in range(100, 131)))
        self.assert_refused(400, "RoutesExhausted", self.bed.update, "router", self.made["id"], ALICE, routes=many)

    def test_they_hold_their_link(self) -> None:
        """What they lead out by is not removed."""
        self.bed.update("router", self.made["id"], ALICE, routes=self.routes(("10.77.0.0/16", "10.0.0.7")))
        self.assert_refused(409, "RouterInterfaceInUseByRoute", self.remove, self.made, subnet_id=self.inner)

    def test_some_come_and_go(self) -> None:
        """Atomically, among those that stay; what is there already, or not there, is no error."""
        first, second = self.routes(("10.77.0.0/16", "10.0.0.7"), ("10.78.0.0/16", "10.0.0.8"))
        for _ in range(2):
            answer = self.act("add_extraroutes", self.made, {"router": {"routes": [first]}})
        self.assertEqual(answer["router"]["routes"], [first])
        self.act("add_extraroutes", self.made, {"router": {"routes": [second]}})
        for _ in range(2):
            answer = self.act("remove_extraroutes", self.made, {"router": {"routes": [first]}})
        self.assertEqual((answer["router"]["routes"], answer["router"]["tenant_id"]), ([second], "alice"))
        wrong_shapes: tuple[Any, ...] = ({}, {"router": {}}, {"router": []})
        for body in wrong_shapes:
            self.assert_refused(400, "HTTPBadRequest", self.act, "add_extraroutes", self.made, body)
        wrong = {"routes": [{"destination": "x", "nexthop": "10.0.0.7"}]}
        message = self.assert_refused(400, "InvalidInput", self.act, "add_extraroutes", self.made, {"router": wrong})
        reason = "Invalid input for routes. Reason: 'x' is not a valid CIDR."
        self.assertEqual(message, f"Invalid input for operation: {reason}")
