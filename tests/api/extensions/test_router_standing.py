"""In which subnets a router may be made to stand, and by whom."""

from __future__ import annotations

from uuid import UUID

from attrs import evolve

from tests.api.extensions.test_routers import UNKNOWN, RouterCase
from tests.api.resources.bed import ADMIN, ALICE, BOB, View

CAROL = evolve(ALICE, project_id=UNKNOWN)
"""Of a project whose id grants can name."""


class LeaveTests(RouterCase):
    """A router at the gateway address of a subnet gets all that leaves it."""

    def shared(self, target: str, action: str = "access_as_shared") -> tuple[str, str]:
        """Make a network of the operator's with a subnet that a project may use, or all; return their ids."""
        network, subnet = self.bed.network_with_subnet("10.50.0.0/24")
        grant: View = {"object_type": "network", "target_tenant": target, "action": action}
        self.bed.create("rbac_policy", object_id=network, **grant)
        return network, subnet

    def test_nobody_leads_others_elsewhere(self) -> None:
        """What is shared with everybody, or leads outside, has its gateway from its owner."""
        for _, subnet in (self.shared("*"), self.shared(UNKNOWN, "access_as_external")):
            message = self.assert_refused(400, "BadRequest", self.add, self.router(CAROL), CAROL, subnet_id=subnet)
            reason = f"subnet {subnet} is not owned by project making the request."
            self.assertEqual(message, f"Bad router request: Cannot add interface to router because {reason}")
            self.add(self.router(ADMIN), ADMIN, subnet_id=subnet)

    def test_what_is_shared_with_a_project_by_name_is_shared_whole(self) -> None:
        """As in Neutron."""
        _, subnet = self.shared(UNKNOWN)
        self.assert_refused(404, "SubnetNotFound", self.add, self.router(BOB), BOB, subnet_id=subnet)
        self.assertEqual(self.add(self.router(CAROL), CAROL, subnet_id=subnet)["subnet_ids"], [subnet])

    def test_a_port_has_an_address_that_anybody_could_have(self) -> None:
        """Of the pools, unless the subnet is one's own."""
        network, subnet = self.shared("*")
        plain = self.bed.create("port", ALICE, network_id=network)["id"]
        self.add(self.router(), port_id=plain)
        said: View = {"network_id": network, "project_id": "alice", "fixed_ips": [{"ip_address": "10.50.0.1"}]}
        at_gateway = self.bed.create("port", **said)["id"]
        message = self.assert_refused(400, "BadRequest", self.add, self.router(), port_id=at_gateway)
        self.assertIn(f"specified port {at_gateway} has an IP address out of the allocation pool", message)
        self.assertIn(f"of subnet {subnet}, which is not owned by the project making the request", message)
        self.add(self.router(ADMIN), ADMIN, port_id=at_gateway)
        own: View = {"network_id": self.inside, "fixed_ips": [{"ip_address": "10.0.0.1"}]}
        self.add(self.router(), port_id=self.bed.create("port", ALICE, **own)["id"])

    def test_nobody_says_that_a_port_is_of_another_s_router(self) -> None:
        """Neither of a new port nor later; of one's own, or of none, anybody may."""
        other = self.router(BOB)["id"]
        said: View = {"network_id": self.inside, "device_owner": "network:router_interface"}
        for device_id in (self.router()["id"], UNKNOWN, ""):
            port = self.bed.create("port", ALICE, device_id=device_id, **said)["id"]
        message = self.assert_refused(
            409, "DeviceIDNotOwnedByTenant", self.bed.create, "port", ALICE, device_id=other, **said
        )
        self.assertIn(f"The following device_id {other} is not owned by your project", message)
        self.assert_refused(409, "DeviceIDNotOwnedByTenant", self.bed.update, "port", port, ALICE, device_id=other)
        plain = self.bed.create("port", ALICE, network_id=self.inside, device_id=other)["id"]
        self.assert_refused(
            409, "DeviceIDNotOwnedByTenant", self.bed.update, "port", plain, ALICE, device_owner=said["device_owner"]
        )
        self.bed.create("port", ADMIN, device_id=other, **said)

    def test_the_answer_tells_of_the_port(self) -> None:
        """Whose it is, and the last of its subnets beside all of them, as in Neutron."""
        second = self.bed.create("subnet", ALICE, network_id=self.inside, ip_version=6, cidr="fd00::/64")["id"]
        fixed_ips = [{"subnet_id": self.inner}, {"subnet_id": second}]
        port = self.bed.create("port", network_id=self.inside, project_id="carol", fixed_ips=fixed_ips)["id"]
        added = self.add(self.router(ADMIN), ADMIN, port_id=port)
        self.assertEqual((added["project_id"], added["subnet_id"]), ("carol", second))
        self.assertEqual(added["subnet_ids"], [self.inner, second])

    def test_whoever_leads_out_keeps_the_leave_for_it(self) -> None:
        """A policy about a network that is external for somebody neither goes nor is for another while it is used."""
        network, _ = self.bed.network_with_subnet("172.28.0.0/24")
        said: View = {"object_type": "network", "object_id": network, "action": "access_as_external"}
        own = self.bed.create("rbac_policy", target_tenant=UNKNOWN, **said)["id"]
        other = str(UUID(int=98, version=4))
        self.bed.create("rbac_policy", target_tenant=other, **said)
        router = self.bed.create("router", CAROL, external_gateway_info={"network_id": network})["id"]
        message = self.assert_refused(409, "RbacPolicyInUse", self.bed.delete, "rbac_policy", own)
        self.assertIn("There are routers attached to this network that depend on this policy for access.", message)
        elsewhere: View = {"target_tenant": str(UUID(int=97, version=4))}
        self.assert_refused(409, "RbacPolicyInUse", self.bed.update, "rbac_policy", own, **elsewhere)
        everybody = self.bed.create("rbac_policy", target_tenant="*", **said)["id"]
        self.bed.delete("rbac_policy", own)
        self.assert_refused(409, "RbacPolicyInUse", self.bed.delete, "rbac_policy", everybody)
        self.assert_refused(409, "RbacPolicyInUse", self.bed.update, "rbac_policy", everybody, **elsewhere)
        self.bed.update("rbac_policy", everybody, target_tenant=UNKNOWN)
        self.bed.update("router", router, CAROL, external_gateway_info=None)
        self.bed.delete("rbac_policy", everybody)


