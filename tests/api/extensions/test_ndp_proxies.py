"""NDP proxies: for whom routers answer, what that asks of them, and what takes it away."""

from __future__ import annotations

from typing import Any

from quantumd.model.context import Context
from tests.api.extensions.test_routers import UNKNOWN, RouterCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View


class ProxyCase(RouterCase):
    """Has a router from a network of Alice's to an external one, both in one address scope, and a port inside."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        scope = self.bed.create("address_scope", ip_version=6, name="world", shared=True)["id"]
        more: View = {"address_scope_id": scope, "shared": True, "prefixes": ["2001:db8::/48"]}
        self.pool = self.bed.create("subnetpool", name="all", default_prefixlen=64, **more)["id"]
        self.outer6 = self.pooled(self.outside, ADMIN)
        self.inner6 = self.pooled(self.inside, ALICE)
        self.made = self.outward(enable_ndp_proxy=True)
        for subnet_id in (self.inner, self.inner6):
            self.add(self.made, subnet_id=subnet_id)
        self.port = self.bed.create("port", ALICE, network_id=self.inside)
        self.address = self.address_in(self.port, self.inner6)

    def outward(self, **said: Any) -> View:
        """Make a router that leads outside."""
        return self.router(external_gateway_info={"network_id": self.outside}, **said)

    def pooled(self, network_id: str, context: Context) -> str:
        """Make a subnet of the pool."""
        body: View = {"network_id": network_id, "ip_version": 6, "subnetpool_id": self.pool}
        return str(self.bed.create("subnet", context, **body)["id"])

    def address_in(self, port: View, subnet_id: str) -> str:
        """Return the address of a port in a subnet."""
        return str(next(each["ip_address"] for each in port["fixed_ips"] if each["subnet_id"] == subnet_id))

    def proxy(self, context: Context = ALICE, **said: Any) -> View:
        """Make an NDP proxy for Alice's port."""
        return self.bed.create(
            "ndp_proxy", context, **{"router_id": self.made["id"], "port_id": self.port["id"], **said}
        )

    def change(self, **changes: Any) -> View:
        """Change the router."""
        return self.bed.update("router", self.made["id"], ADMIN, **changes)


