"""Logs of security groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import evolve

from tests.api.resources.bed import ADMIN, ALICE, NOW, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))
MANAGER = evolve(ALICE, roles=frozenset({"manager", "member"}))


class LogTests(ResourceCase):
    """Logs and what they log."""

    def log(self, context: Any = MANAGER, **said: Any) -> View:
        """Make a log."""
        return self.bed.create("log", context, **{"resource_type": "security_group", **said})

    def group(self) -> str:
        """Return the id of a new group."""
        return str(self.bed.create("security_group", ALICE, name="web")["id"])

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a log is there."""
        group_id = self.group()
        made = self.log(resource_id=group_id, event="DROP", name="l")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "project_id": "alice",
                "name": "l",
                "description": "",
                "resource_type": "security_group",
                "resource_id": group_id,
                "event": "DROP",
                "target_id": None,
                "enabled": True,
                "created_at": NOW,
                "updated_at": NOW,
                "revision_number": 1,
            },
        )
        self.assertEqual(self.bed.show("log", made["id"], MANAGER), made)

    def test_a_log_is_switched_off(self) -> None:
        """And deleted."""
        made = self.log()
        self.assertFalse(self.bed.update("log", made["id"], MANAGER, enabled=False)["enabled"])
        self.bed.delete("log", made["id"], MANAGER)
        message = self.assert_refused(404, "LogResourceNotFound", self.bed.show, "log", made["id"], MANAGER)
        self.assertEqual(message, f"Log resource {made['id']} could not be found.")

    def test_members_have_nothing_to_do_with_logs(self) -> None:
        """They see none and make none."""
        made = self.log()
        self.assert_refused(403, "PolicyNotAuthorized", self.log, ALICE)
        self.assert_refused(404, "LogResourceNotFound", self.bed.show, "log", made["id"], ALICE)
        self.assertEqual(self.bed.listed("log", ALICE), [])
        self.assertEqual(self.bed.listed("loggable_resource", ALICE), [])

    def test_types_are_listed(self) -> None:
        """What can be logged."""
        self.assertEqual(self.bed.listed("loggable_resource", ADMIN), [{"type": "security_group"}])

    def test_other_types_are_refused(self) -> None:
        """With the type of today."""
        message = self.assert_refused(400, "InvalidLogResourceType", self.log, resource_type="snat")
        self.assertEqual(message, "Invalid log resource_type: snat.")

    def test_what_is_logged_is_there(self) -> None:
        """Group and port."""
        self.assert_refused(404, "ResourceNotFound", self.log, resource_id=UNKNOWN)
        self.assert_refused(404, "TargetResourceNotFound", self.log, target_id=UNKNOWN)

    def test_the_port_has_the_group(self) -> None:
        """A port that is logged for a group has it."""
        network, _ = self.bed.network_with_subnet(context=ALICE)
        group_id = self.group()
        port_id = self.bed.create("port", ALICE, network_id=network)["id"]
        message = self.assert_refused(
            400, "InvalidResourceConstraint", self.log, resource_id=group_id, target_id=port_id
        )
        self.assertEqual(
            message,
            f"Invalid resource constraint between resource (security_group {group_id}) "
            f"and target resource (port {port_id}).",
        )
        self.bed.update("port", port_id, ALICE, security_groups=[group_id])
        self.log(resource_id=group_id, target_id=port_id)

    def test_logs_go_with_what_they_log(self) -> None:
        """A group or a port that goes takes its logs along."""
        network, _ = self.bed.network_with_subnet(context=ALICE)
        group_id, port_id = self.group(), self.bed.create("port", ALICE, network_id=network)["id"]
        self.log(resource_id=group_id)
        self.log(target_id=port_id)
        kept = self.log()
        self.bed.delete("security_group", group_id, ALICE)
        self.bed.delete("port", port_id, ALICE)
        self.assertEqual([each["id"] for each in self.bed.listed("log", MANAGER)], [kept["id"]])
