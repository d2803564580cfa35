"""Automatic topologies, as far as they can be made without routers."""

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

    def provide(self) -> None:
        """Make what a topology is made of."""
        self.bed.create("network", router__external=True, is_default=True)
        self.bed.create("subnetpool", name="p", prefixes=["10.0.0.0/8"], is_default=True, shared=True)

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

    def test_without_routers_there_is_no_way_out(self) -> None:
        """A topology that cannot be made whole is not made."""
        self.provide()
        message = self.assert_refused(409, "AutoAllocationFailure", self.shown, [])
        self.assertEqual(message, "Deployment error: Unable to provide external connectivity.")
        self.assertEqual(self.bed.listed("network", ALICE, project_id=("alice",)), [])

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