class ProxyTests(ProxyCase):
    """The resource."""

    def test_the_view_is_whole(self) -> None:
        """The address is the port's, as none is named."""
        made = self.proxy(name="n", description="d")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "name": "n",
                "description": "d",
                "project_id": "alice",
                "router_id": self.made["id"],
                "port_id": self.port["id"],
                "ip_address": self.address,
                "created_at": "2026-11-20T10:02:34Z",
                "updated_at": "2026-11-20T10:02:34Z",
                "revision_number": 1,
            },
        )
        self.assertEqual(self.bed.show("ndp_proxy", made["id"], ALICE), made)
        self.assertEqual(self.bed.listed("ndp_proxy", BOB), [])

    def test_only_its_name_and_description_change(self) -> None:
        """With a new revision."""
        made = self.proxy()
        changed = self.bed.update("ndp_proxy", made["id"], ALICE, name="m", description="e" * 1024)
        self.assertEqual((changed["name"], len(changed["description"]), changed["revision_number"]), ("m", 1024, 2))
        for name, value in (("ip_address", self.address), ("port_id", UNKNOWN), ("router_id", UNKNOWN)):
            said = {name: value}
            self.assert_refused(400, "HTTPBadRequest", self.bed.update, "ndp_proxy", made["id"], ALICE, **said)

    def test_they_are_found(self) -> None:
        """By router, port, address and name."""
        made = self.proxy(name="n")
        for filters in (
            {"router_id": (self.made["id"],)}, {"port_id": (self.port["id"],)}, {"ip_address": (self.address,)},
            {"name": ("n",)}, {"project_id": ("alice",)},
        ):  # fmt: skip
            self.assertEqual(self.bed.listed("ndp_proxy", ALICE, **filters), [made], filters)
        self.assertEqual(self.bed.listed("ndp_proxy", ALICE, ip_address=("2001:db8::77",)), [])

    def test_an_address_of_the_port(self) -> None:
        """Of several the one that is named; each once."""
        subnet = {"subnet_id": self.inner6}
        port = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[subnet, subnet])
        first, second = (each["ip_address"] for each in port["fixed_ips"])
        self.assertEqual(self.proxy(port_id=port["id"], ip_address=second)["ip_address"], second)
        self.assertEqual(self.proxy(port_id=port["id"])["ip_address"], first)
        told = self.assert_refused(409, "NeutronDbObjectDuplicateEntry", self.proxy, port_id=port["id"])
        self.assertIn("['router_id', 'ip_address']", told)

    def test_wrong_addresses(self) -> None:
        """Not the port's; of IPv4; of a subnet where the router is not."""
        for address in ("2001:db8::77", self.address_in(self.port, self.inner)):
            told = self.assert_refused(400, "InvalidAddress", self.proxy, ip_address=address)
            self.assertEqual(
                told,
                f"The address {address} is invalid, reason: This address not belong to the port {self.port['id']}.",
            )
        apart = self.pooled(self.inside, ALICE)
        port = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[{"subnet_id": apart}])
        address = self.address_in(port, apart)
        told = self.assert_refused(400, "InvalidAddress", self.proxy, port_id=port["id"], ip_address=address)
        self.assertEqual(
            told, f"The address {address} is invalid, reason: This address cannot reach the router {self.made['id']}."
        )
        self.assert_refused(409, "PortUnreachableRouter", self.proxy, port_id=port["id"])

    def test_ports_that_cannot_be_meant(self) -> None:
        """Without IPv6, elsewhere, others', and none."""
        plain = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[{"subnet_id": self.inner}])
        told = self.assert_refused(400, "BadRequest", self.proxy, port_id=plain["id"])
        self.assertEqual(
            told, f"Bad ndp_proxy request: Requested port {plain['id']} must allocate one IPv6 address at least."
        )
        elsewhere, _ = self.bed.network_with_subnet("10.3.0.0/24", ALICE)
        far = self.bed.create("port", ALICE, network_id=elsewhere)
        told = self.assert_refused(409, "PortUnreachableRouter", self.proxy, port_id=far["id"])
        self.assertEqual(told, f"The port {far['id']} cannot reach the router {self.made['id']} by IPv6 subnet.")
        self.assert_refused(404, "PortNotFound", self.proxy, BOB)
        self.assert_refused(404, "PortNotFound", self.proxy, port_id=UNKNOWN)
        self.assert_refused(404, "RouterNotFound", self.proxy, router_id=UNKNOWN)

    def test_address_scopes_must_agree(self) -> None:
        """Else nothing is forwarded as it is."""
        network = self.bed.create("network", ALICE)["id"]
        subnet = self.bed.create("subnet", ALICE, network_id=network, ip_version=6, cidr="fd09::/64")["id"]
        self.add(self.made, subnet_id=subnet)
        port = self.bed.create("port", ALICE, network_id=network)
        told = self.assert_refused(409, "AddressScopeConflict", self.proxy, port_id=port["id"])
        self.assertIn("internal network's IPv6 address scope None.", told)

    def test_a_router_that_does_not_answer(self) -> None:
        """It has to be told that it shall."""
        self.change(enable_ndp_proxy=False)
        told = self.assert_refused(409, "RouterNDPProxyNotEnable", self.proxy)
        self.assertIn(f"The enable_ndp_proxy parameter of router {self.made['id']} must be set as True", told)


