"""Several external gateways of a router, and default routes over all of them."""

from __future__ import annotations

from typing import Any

from quantumd.api.extensions.routers.attributes import MOST_GATEWAYS
from quantumd.model.context import Context
from tests.api.extensions.test_routers import UNKNOWN, RouterCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View


class GatewaysCase(RouterCase):
    """Has two external networks more, and says how to change gateways."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.second, self.second_subnet = self.external("172.25.0.0/24")
        self.third, _ = self.external("172.26.0.0/24")

    def gateways(self, verb: str, made: View, *wanted: Any, context: Context = ALICE) -> View:
        """Change gateways, each by its network or by all that is said of it; return the router."""
        said = [{"network_id": each} if isinstance(each, str) else each for each in wanted]
        body = {"router": {"external_gateways": said}}
        changed: View = self.act(f"{verb}_external_gateways", made, body, context)["router"]
        self.assertEqual(changed.pop("tenant_id"), "alice")
        self.assertEqual(self.shown(made), changed)
        return changed

    def refused(self, status: int, kind: str, verb: str, made: View, *wanted: Any, context: Context = ALICE) -> str:
        """Expect that a change of gateways is refused and changes nothing; return why."""
        before = self.shown(made), len(self.ports(made))
        message = self.assert_refused(status, kind, self.gateways, verb, made, *wanted, context=context)
        self.assertEqual((self.shown(made), len(self.ports(made))), before)
        return message

    def networks(self, router: View) -> list[str]:
        """Return the networks of a router's gateways; the first is that of its external_gateway_info."""
        found = [str(each["network_id"]) for each in router["external_gateways"]]
        info = router["external_gateway_info"]
        self.assertEqual(
            info, {**router["external_gateways"][0], "enable_snat": info["enable_snat"]} if found else None
        )
        return found

    def at(self, network: str, *addresses: str) -> View:
        """Return what is said of a gateway by its addresses."""
        return {"network_id": network, "external_fixed_ips": [{"ip_address": each} for each in addresses]}

    def address(self, router: View, place: int = 0) -> str:
        """Return the address of a gateway."""
        return str(router["external_gateways"][place]["external_fixed_ips"][0]["ip_address"])

    def floating(self, network: str) -> View:
        """Have a floating IP lead to a new port inside."""
        port = self.bed.create("port", ALICE, network_id=self.inside)
        return self.bed.create("floatingip", ALICE, floating_network_id=network, port_id=port["id"])


