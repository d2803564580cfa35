"""What a change is told as."""

from __future__ import annotations

from typing import Any

import orjson
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.notifications.envelope import as_message
from quantumd.api.notifications.messages import Notification, Teller
from quantumd.store.journal import JournalRow, read_after
from tests.api.everything import Everything, everything
from tests.api.tenants_world import LIST_ONLY, alices_world

COMPUTED = {
    "network": {"segments"},
    "security_group": {"security_group_rules"},
    "network_segment_range": {"available", "used"},
    "tap_service": {"status"},
    "floatingip": {"port_forwardings"},
}
"""What a create does not tell: rules and port forwardings are told by themselves, segments came later.

Use, and what hosts say, are looked up when asked for.
"""

USER = {"X-Project-Id": "a-project", "X-Roles": "member", "X-User-Id": "a-user"}


def rows_of(api: Everything, after: int = 0) -> tuple[JournalRow, ...]:
    """The journal."""
    found: list[tuple[JournalRow, ...]] = []
    api.wire.store.read(lambda connection: read_after(connection, after, 100_000)).addCallback(found.append)
    return found[0]


def inner(notification: Notification) -> dict[str, Any]:
    """What a listener gets."""
    outer = orjson.loads(as_message(notification, "network.h").body)
    found: dict[str, Any] = orjson.loads(outer["oslo.message"])
    return found