class RouterSideTests(ProxyCase):
    """``enable_ndp_proxy``."""

    def test_a_new_router_does_not_unless_told(self) -> None:
        """With null neither."""
        self.assertTrue(self.shown(self.made)["enable_ndp_proxy"])
        self.assertFalse(self.outward()["enable_ndp_proxy"])
        self.assertFalse(self.outward(enable_ndp_proxy=None)["enable_ndp_proxy"])
        found = self.bed.listed("router", ALICE, enable_ndp_proxy=("true",))
        self.assertEqual([each["id"] for each in found], [self.made["id"]])

    def test_a_gateway_is_needed(self) -> None:
        """In an address scope of IPv6, with an IPv6 address."""
        told = self.assert_refused(409, "RouterGatewayNotValid", self.router, enable_ndp_proxy=True)
        self.assertIn("The request body not contain external gateway information.", told)
        other, _ = self.external("172.24.9.0/24")
        info: View = {"network_id": other}
        told = self.assert_refused(
            409, "RouterGatewayNotValid", self.router, external_gateway_info=info, enable_ndp_proxy=True
        )
        self.assertIn(f"The external network {other} don't support IPv6 ndp proxy", told)
        bare = self.router()
        told = self.assert_refused(
            409, "RouterGatewayNotValid", self.bed.update, "router", bare["id"], ALICE, enable_ndp_proxy=True
        )
        self.assertIn("The router has no external gateway", told)
        info = {"network_id": self.outside, "external_fixed_ips": [{"subnet_id": self.outer}]}
        self.assert_refused(
            409,
            "RouterGatewayNotValid",
            self.bed.create,
            "router",
            ADMIN,
            external_gateway_info=info,
            enable_ndp_proxy=True,
        )

    def test_other_changes_leave_it(self) -> None:
        """Neutron would switch it on with a new name."""
        self.assertTrue(self.change(name="n")["enable_ndp_proxy"])
        self.assertFalse(self.change(enable_ndp_proxy=False)["enable_ndp_proxy"])
        self.assertFalse(self.change(name="m", external_gateway_info={"network_id": self.outside})["enable_ndp_proxy"])
        self.assertTrue(self.change(enable_ndp_proxy=True)["enable_ndp_proxy"])

    def test_it_goes_with_the_gateway(self) -> None:
        """And does not come back with another."""
        told = self.assert_refused(
            409, "RouterGatewayNotValid", self.change, external_gateway_info=None, enable_ndp_proxy=True
        )
        self.assertIn("The router's external gateway will be unset.", told)
        self.assertFalse(self.change(external_gateway_info=None)["enable_ndp_proxy"])
        self.assertFalse(self.change(external_gateway_info={"network_id": self.outside})["enable_ndp_proxy"])

    def test_another_network_may_do_without(self) -> None:
        """Then it answers no more."""
        other, _ = self.external("172.24.9.0/24")
        self.assertFalse(self.change(external_gateway_info={"network_id": other})["enable_ndp_proxy"])

    def test_the_gateway_keeps_its_address(self) -> None:
        """Of IPv6, while the router answers."""
        info: View = {"network_id": self.outside, "external_fixed_ips": [{"subnet_id": self.outer}]}
        told = self.assert_refused(409, "RouterIPv6GatewayInUse", self.change, external_gateway_info=info)
        self.assertIn("the IPv6 subnet in use by the router's ndp proxy.", told)
        self.change(enable_ndp_proxy=False)
        self.assertFalse(self.change(external_gateway_info=info)["enable_ndp_proxy"])

    def test_switched_off_while_it_is_used(self) -> None:
        """As in Neutron: what it answers for stays, and is answered for when it is switched on again."""
        made = self.proxy()
        self.assertFalse(self.change(enable_ndp_proxy=False)["enable_ndp_proxy"])
        self.assertEqual(self.bed.listed("ndp_proxy", ALICE), [made])


class HoldingTests(ProxyCase):
    """What a proxy holds, and what takes it along."""

    def test_the_gateway_and_the_interface_stay(self) -> None:
        """Until it is gone; other interfaces may go."""
        made = self.proxy()
        other, _ = self.external("172.24.9.0/24")
        for info in (None, {"network_id": other}):
            told = self.assert_refused(409, "RouterGatewayInUseByNDPProxy", self.change, external_gateway_info=info)
            self.assertIn(f"Unable to unset external gateway of router {self.made['id']}", told)
        told = self.assert_refused(409, "RouterInterfaceInUseByNDPProxy", self.remove, self.made, subnet_id=self.inner6)
        self.assertIn(f"Unable to remove subnet {self.inner6} from router {self.made['id']}", told)
        self.remove(self.made, subnet_id=self.inner)
        self.bed.delete("ndp_proxy", made["id"], ALICE)
        self.assert_refused(404, "NDPProxyNotFound", self.bed.show, "ndp_proxy", made["id"], ALICE)
        self.remove(self.made, subnet_id=self.inner6)
        self.change(external_gateway_info=None)
        self.bed.delete("router", self.made["id"], ALICE)

    def test_it_goes_with_the_port_or_its_address(self) -> None:
        """And that is journalled; with another address of the port it stays."""
        self.proxy()
        more = [*self.port["fixed_ips"], {"subnet_id": self.inner6}]
        self.bed.update("port", self.port["id"], ALICE, fixed_ips=more)
        self.assertEqual(len(self.bed.listed("ndp_proxy", ALICE)), 1)
        self.bed.update("port", self.port["id"], ALICE, fixed_ips=[{"subnet_id": self.inner}])
        self.assertEqual(self.bed.listed("ndp_proxy", ALICE), [])
        self.assertIn(("ndp_proxy", "delete"), self.journalled())
        other = self.bed.create("port", ALICE, network_id=self.inside)
        self.proxy(port_id=other["id"])
        self.bed.delete("port", other["id"], ALICE)
        self.assertEqual(self.bed.listed("ndp_proxy", ALICE), [])
        self.assertEqual(self.journalled().count(("ndp_proxy", "delete")), 2)