class AddTests(GatewaysCase):
    """Beside those that are there."""

    def test_the_first_of_all_is_the_gateway(self) -> None:
        """Whatever way it was given; the others stand behind it, each with a port of its own."""
        made = self.gateways("add", self.router(), self.outside, self.second)
        self.assertEqual(self.networks(made), [self.outside, self.second])
        self.assertEqual(len(self.ports(made)), 2)
        one = self.with_gateway()
        self.assertEqual(self.networks(one), [self.outside])
        self.assertEqual(self.networks(self.gateways("add", one, self.second)), [self.outside, self.second])
        self.assertEqual(self.networks(self.gateways("add", one, self.third)), [self.outside, self.second, self.third])

    def test_two_in_one_network(self) -> None:
        """Each has an address of its own."""
        made = self.gateways("add", self.router(), self.outside, self.outside)
        self.assertEqual(self.networks(made), [self.outside, self.outside])
        self.assertNotEqual(self.address(made, 0), self.address(made, 1))

    def test_an_administrator_chooses_addresses_and_translation(self) -> None:
        """Of the first alone the latter is heard; others may neither."""
        made = self.router()
        first = {**self.at(self.outside, "172.24.4.77"), "enable_snat": False}
        for each in (self.at(self.outside, "172.24.4.77"), {"network_id": self.outside, "enable_snat": False}):
            self.refused(403, "PolicyNotAuthorized", "add", made, each)
        changed = self.gateways("add", made, first, self.at(self.second, "172.25.0.77"), context=ADMIN)
        self.assertFalse(changed["external_gateway_info"]["enable_snat"])
        self.assertEqual([self.address(changed, place) for place in (0, 1)], ["172.24.4.77", "172.25.0.77"])
        again = self.gateways("add", made, {"network_id": self.third, "enable_snat": True}, context=ADMIN)
        self.assertFalse(again["external_gateway_info"]["enable_snat"])

    def test_what_is_no_way_out(self) -> None:
        """Networks of the inside, what is not there, the address of another gateway; nothing of it stays."""
        made = self.with_gateway()
        self.assertIn("is not an external", self.refused(400, "BadRequest", "add", made, self.second, self.inside))
        self.refused(404, "NetworkNotFound", "add", made, UNKNOWN)
        wrong = self.at(self.second, "172.25.0.1")
        message = self.refused(400, "BadRequest", "add", made, wrong, context=ADMIN)
        self.assertIn("External IP 172.25.0.1 is the same as the gateway IP", message)
        self.refused(
            409, "IpAddressAlreadyAllocated", "add", made, self.at(self.outside, self.address(made)), context=ADMIN
        )

    def test_subnets_that_it_could_not_tell_apart(self) -> None:
        """Of two outsides, and of the inside and any outside, whichever comes first."""
        clash, clash_subnet = self.external("172.24.4.128/25")
        made = self.with_gateway()
        message = self.refused(400, "BadRequest", "add", made, clash)
        self.assertIn(f"Cidr 172.24.4.128/25 of subnet {clash_subnet} overlaps with cidr 172.24.4.0/24", message)
        _, inner = self.bed.network_with_subnet("172.25.0.128/25", ALICE)
        self.add(made, subnet_id=inner)
        self.refused(400, "BadRequest", "add", made, self.second)
        self.remove(made, subnet_id=inner)
        self.gateways("add", made, self.second)
        self.assert_refused(400, "BadRequest", self.add, made, subnet_id=inner)

    def test_nothing_changes_nothing(self) -> None:
        """An empty list of any kind, and a body that says nothing of gateways."""
        made = self.with_gateway()
        nothings: tuple[Any, ...] = ([], {}, None)
        bodies: tuple[View, ...] = (*({"external_gateways": each} for each in nothings), {})
        for body in bodies:
            for verb in ("add", "remove"):
                found = self.act(f"{verb}_external_gateways", made, {"router": body})["router"]
                self.assertEqual(found, {**made, "tenant_id": "alice"})

    def test_what_is_no_list_of_gateways(self) -> None:
        """Each says why."""
        made = self.router()
        bodies: tuple[Any, ...] = (None, [], {}, {"router": []})
        for body in bodies:
            self.assert_refused(400, "HTTPBadRequest", self.act, "add_external_gateways", made, body)
        wrongs: tuple[Any, ...] = (
            "x",
            [None],
            [{}],
            [{"network_id": "x"}],
            [{"network_id": self.outside, "more": 1}],
            {"x": 1},
        )
        for wrong in wrongs:
            said: View = {"router": {"external_gateways": wrong}}
            message = self.assert_refused(400, "InvalidInput", self.act, "add_external_gateways", made, said)
            self.assertIn("Invalid input for external_gateways. Reason", message)

    def test_there_is_a_limit(self) -> None:
        """For each router, in one request and in several."""
        made = self.gateways("add", self.router(), *[self.outside] * MOST_GATEWAYS)
        self.assertEqual(len(made["external_gateways"]), MOST_GATEWAYS)
        self.assertIn("at most", self.refused(400, "BadRequest", "add", made, self.outside))
        self.refused(400, "InvalidInput", "add", self.router(), *[self.outside] * (MOST_GATEWAYS + 1))

    def test_others_see_nothing_of_it(self) -> None:
        """It is its project's."""
        made = self.with_gateway()
        self.assert_refused(404, "RouterNotFound", self.gateways, "add", made, self.second, context=BOB)


