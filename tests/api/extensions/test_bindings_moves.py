"""Bindings of ports, as Nova drives them when it moves a guest."""

from __future__ import annotations

from typing import Any

from quantumd.api.attribute_map import attribute_map_of
from tests.api.resources.bed import ALICE, View
from tests.api.resources.case import ResourceCase

ACTIVATE = "ports/<port_id>/bindings/<host>/activate"


class BindingCase(ResourceCase):
    """Has a guest's port on host-1, and host-2."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet()
        self.bed.add_host("host-1")
        self.bed.add_host("host-2")
        self.port_id = self.bed.create(
            "port", network_id=self.network_id, device_owner="compute:nova", binding__host_id="host-1"
        )["id"]

    def bind(self, host: str = "host-2", **body: Any) -> View:
        """Make a binding."""
        return self.bed.create("binding", parent=self.port_id, host=host, **body)

    def activate(self, host: str = "host-2") -> View:
        """Move the port."""
        binding: View = self.bed.act("PUT", ACTIVATE, port_id=self.port_id, host=host)["binding"]
        return binding

    def hosts(self) -> dict[str, str]:
        """Return the status of each binding by host."""
        return {each["host"]: each["status"] for each in self.bed.listed("binding", parent=self.port_id)}


class CreateTests(BindingCase):
    """A new binding."""

    def test_it_waits(self) -> None:
        """The port stays where it is; the answer says how the other host would plug it."""
        binding = self.bind(profile={"migrating_to": "host-2"})
        self.assertEqual((binding["status"], binding["vif_type"]), ("INACTIVE", "ovs"))
        self.assertEqual(binding["profile"], {"migrating_to": "host-2"})
        self.assertEqual(self.bed.show("port", self.port_id)["binding:host_id"], "host-1")

    def test_it_names_a_host(self) -> None:
        """Nobody could delete one that names none."""
        self.assert_refused(409, "PortBindingError", self.bind, "")

    def test_the_same_again_is_no_change(self) -> None:
        """Nothing is written."""
        self.bind(profile={"a": "b"})
        position = self.position()
        self.bed.update("binding", "host-2", parent=self.port_id, profile={"a": "b"})
        self.assertEqual(self.position(), position)

    def test_active_one_is_listed_first(self) -> None:
        """The list holds both."""
        self.bind()
        self.assertEqual(self.hosts(), {"host-1": "ACTIVE", "host-2": "INACTIVE"})

    def test_it_is_a_revision_of_the_port_and_no_news_for_hosts(self) -> None:
        """Caches of the port expire; its record does not change."""
        before, version = self.bed.show("port", self.port_id), self.port_version(self.port_id)
        self.bind()
        after = self.bed.show("port", self.port_id)
        self.assertEqual(after["revision_number"], before["revision_number"] + 1)
        self.assertEqual(self.port_version(self.port_id), version)

    def test_one_binding_a_host(self) -> None:
        """Neither the active one nor one that waits is made twice."""
        self.bind()
        for host in ("host-1", "host-2"):
            message = self.assert_refused(409, "PortBindingAlreadyExists", self.bind, host)
            self.assertEqual(message, f"Binding for port {self.port_id} on host {host} already exists.")

    def test_host_that_cannot_plug_it_is_refused(self) -> None:
        """A host that never reported gets no binding."""
        self.assert_refused(409, "PortBindingError", self.bind, "nowhere")
        self.assertEqual(list(self.hosts()), ["host-1"])

    def test_only_ports_of_guests_have_bindings(self) -> None:
        """A port that no compute service uses is refused, whatever is asked."""
        other = self.bed.create("port", network_id=self.network_id)["id"]
        message = self.assert_refused(400, "BadRequest", self.bed.listed, "binding", parent=other)
        self.assertEqual(message, f"Bad port request: Invalid port {other}. Operation only valid on compute ports.")

    def test_unknown_port(self) -> None:
        """There is nothing below a port that is not there."""
        self.assert_refused(404, "PortNotFound", self.bed.listed, "binding", parent=self.network_id)

    def test_only_administrators(self) -> None:
        """Hosts are none of a project's business."""
        alice = self.bed.policy.bind(ALICE)
        rules = [f"{verb}_{self._resource().ruled_as}" for verb in ("create", "get", "update", "delete")]
        self.assertEqual({self.bed.policy.decide(rule, alice) for rule in rules}, {False})

    def test_host_must_be_named(self) -> None:
        """A binding without one is no binding."""
        self.assertEqual(attribute_map_of(self._resource()).required, ("host",))

    def _resource(self) -> Any:
        return next(each for each in self.bed.served.resources if each.member == "binding")


