"""Requests about quotas."""

from __future__ import annotations

from typing import Any

from quantumd.model.context import Context
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase


class RequestTests(ResourceCase):
    """Limits, their defaults and their use."""

    def show(self, project_id: str, context: Context = ADMIN) -> View:
        """Return a project's limits."""
        limits: View = self.bed.act("GET", "quotas/<project_id>", [], context, project_id=project_id)["quota"]
        return limits

    def set(self, project_id: str, context: Context = ADMIN, **limits: object) -> View:
        """Set some limits."""
        answer = self.bed.act("PUT", "quotas/<project_id>", {"quota": limits}, context, project_id=project_id)
        changed: View = answer["quota"]
        return changed

    def test_a_new_project_has_the_defaults(self) -> None:
        """Limits of a project that nobody named are the defaults."""
        default = self.bed.act("GET", "quotas/<project_id>/default", [], ALICE, project_id="alice")["quota"]
        self.assertEqual(self.show("alice", ALICE), default)

    def test_set_limits_are_answered_with_all_others(self) -> None:
        """A change answers every limit, and is there from then on."""
        changed = self.set("alice", network=4)
        self.assertEqual(changed["network"], 4)
        self.assertIn("port", changed)
        self.assertEqual(self.show("alice"), changed)

    def test_a_limit_may_be_set_again(self) -> None:
        """The later value counts."""
        self.set("alice", network=4)
        self.assertEqual(self.set("alice", network=5)["network"], 5)

    def test_only_projects_with_own_limits_are_listed(self) -> None:
        """The list names each project whose limits were set, with all its limits."""
        self.set("alice", network=4)
        self.assertEqual(
            self.bed.act("GET", "quotas", [])["quotas"],
            [{**self.show("alice"), "project_id": "alice", "tenant_id": "alice"}],
        )

    def test_delete_brings_the_defaults_back(self) -> None:
        """After a reset the defaults hold; a second one finds nothing."""
        self.set("alice", network=4)
        self.bed.act("DELETE", "quotas/<project_id>", None, project_id="alice")
        self.assertEqual(self.show("alice"), self.show("bob"))
        message = self.assert_refused(
            404,
            "TenantQuotaNotFound",
            self.bed.act,
            "DELETE",
            "quotas/<project_id>",
            None,
            project_id="alice",
        )
        self.assertEqual(message, "Quota for project alice could not be found.")

    def test_details_tell_what_is_used(self) -> None:
        """Use is counted; nothing is ever reserved."""
        self.bed.create("network", ALICE)
        details = self.bed.act("GET", "quotas/<project_id>/details", [], ALICE, project_id="alice")["quota"]
        self.assertEqual(details["network"], {"limit": -1, "used": 1, "reserved": 0})

    def test_others_are_not_shown_to_members(self) -> None:
        """Only administrators see the limits of other projects."""
        self.assert_refused(403, "PolicyNotAuthorized", self.show, "alice", BOB)
        self.assert_refused(403, "PolicyNotAuthorized", self.bed.act, "GET", "quotas", [], BOB)
        self.assert_refused(
            403, "AdminRequired", self.bed.act, "GET", "quotas/<project_id>/details", [], BOB, project_id="alice"
        )

    def test_members_set_nothing(self) -> None:
        """Limits are set by administrators only."""
        message = self.assert_refused(403, "PolicyNotAuthorized", self.set, "alice", ALICE, network=99)
        self.assertEqual(message, "rule:update_quota is disallowed by policy")

    def test_a_limit_below_use_is_refused(self) -> None:
        """A limit that the project is beyond already is a mistake, unless the caller forces it."""
        self.bed.create_many("network", [{}, {}], ALICE)
        message = self.assert_refused(400, "HTTPBadRequest", self.set, "alice", network=1, check_limit=True)
        self.assertEqual(message, "Quota limit 1 for network must be greater than or equal to already used 2")
        self.assertEqual(self.set("alice", network=1, force=True)["network"], 1)
        self.assertEqual(self.set("alice", network=-1)["network"], -1)

    def test_unknown_resources_are_refused(self) -> None:
        """There is no limit of what is not served."""
        message = self.assert_refused(400, "HTTPBadRequest", self.set, "alice", elephant=1)
        self.assertEqual(message, "Unrecognized attribute(s) 'elephant'")

    def test_bad_limits_are_refused(self) -> None:
        """Limits are whole numbers from -1."""
        message = self.assert_refused(400, "HTTPBadRequest", self.set, "alice", network=-2)
        self.assertEqual(message, "Invalid input for network. Reason: '-2' is too small - must be at least '-1'.")
        self.assert_refused(400, "InvalidInput", self.set, "alice", network="many")

    def test_bodies_of_wrong_shape_are_refused(self) -> None:
        """A body without quota is a clear 400."""
        bodies: tuple[Any, ...] = (None, [], {"quota": 3}, {"quotas": {}})
        for body in bodies:
            self.assert_refused(
                400, "HTTPBadRequest", self.bed.act, "PUT", "quotas/<project_id>", body, project_id="alice"
            )

    def test_the_own_project_is_told(self) -> None:
        """Both names of the project are answered."""
        self.assertEqual(self.bed.act("GET", "quotas/project", [], ALICE), {"project": {"project_id": "alice"}})
        self.assertEqual(self.bed.act("GET", "quotas/tenant", [], ALICE), {"tenant": {"tenant_id": "alice"}})
        self.assert_refused(400, "QuotaMissingTenant", self.bed.act, "GET", "quotas/project", [], Context("req"))

    def test_changes_are_journalled(self) -> None:
        """What was set and reset is in the journal."""
        self.set("alice", network=4)
        self.bed.act("DELETE", "quotas/<project_id>", None, project_id="alice")
        self.assertEqual(self.journalled(), [("quota", "update"), ("quota", "delete")])