class RemoveTests(GatewaysCase):
    """One after the other."""

    def setUp(self) -> None:
        """A router with two in one network and one in another."""
        super().setUp()
        self.made = self.gateways("add", self.router(), self.outside, self.second, self.outside)

    def test_by_network(self) -> None:
        """Where only one is there; the first that is left becomes the first."""
        self.assertEqual(self.networks(self.gateways("remove", self.made, self.second)), [self.outside] * 2)
        made = self.gateways("add", self.router(), self.outside, self.second)
        self.assertEqual(self.networks(self.gateways("remove", made, self.outside)), [self.second])
        self.assertEqual(self.networks(self.gateways("remove", made, self.second)), [])

    def test_by_addresses(self) -> None:
        """Where several are there; one of them will do, and so does a subnet of theirs. All may, who may remove any."""
        first = self.at(self.outside, self.address(self.made), "172.24.4.250")
        left = self.gateways("remove", self.made, first)
        self.assertEqual(self.networks(left), [self.second, self.outside])
        self.assertEqual(self.address(left, 1), self.address(self.made, 2))
        by_subnet = {"network_id": self.second, "external_fixed_ips": [{"subnet_id": self.second_subnet}]}
        self.assertEqual(self.networks(self.gateways("remove", self.made, by_subnet)), [self.outside])

    def test_what_is_not_there_or_not_told_apart(self) -> None:
        """Nothing goes then."""
        message = self.refused(400, "UnableToMatchGateways", "remove", self.made, self.second, self.outside)
        self.assertIn(f"multiple gateway ports are attached to the same network {self.outside}", message)
        for wrong in (self.third, self.at(self.second, "172.25.0.250")):
            message = self.refused(400, "UnableToMatchGateways", "remove", self.made, wrong)
            self.assertIn("could not match a gateway port attached to", message)
        self.refused(404, "NetworkNotFound", "remove", self.made, UNKNOWN)
        message = self.refused(400, "UnableToRemoveGateways", "remove", self.router(), self.outside)
        self.assertIn("the router does not have any external gateways", message)

    def test_one_that_floating_ips_need(self) -> None:
        """Unless another one leads to their network; the whole list is looked at together."""
        self.add(self.made, subnet_id=self.inner)
        one, two = self.floating(self.outside), self.floating(self.second)
        message = self.refused(409, "RouterExternalGatewayInUseByFloatingIp", "remove", self.made, self.second)
        self.assertIn(f"a gateway to external network {self.second} is required by one or more floating IPs", message)
        both = [self.at(self.outside, self.address(self.made, place)) for place in (0, 2)]
        self.refused(409, "RouterExternalGatewayInUseByFloatingIp", "remove", self.made, *both)
        self.assertEqual(self.networks(self.gateways("remove", self.made, both[0])), [self.second, self.outside])
        self.bed.update("floatingip", two["id"], ALICE, port_id=None)
        self.assertEqual(self.networks(self.gateways("remove", self.made, self.second)), [self.outside])
        self.assertEqual(self.bed.show("floatingip", one["id"], ALICE)["router_id"], self.made["id"])

    def test_one_that_routes_need(self) -> None:
        """Their next hop is on its link."""
        routes = [{"destination": "10.77.0.0/16", "nexthop": "172.25.0.9"}]
        self.bed.update("router", self.made["id"], ALICE, routes=routes)
        self.refused(400, "InvalidRoutes", "remove", self.made, self.second)

    def test_with_the_router_all_go(self) -> None:
        """And their ports."""
        self.bed.delete("router", self.made["id"], ALICE)
        self.assertEqual(self.ports(self.made), [])