class ActivateTests(BindingCase):
    """Moving."""

    def test_port_moves(self) -> None:
        """It is DOWN until the new host has it, and its record is another."""
        version = self.port_version(self.port_id)
        self.bind(profile={"a": 1})
        self.assertEqual(self.activate()["status"], "ACTIVE")
        port = self.bed.show("port", self.port_id)
        self.assertEqual((port["binding:host_id"], port["status"]), ("host-2", "DOWN"))
        self.assertEqual(port["binding:profile"], {"a": 1})
        self.assertGreater(self.port_version(self.port_id), version)

    def test_what_it_leaves_waits(self) -> None:
        """The source's binding is there until Nova deletes it, and plugs nothing."""
        self.bind()
        self.activate()
        self.assertEqual(self.hosts(), {"host-2": "ACTIVE", "host-1": "INACTIVE"})
        self.assertEqual(self.bed.show("binding", "host-1", parent=self.port_id)["vif_type"], "unbound")
        self.bed.delete("binding", "host-1", parent=self.port_id)
        self.assertEqual(self.hosts(), {"host-2": "ACTIVE"})

    def test_active_binding_is_active(self) -> None:
        """Asking again is refused."""
        message = self.assert_refused(409, "PortBindingAlreadyActive", self.activate, "host-1")
        self.assertEqual(message, f"Binding for port {self.port_id} on host host-1 is already active.")

    def test_unknown_binding(self) -> None:
        """A port goes only where it has a binding."""
        message = self.assert_refused(404, "PortBindingNotFound", self.activate)
        self.assertEqual(message, f"Binding for port {self.port_id} for host host-2 could not be found.")

    def test_there_and_back(self) -> None:
        """A guest that comes back activates the binding that was left."""
        self.bind()
        self.activate()
        self.activate("host-1")
        self.assertEqual(self.bed.show("port", self.port_id)["binding:vif_type"], "ovs")


class ChangeTests(BindingCase):
    """Updates and deletions."""

    def test_waiting_binding_changes_alone(self) -> None:
        """The port is not touched by the profile of another host."""
        self.bind()
        changed = self.bed.update("binding", "host-2", parent=self.port_id, profile={"b": 2})
        self.assertEqual(changed["profile"], {"b": 2})
        self.assertEqual(self.bed.show("port", self.port_id)["binding:profile"], {})

    def test_active_binding_is_the_ports(self) -> None:
        """Both are the same thing."""
        self.bed.update("binding", "host-1", parent=self.port_id, profile={"b": 2})
        self.assertEqual(self.bed.show("port", self.port_id)["binding:profile"], {"b": 2})

    def test_deleting_the_active_one_unbinds(self) -> None:
        """The port is nowhere then."""
        self.bed.delete("binding", "host-1", parent=self.port_id)
        self.assertEqual(self.bed.show("port", self.port_id)["binding:vif_type"], "unbound")

    def test_deleting_what_is_not_there(self) -> None:
        """A binding is deleted once."""
        self.assert_refused(404, "PortBindingNotFound", self.bed.delete, "binding", "host-2", parent=self.port_id)

    def test_port_takes_its_bindings_along(self) -> None:
        """A deleted port leaves none."""
        self.bind()
        self.bed.delete("port", self.port_id)
        self.assert_refused(404, "PortNotFound", self.hosts)
