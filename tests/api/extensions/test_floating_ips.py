"""Floating IPs: where they are, where they lead, and what they hold."""

from __future__ import annotations

from typing import Any

from quantumd.model.context import Context
from tests.api.extensions.test_routers import UNKNOWN, RouterCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View


class FloatingCase(RouterCase):
    """Has a router that leads from Alice's subnet outside, and a port in the subnet."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.made = self.with_gateway()
        self.add(self.made, subnet_id=self.inner)
        self.port = self.bed.create("port", ALICE, network_id=self.inside)
        self.fixed = self.port["fixed_ips"][0]["ip_address"]

    def floating(self, context: Context = ALICE, **said: Any) -> View:
        """Make a floating IP."""
        return self.bed.create("floatingip", context, **{"floating_network_id": self.outside, **said})

    def now(self, floating: View) -> View:
        """Return it as it is now."""
        return self.bed.show("floatingip", floating["id"], ALICE)

    def where(self, floating: View) -> tuple[Any, Any, Any]:
        """Return where it leads."""
        return floating["port_id"], floating["fixed_ip_address"], floating["router_id"]


class FloatingIpTests(FloatingCase):
    """The resource."""

    def test_the_view_is_whole(self) -> None:
        """It has an address outside, by a port of no project; no host carries it: it is down."""
        made = self.floating(description="d")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "project_id": "alice",
                "description": "d",
                "floating_network_id": self.outside,
                "floating_ip_address": made["floating_ip_address"],
                "port_id": None,
                "fixed_ip_address": None,
                "router_id": None,
                "port_details": None,
                "port_forwardings": [],
                "qos_policy_id": None,
                "qos_network_policy_id": None,
                "dns_name": "",
                "dns_domain": "",
                "status": "DOWN",
                "tags": [],
                "created_at": "2026-11-20T10:02:34Z",
                "updated_at": "2026-11-20T10:02:34Z",
                "revision_number": 0,
            },
        )
        (port,) = self.bed.listed("port", device_id=(made["id"],))
        self.assertEqual((port["device_owner"], port["project_id"]), ("network:floatingip", ""))
        self.assertEqual(port["fixed_ips"], [{"subnet_id": self.outer, "ip_address": made["floating_ip_address"]}])
        self.assertEqual(self.now(made), made)
        self.assertEqual(self.bed.listed("floatingip", BOB), [])

    def test_its_name(self) -> None:
        """In a domain, from the beginning."""
        made = self.floating(dns_name="WWW", dns_domain="Tenant.Example.")
        self.assertEqual((made["dns_name"], made["dns_domain"]), ("www", "tenant.example."))
        self.assertEqual(self.now(made), made)
        long = ".".join(["a" * 60] * 4)
        for said in (
            {"dns_name": "www"},
            {"dns_domain": "b.example."},
            {"dns_name": long, "dns_domain": "much.too.long."},
        ):
            self.assert_refused(400, "BadRequest", self.floating, **said)

    def test_its_address_goes_with_it(self) -> None:
        """And is free again."""
        address = "172.24.4.99"
        self.assert_refused(403, "PolicyNotAuthorized", self.floating, floating_ip_address=address)
        made = self.floating(ADMIN, floating_ip_address=address)
        self.assertEqual(made["floating_ip_address"], address)
        self.assert_refused(409, "IpAddressAlreadyAllocated", self.floating, ADMIN, floating_ip_address=address)
        self.bed.delete("floatingip", made["id"], ADMIN)
        self.assertEqual(self.bed.listed("port", device_id=(made["id"],)), [])
        self.floating(ADMIN, floating_ip_address=address)

    def test_its_network_is_external(self) -> None:
        """And one that the caller sees, with a subnet of IPv4."""
        message = self.assert_refused(400, "BadRequest", self.floating, floating_network_id=self.inside)
        wanted = f"Bad floatingip request: Network {self.inside} is not a valid external network."
        self.assertEqual(message, wanted)
        self.assert_refused(404, "NetworkNotFound", self.floating, floating_network_id=UNKNOWN)
        bare = self.bed.create("network", router__external=True)["id"]
        self.assert_refused(400, "BadRequest", self.floating, floating_network_id=bare)

    def test_it_is_of_ipv4(self) -> None:
        """Whatever is named, and whatever else the network has."""
        more: View = {"ip_version": 6, "cidr": "fd01::/64"}
        other = self.bed.create("subnet", network_id=self.outside, **more)["id"]
        self.assertIn("172.24.4.", self.floating()["floating_ip_address"])
        message = self.assert_refused(400, "ExternalIpAddressExhausted", self.floating, subnet_id=other)
        self.assertEqual(message, f"Unable to find any IP address on external network {self.outside}.")
        self.assert_refused(400, "ExternalIpAddressExhausted", self.floating, ADMIN, floating_ip_address="fd01::7")
        bare = self.bed.create("network", router__external=True)["id"]
        self.bed.create("subnet", network_id=bare, **{**more, "cidr": "fd02::/64"})
        said: View = {"floating_network_id": bare, "floating_ip_address": "fd02::7"}
        message = self.assert_refused(400, "BadRequest", self.floating, ADMIN, **said)
        self.assertEqual(message, f"Bad floatingip request: Network {bare} does not contain any IPv4 subnet.")

    def test_it_is_of_the_first_subnet_with_room(self) -> None:
        """But for those that are for others; it has no other address, and none is left when all are taken."""
        outside = self.bed.create("network", router__external=True)["id"]
        for cidr, owner in (("172.30.0.0/30", ""), ("172.31.0.0/30", ""), ("172.29.0.0/24", "compute:nova")):
            served: View = {"service_types": [owner]} if owner else {}
            self.bed.create("subnet", network_id=outside, ip_version=4, cidr=cidr, enable_dhcp=False, **served)
        made = [self.floating(floating_network_id=outside) for _ in range(2)]
        self.assertEqual([each["floating_ip_address"] for each in made], ["172.30.0.2", "172.31.0.2"])
        (port,) = self.bed.listed("port", device_id=(made[1]["id"],))
        self.assertEqual([each["ip_address"] for each in port["fixed_ips"]], ["172.31.0.2"])
        self.assert_refused(409, "IpAddressGenerationFailure", self.floating, floating_network_id=outside)

    def test_its_port_is_protected(self) -> None:
        """It is not deleted beside it."""
        (port,) = self.bed.listed("port", device_id=(self.floating()["id"],))
        self.assert_refused(409, "ServicePortInUse", self.bed.delete, "port", port["id"])


class AssociationTests(FloatingCase):
    """Where it leads."""

    def test_from_the_beginning(self) -> None:
        """By the router between the two."""
        made = self.floating(port_id=self.port["id"])
        self.assertEqual(self.where(made), (self.port["id"], self.fixed, self.made["id"]))
        self.assertEqual(self.now(made), made)

    def test_to_and_fro(self) -> None:
        """To a port, to another, to none; what says nothing of it leaves it."""
        made = self.floating()
        led = self.bed.update("floatingip", made["id"], ALICE, port_id=self.port["id"])
        self.assertEqual(self.where(led), (self.port["id"], self.fixed, self.made["id"]))
        names = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")
        self.assertEqual(led["port_details"], {name: self.port[name] for name in names})
        self.assertEqual(self.now(made)["port_details"], led["port_details"])
        told = self.bed.update("floatingip", made["id"], ALICE, description="d")
        self.assertEqual(self.where(told), self.where(led))
        other = self.bed.create("port", ALICE, network_id=self.inside)
        moved = self.bed.update("floatingip", made["id"], ALICE, port_id=other["id"])
        self.assertEqual(moved["port_id"], other["id"])
        none = self.bed.update("floatingip", made["id"], ALICE, port_id=None)
        self.assertEqual((self.where(none), self.where(self.now(made))), ((None, None, None), (None, None, None)))
        self.assertIsNone(none["port_details"])

    def test_to_one_of_several_addresses(self) -> None:
        """Then it must be said to which."""
        port = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[{"subnet_id": self.inner}] * 2)
        self.assert_refused(400, "BadRequest", self.floating, port_id=port["id"])
        address = port["fixed_ips"][1]["ip_address"]
        made = self.floating(port_id=port["id"], fixed_ip_address=address)
        self.assertEqual(made["fixed_ip_address"], address)
        self.assert_refused(400, "BadRequest", self.floating, port_id=port["id"], fixed_ip_address="10.0.0.250")
        self.assert_refused(400, "BadRequest", self.floating, fixed_ip_address=address)

    def test_to_what_it_cannot(self) -> None:
        """A port that is not seen, one without IPv4, the one of DHCP, one that no router leads to."""
        self.assert_refused(404, "PortNotFound", self.floating, port_id=UNKNOWN)
        self.assert_refused(404, "PortNotFound", self.floating, BOB, port_id=self.port["id"])
        bare = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[])
        self.assert_refused(400, "BadRequest", self.floating, port_id=bare["id"])
        (served,) = self.bed.listed("port", ALICE, network_id=(self.inside,), device_owner=("network:dhcp",))
        message = self.assert_refused(400, "BadRequest", self.floating, ADMIN, port_id=served["id"])
        self.assertIn(f"Port {served['id']} is unable to be assigned a floating IP", message)
        network, subnet = self.bed.network_with_subnet("10.5.0.0/24", ALICE)
        port = self.bed.create("port", ALICE, network_id=network)
        message = self.assert_refused(404, "ExternalGatewayForFloatingIPNotFound", self.floating, port_id=port["id"])
        self.assertIn(f"External network {self.outside} is not reachable from subnet {subnet}.", message)

    def test_by_the_router_that_is_the_subnet_s_gateway(self) -> None:
        """Of several between the two, whichever was first."""
        network, subnet = self.bed.network_with_subnet("10.5.0.0/24", ALICE)
        beside, gateway = [], self.with_gateway()
        for number in range(4):
            beside.append(self.with_gateway())
            fixed_ips = [{"subnet_id": subnet, "ip_address": f"10.5.0.{number + 10}"}]
            at = self.bed.create("port", ALICE, network_id=network, fixed_ips=fixed_ips)["id"]
            self.add(beside[-1], port_id=at)
        port = self.bed.create("port", ALICE, network_id=network)["id"]
        among = {each["id"] for each in beside}
        self.assertIn(self.floating(port_id=port)["router_id"], among)
        self.add(gateway, subnet_id=subnet)
        other = self.bed.create("port", ALICE, network_id=network)["id"]
        self.assertEqual(self.floating(port_id=other)["router_id"], gateway["id"])

    def test_one_for_an_address(self) -> None:
        """Of one external network."""
        self.floating(port_id=self.port["id"])
        self.assert_refused(409, "FloatingIPPortAlreadyAssociated", self.floating, port_id=self.port["id"])

    def test_a_port_that_goes_lets_go(self) -> None:
        """The floating IP stays, and that it leads nowhere is journalled."""
        made = self.floating(port_id=self.port["id"])
        self.bed.delete("port", self.port["id"], ALICE)
        self.assertEqual(self.where(self.now(made)), (None, None, None))
        self.assertIn(("floatingip", "update"), self.journalled()[-2:])

    def test_it_holds_its_address(self) -> None:
        """Which would be somebody else's next; the port may have others beside it."""
        made = self.floating(port_id=self.port["id"])
        for fixed_ips in ([], [{"subnet_id": self.inner, "ip_address": "10.0.0.77"}]):
            message = self.assert_refused(
                400, "BadRequest", self.bed.update, "port", self.port["id"], ALICE, fixed_ips=fixed_ips
            )
            self.assertIn("its original fixed_ip has been associated to a floating ip", message)
        several = [{"subnet_id": self.inner}, {"ip_address": self.fixed}]
        self.bed.update("port", self.port["id"], ALICE, fixed_ips=several)
        self.bed.update("floatingip", made["id"], ALICE, port_id=None)
        self.bed.update("port", self.port["id"], ALICE, fixed_ips=[])

    def test_it_holds_its_router(self) -> None:
        """Neither the gateway nor the interface that it leads by is taken away."""
        made = self.floating(port_id=self.port["id"])
        self.assert_refused(409, "RouterInterfaceInUseByFloatingIP", self.remove, self.made, subnet_id=self.inner)
        self.assert_refused(
            409, "RouterExternalGatewayInUseByFloatingIp", self.bed.update, "router", self.made["id"], ALICE,
            external_gateway_info=None,
        )  # fmt: skip
        self.bed.update("floatingip", made["id"], ALICE, port_id=None)
        self.remove(self.made, subnet_id=self.inner)
        self.bed.delete("router", self.made["id"], ALICE)


class PoolTests(FloatingCase):
    """Where they can come from."""

    def test_ipv4_subnets_of_external_networks(self) -> None:
        """Of those that the caller sees, as its own project's; nothing inside, and none of IPv6."""
        other, second = self.external("172.25.0.0/24")
        more: View = {"ip_version": 6, "cidr": "fd01::/64"}
        self.bed.create("subnet", network_id=other, **more)
        (policy,) = self.bed.listed("rbac_policy", object_id=(other,))
        self.bed.update("rbac_policy", policy["id"], target_tenant=UNKNOWN)
        seen = {"subnet_id": self.outer, "subnet_name": "", "network_id": self.outside, "cidr": "172.24.4.0/24"}
        self.assertEqual(self.bed.listed("floatingip_pool", ALICE), [{**seen, "project_id": "alice"}])
        self.assertEqual(self.bed.listed("floatingip_pool", BOB), [{**seen, "project_id": "bob"}])
        self.assertEqual({each["subnet_id"] for each in self.bed.listed("floatingip_pool")}, {self.outer, second})