class UpdateTests(GatewaysCase):
    """All at once."""

    def setUp(self) -> None:
        """A router with two."""
        super().setUp()
        self.made = self.gateways("add", self.router(), self.outside, self.second)
        self.port_ids = {each["id"] for each in self.ports(self.made)}

    def test_what_is_named_stays_comes_and_goes(self) -> None:
        """In the order in which it is named; those that stay keep their ports and addresses."""
        turned = self.gateways("update", self.made, self.second, self.outside)
        self.assertEqual(self.networks(turned), [self.second, self.outside])
        self.assertEqual({each["id"] for each in self.ports(self.made)}, self.port_ids)
        self.assertEqual(self.address(turned), self.address(self.made, 1))
        other = self.gateways("update", self.made, self.third, self.second)
        self.assertEqual(self.networks(other), [self.third, self.second])
        self.assertEqual(self.address(other, 1), self.address(self.made, 1))
        self.assertEqual(self.networks(self.gateways("update", self.made)), [])

    def test_addresses_change(self) -> None:
        """Of the first, of the others, and from one to the other."""
        first, second = (
            self.at(self.outside, "172.24.4.77"),
            self.at(self.second, self.address(self.made, 1), "172.25.0.78"),
        )
        self.refused(403, "PolicyNotAuthorized", "update", self.made, first)
        changed = self.gateways("update", self.made, first, second, context=ADMIN)
        self.assertEqual(self.address(changed), "172.24.4.77")
        self.assertEqual(len(changed["external_gateways"][1]["external_fixed_ips"]), 2)
        self.assertEqual({each["id"] for each in self.ports(self.made)}, self.port_ids)
        again = self.gateways("update", self.made, self.third, first, context=ADMIN)
        self.assertEqual((self.networks(again), self.address(again, 1)), ([self.third, self.outside], "172.24.4.77"))

    def test_translation_is_said_of_the_first(self) -> None:
        """What is not said stays."""
        off = self.gateways("update", self.made, {"network_id": self.second, "enable_snat": False}, context=ADMIN)
        self.assertFalse(off["external_gateway_info"]["enable_snat"])
        same = self.gateways("update", self.made, self.outside, self.second)
        self.assertFalse(same["external_gateway_info"]["enable_snat"])

    def test_two_of_one_network_are_told_apart_by_addresses(self) -> None:
        """Or not at all."""
        both = self.gateways("update", self.made, self.outside, self.outside)
        self.assertEqual(self.networks(both), [self.outside] * 2)
        self.refused(400, "UnableToMatchGateways", "update", self.made, self.outside)
        named = [self.at(self.outside, self.address(both, place)) for place in (1, 0)]
        turned = self.gateways("update", self.made, *named, context=ADMIN)
        self.assertEqual(
            [self.address(turned, place) for place in (1, 0)], [self.address(both, place) for place in (0, 1)]
        )

    def test_one_that_floating_ips_need_stays(self) -> None:
        """Or another one to the same network comes."""
        self.add(self.made, subnet_id=self.inner)
        self.floating(self.second)
        self.refused(409, "RouterExternalGatewayInUseByFloatingIp", "update", self.made, self.outside)
        self.refused(409, "RouterExternalGatewayInUseByFloatingIp", "update", self.made)
        self.assertEqual(self.networks(self.gateways("update", self.made, self.second)), [self.second])


class InfoTests(GatewaysCase):
    """What external_gateway_info changes where there are several."""

    def test_it_is_the_first_alone(self) -> None:
        """It moves to another network, it goes, and the next takes its place."""
        made = self.gateways("add", self.router(), self.outside, self.second)
        moved = self.bed.update("router", made["id"], ALICE, external_gateway_info={"network_id": self.third})
        self.assertEqual(self.networks(moved), [self.third, self.second])
        gone = self.bed.update("router", made["id"], ALICE, external_gateway_info=None)
        self.assertEqual(self.networks(gone), [self.second])
        self.assertEqual(self.networks(self.bed.update("router", made["id"], ALICE, external_gateway_info={})), [])

    def test_floating_ips_of_the_others_keep_it_from_nothing(self) -> None:
        """Their own gateway stays."""
        made = self.gateways("add", self.router(), self.outside, self.second)
        self.add(made, subnet_id=self.inner)
        floating = self.floating(self.second)
        self.assertEqual(floating["router_id"], made["id"])
        gone = self.bed.update("router", made["id"], ALICE, external_gateway_info=None)
        self.assertEqual(self.networks(gone), [self.second])
        last: View = {"external_gateway_info": None}
        self.assert_refused(
            409, "RouterExternalGatewayInUseByFloatingIp", self.bed.update, "router", made["id"], ALICE, **last
        )


class SpreadTests(GatewaysCase):
    """Default routes over all gateways."""

    def test_who_may_say_so(self) -> None:
        """Administrators; null changes nothing, and is no at first."""
        self.assert_refused(403, "PolicyNotAuthorized", self.router, enable_default_route_ecmp=True)
        made = self.router(ADMIN, project_id="alice", enable_default_route_ecmp=True)
        self.assertIs(made["enable_default_route_ecmp"], True)
        same = self.bed.update("router", made["id"], ADMIN, enable_default_route_ecmp=None)
        self.assertIs(same["enable_default_route_ecmp"], True)
        off: View = {"enable_default_route_ecmp": False}
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.update, "router", made["id"], ALICE, **off)
        self.assertIs(self.bed.update("router", made["id"], ADMIN, **off)["enable_default_route_ecmp"], False)
        self.assertIs(self.router(ADMIN, enable_default_route_ecmp=None)["enable_default_route_ecmp"], False)