class TellerTests(SynchronousTestCase):
    """One network, made, changed and deleted."""

    def setUp(self) -> None:
        self.api = everything()
        self.teller = Teller(self.api.served.resources)

    def told(self) -> list[Notification]:
        """Everything that the journal says, as notifications."""
        return [each for row in rows_of(self.api) for each in self.teller.tell(row)]

    def make(self) -> dict[str, Any]:
        """A network of a user's."""
        reply = self.api.request("POST", "networks", {"network": {"name": "n"}}, USER)
        network: dict[str, Any] = reply.json["network"]
        return network

    def of(self, event_type: str) -> dict[str, Any]:
        """The payload of the only notification of a type."""
        (found,) = (each for each in self.told() if each.event_type == event_type)
        return dict(found.payload)

    def test_a_change_is_told_as_its_start_and_its_end(self) -> None:
        """In the order in which things were done."""
        network_id = self.make()["id"]
        self.api.request("PUT", f"networks/{network_id}", {"network": {"name": "m"}}, USER)
        self.api.request("DELETE", f"networks/{network_id}", None, USER)
        types = [f"network.{verb}.{phase}" for verb in ("create", "update", "delete") for phase in ("start", "end")]
        told = [each.event_type for each in self.told() if each.event_type.startswith("network.")]
        self.assertEqual(told, types)

    def test_a_create_tells_what_an_administrator_is_shown(self) -> None:
        """Also ``tenant_id``, which readers of notifications look for."""
        network_id = self.make()["id"]
        shown = self.api.request("GET", f"networks/{network_id}").json
        self.assertEqual(self.of("network.create.end"), shown)
        self.assertEqual(shown["network"]["tenant_id"], "a-project")

    def test_an_update_tells_what_differs_and_then_the_whole(self) -> None:
        """The start as the request was, the end as the answer."""
        network_id = self.make()["id"]
        self.api.request("PUT", f"networks/{network_id}", {"network": {"name": "m"}}, USER)
        self.assertEqual(self.of("network.update.start"), {"network": {"name": "m"}, "id": network_id})
        self.assertEqual(self.of("network.update.end"), self.api.request("GET", f"networks/{network_id}").json)

    def test_a_delete_tells_the_id(self) -> None:
        """And nothing else, as today."""
        network_id = self.make()["id"]
        self.api.request("DELETE", f"networks/{network_id}", None, USER)
        self.assertEqual(self.of("network.delete.end"), {"network_id": network_id})

    def test_it_tells_who_asked(self) -> None:
        """User, project and request, not the owner of the thing."""
        self.make()
        said = inner(self.told()[0])
        self.assertEqual(
            {name: said[f"_context_{name}"] for name in ("user_id", "project_id", "tenant_id", "request_id")},
            {"user_id": "a-user", "project_id": "a-project", "tenant_id": "a-project", "request_id": "req-1"},
        )

    def test_who_asked_does_not_stay_for_the_next(self) -> None:
        """What a host reports is nobody's request."""
        self.make()
        self.api.wire.store.write(
            lambda tx: tx.journal(
                resource="network",
                resource_id="i",
                project_id="p",
                request_id="r",
                operation="update",
                after={"id": "i"},
            )
        )
        self.assertEqual((self.told()[-1].asker.user_id, self.told()[-1].asker.project_id), (None, None))

    def test_a_message_has_the_form_of_oslo_messaging(self) -> None:
        """Fields, priority, time and envelope."""
        self.make()
        notification = self.told()[0]
        outer = orjson.loads(as_message(notification, "network.h").body)
        self.assertEqual((set(outer), outer["oslo.version"]), ({"oslo.version", "oslo.message"}, "2.0"))
        said = inner(notification)
        self.assertEqual((said["publisher_id"], said["priority"]), ("network.h", "INFO"))
        self.assertRegex(said["timestamp"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$")

    def test_the_same_row_has_the_same_ids_and_no_other_has_them(self) -> None:
        """A listener can recognise what is told again."""
        self.make()
        self.make()
        ids = [each.message_id for each in self.told()]
        self.assertEqual((ids, len(set(ids))), ([each.message_id for each in self.told()], len(ids)))

    def test_many_made_by_one_request_are_told_one_by_one(self) -> None:
        """Each with its own notification."""
        self.api.request("POST", "networks", {"networks": [{"name": "a"}, {"name": "b"}]}, USER)
        names = [each.payload["network"]["name"] for each in self.told() if each.event_type == "network.create.end"]
        self.assertEqual(names, ["a", "b"])


class EveryResourceTests(SynchronousTestCase):
    """Made from what is served: what is added later cannot be forgotten."""

    def setUp(self) -> None:
        self.world = alices_world()
        self.api = self.world.api
        self.teller = Teller(self.api.served.resources)

    def told(self, after: int = 0) -> set[str]:
        """The types of what the journal says."""
        return {each.event_type for row in rows_of(self.api, after) for each in self.teller.tell(row)}

    def test_everything_that_can_be_made_is_told(self) -> None:
        """Start and end of each, by the name that the API has for it."""
        makable = {each.member for each in self.api.served.resources if "create" in each.verbs} - LIST_ONLY
        wanted = {f"{member}.create.{phase}" for member in makable for phase in ("start", "end")}
        self.assertEqual(wanted - self.told(), set())

    def test_everything_that_can_be_changed_or_deleted_is_told(self) -> None:
        """By what its row in the journal would be."""
        lacking = []
        named = {row.resource for row in rows_of(self.api)}
        for resource in self.api.served.resources:
            verbs = resource.verbs & {"update", "delete"} if resource.member not in LIST_ONLY else set()
            # Rules have a second path under their own ids; it is the same rules that change there.
            member = resource.member.removeprefix("alias_")
            names = {each for each in named if self._name(each) == member}
            for verb in verbs:
                types = {each.event_type for name in names for each in self.teller.tell(_row(name, verb))}
                lacking += [f"{member}.{verb}"] if f"{member}.{verb}.end" not in types else []
        self.assertEqual(lacking, [])

    def test_what_is_told_is_what_the_api_shows(self) -> None:
        """The end of each create has the attributes that an administrator sees, and no others."""
        differing = {}
        for row in rows_of(self.api):
            for each in self.teller.tell(row):
                if each.event_type.endswith("create.end"):
                    member = each.event_type.partition(".")[0]
                    kept = self.world.kept.get(member)
                    if kept is not None and member in each.payload and each.payload[member].get("id") == kept.id:
                        path = f"{kept.path}/{kept.id}"
                        shown = self.api.request("GET", path).json[member]
                        differs = set(shown) ^ set(each.payload[member])
                        if differs != COMPUTED.get(member, set()):
                            differing[member] = differs
        self.assertEqual(differing, {})

    def test_nothing_is_told_of_what_a_host_saw(self) -> None:
        """A port's status changes without anybody's request."""
        self.assertEqual(self.teller.tell(_row("port", "status")), ())

    def _name(self, resource: str) -> str:
        return self.teller.tell(_row(resource, "delete"))[0].event_type.partition(".")[0]


def _row(resource: str, operation: str) -> JournalRow:
    return JournalRow(1, "2026-01-01T00:00:00Z", resource, "i", "p", "r", operation, '{"id":"i"}', '{"id":"i"}')