class VersionSixTests(RouterCase):
    """What more is asked of subnets of IPv6."""

    def subnet(self, number: int, **more: str) -> str:
        """Make one of Alice's network."""
        said: View = {"ip_version": 6, "cidr": f"fd00:{number}::/64", **more}
        found: str = self.bed.create("subnet", ALICE, network_id=self.inside, **said)["id"]
        return found

    def port(self, subnet: str) -> str:
        """Make a port with an address of a subnet."""
        found: str = self.bed.create("port", ALICE, network_id=self.inside, fixed_ips=[{"subnet_id": subnet}])["id"]
        return found

    def test_where_somebody_else_advertises_is_no_room(self) -> None:
        """By subnet and by port."""
        subnet = self.subnet(1, ipv6_address_mode="dhcpv6-stateful")
        for body in ({"subnet_id": subnet}, {"port_id": self.port(subnet)}):
            message = self.assert_refused(400, "BadRequest", self.add, self.router(), **body)
            reason = f"IPv6 subnet {subnet} configured to receive RAs from an external router"
            self.assertEqual(message, f"Bad router request: {reason} cannot be added to Neutron Router.")

    def test_one_port_of_a_network_has_them_all(self) -> None:
        """Another one is not added beside it; by subnets as many as the network has."""
        made, first = self.router(), self.subnet(1)
        held = self.add(made, subnet_id=first)["port_id"]
        other = self.port(self.subnet(2))
        message = self.assert_refused(400, "BadRequest", self.add, made, port_id=other)
        self.assertIn(f"Router already contains IPv6 port {held} belonging to network id {self.inside}.", message)
        for number in range(3, 9):
            self.assertEqual(self.add(made, subnet_id=self.subnet(number))["port_id"], held)
        self.add(made, subnet_id=self.inner)
