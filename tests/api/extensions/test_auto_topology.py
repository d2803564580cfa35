"""Automatic topologies."""

from __future__ import annotations

from sqlalchemy import insert

from quantumd.model.context import Context
from quantumd.store.tables.services import auto_topologies
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

_ONE = "auto-allocated-topology/<project_id>"
_DRY = [("fields", "dry-run")]


class TopologyTests(ResourceCase):
    """Validate, show and delete."""

    def shown(self, query: list[tuple[str, str]], context: Context = ALICE, project_id: str = "alice") -> View:
        """Ask for a topology."""
        answer: View = self.bed.act("GET", _ONE, query, context, project_id=project_id)
        return answer["auto_allocated_topology"]  # type: ignore[no-any-return]

    def provide(self, prefix: str = "10.0.0.0/8") -> None:
        """Make what a topology is made of."""
        self.outside = self.bed.create("network", router__external=True, is_default=True)["id"]
        self.bed.create("subnet", network_id=self.outside, cidr="203.0.113.0/24", ip_version=4)
        self.bed.create("subnetpool", name="p", prefixes=[prefix], is_default=True, shared=True, default_prefixlen=28)

    def test_a_default_external_network_is_needed(self) -> None:
        """Validation tells that the operator has none."""
        message = self.assert_refused(409, "AutoAllocationFailure", self.shown, _DRY)
        self.assertEqual(message, "Deployment error: No default router:external network.")
        self.assert_refused(409, "AutoAllocationFailure", self.shown, [])

    def test_a_default_pool_is_needed(self) -> None:
        """Validation tells that no pool is the default."""
        self.bed.create("network", router__external=True, is_default=True)
        message = self.assert_refused(409, "AutoAllocationFailure", self.shown, _DRY)
        self.assertEqual(message, "Deployment error: No default subnetpools defined.")

    def test_validation_passes(self) -> None:
        """With both a dry run passes."""
        self.provide()
        passed = {"id": "dry-run=pass", "project_id": "alice", "tenant_id": "alice"}
        self.assertEqual(self.shown(_DRY), passed)
        self.assertEqual(self.shown(_DRY, project_id="None"), passed)
        self.assertEqual(self.shown(_DRY, ADMIN), passed)

    def test_a_topology_is_whole(self) -> None:
        """A network with a subnet of each default pool, and a router that leads outside; asked again it is the same."""
        self.provide()
        self.bed.create("subnetpool", name="q", prefixes=["fd00::/48"], is_default=True, shared=True)
        network_id = self.shown([])["id"]
        network = self.bed.show("network", network_id, ALICE)
        self.assertEqual((network["name"], network["admin_state_up"]), ("auto_allocated_network", True))
        subnets = {each["name"]: each["gateway_ip"] for each in self.bed.listed("subnet", ALICE, project_id=("alice",))}
        self.assertEqual(set(subnets), {"auto_allocated_subnet_v4", "auto_allocated_subnet_v6"})
        (router,) = self.bed.listed("router", ALICE)
        self.assertEqual((router["name"], router["project_id"]), ("auto_allocated_router", "alice"))
        self.assertEqual(router["external_gateway_info"]["network_id"], self.outside)
        ports = self.bed.listed("port", device_owner=("network:router_interface",))
        held = {each["ip_address"] for port in ports for each in port["fixed_ips"]}
        self.assertEqual(held, set(subnets.values()))
        self.assertEqual(self.shown([])["id"], network_id)

    def test_what_cannot_be_made_whole_is_not_made(self) -> None:
        """Of a pool without room."""
        self.provide(prefix="10.0.0.0/28")
        self.shown([])
        message = self.assert_refused(409, "AutoAllocationFailure", self.shown, [], BOB, "bob")
        self.assertEqual(message, "Deployment error: Unable to provide project private network.")
        self.assertEqual(self.bed.listed("network", BOB, project_id=("bob",)), [])

    def test_a_topology_goes_whole(self) -> None:
        """Also after its owner has taken the router apart; not while a port of his is there, and then nothing goes."""
        self.provide()
        for is_taken_apart in (False, True):
            network_id = self.shown([])["id"]
            port = self.bed.create("port", ALICE, network_id=network_id)
            self.assert_refused(409, "NetworkInUse", self.removed)
            (router,) = self.bed.listed("router", ALICE)
            self.bed.delete("port", port["id"], ALICE)
            if is_taken_apart:
                (subnet,) = self.bed.listed("subnet", ALICE, project_id=("alice",))
                said = {"subnet_id": subnet["id"]}
                path = "routers/<resource_id>/remove_router_interface"
                self.bed.act("PUT", path, said, ALICE, resource_id=router["id"])
                self.bed.delete("router", router["id"], ALICE)
            self.removed()
            for member in ("network", "router", "subnet"):
                self.assertEqual(self.bed.listed(member, ALICE, project_id=("alice",)), [])

    def removed(self) -> None:
        """Delete the topology."""
        self.bed.act("DELETE", _ONE, None, ALICE, project_id="alice")

    def test_a_project_is_answered_what_it_has(self) -> None:
        """A topology that is there is shown, whatever the operator has now."""
        network_id = self.bed.create("network", ALICE)["id"]
        self.bed.connection.execute(insert(auto_topologies), {"project_id": "alice", "network_id": network_id})
        self.assertEqual(self.shown([])["id"], network_id)

    def test_other_projects_are_refused(self) -> None:
        """A topology is its project's own."""
        message = self.assert_refused(403, "NotAuthorized", self.shown, _DRY, BOB)
        self.assertEqual(message, "Not authorized.")
        self.assert_refused(403, "NotAuthorized", self.bed.act, "DELETE", _ONE, None, BOB, project_id="alice")

    def test_other_fields_are_refused(self) -> None:
        """Nothing else can be asked for."""
        message = self.assert_refused(400, "BadRequest", self.shown, [("fields", "id")])
        self.assertEqual(message, "Bad auto_allocate request: Unrecognized field.")

    def test_deleting_none_is_no_error(self) -> None:
        """A project without a topology is as it should be after a deletion."""
        self.assertIsNone(self.bed.act("DELETE", _ONE, None, ALICE, project_id="alice"))
