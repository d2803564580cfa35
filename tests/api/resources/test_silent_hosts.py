"""Ports on hosts that reported and then went silent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from quantumd.api.resource import Query, Sort
from quantumd.model.messages import HostReport
from quantumd.store.tables import hosts
from tests.api.extensions.test_bindings_moves import ACTIVATE
from tests.api.resources.bed import Bed, View
from tests.api.resources.case import ResourceCase

_LATER = "2026-11-20T10:05:05Z"
"""151 seconds after the bed's time, one more than an agent is alive without a report."""

_LONG_AGO = "2001-01-01T00:00:00Z"
_FAR_AHEAD = "2099-01-01T00:00:00Z"
"""Lists of agents go by the machine's clock, whatever that says."""


class SilentCase(ResourceCase):
    """Has a network; ``host`` reported, and is silent when ``silence`` was called."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network_id, _ = self.bed.network_with_subnet()
        self.report("host")

    def report(self, host: str) -> None:
        """Let a host say what it is."""
        self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}"))

    def silence(self) -> None:
        """Let more time pass than hosts live without a report, in which only ``other`` reports."""
        self.bed.now = _LATER
        self.report("other")

    def port(self, host: str = "host", **body: Any) -> View:
        """Create a guest's port on a host."""
        return self.bed.create(
            "port", network_id=self.network_id, binding__host_id=host, device_owner="compute:nova", **body
        )

    def vif_type(self, port: View, **changes: Any) -> str:
        """Return what the port answers after a change."""
        return str(self.bed.update("port", port["id"], **changes)["binding:vif_type"])


class SilentHostTests(SilentCase):
    """New bindings are refused as on a host that nobody knows."""

    def test_a_new_port_is_not_bound(self) -> None:
        """Nova tries another host, which is bound to at once."""
        self.assertEqual(self.port()["binding:vif_type"], "ovs")
        self.silence()
        failed = self.port()
        self.assertEqual((failed["binding:vif_type"], failed["binding:vif_details"]), ("binding_failed", {}))
        self.assertEqual(self.vif_type(failed, binding__host_id="other"), "ovs")

    def test_many_new_ports_are_not_bound(self) -> None:
        """Each port of a request is looked at for itself."""
        self.silence()
        bodies = [
            {"network_id": self.network_id, "binding:host_id": host, "name": host} for host in ("host", "other", "host")
        ]
        answers = [each["binding:vif_type"] for each in self.bed.create_many("port", bodies)]
        self.assertEqual(answers, ["binding_failed", "ovs", "binding_failed"])

    def test_a_port_is_not_moved_there(self) -> None:
        """Also one without a host."""
        self.silence()
        self.assertEqual(self.vif_type(self.port("other"), binding__host_id="host"), "binding_failed")
        self.assertEqual(self.vif_type(self.port(""), binding__host_id="host"), "binding_failed")

    def test_what_is_bound_stays(self) -> None:
        """Its guest may well run; naming the same host again changes nothing."""
        port = self.port()
        self.silence()
        self.assertEqual(self.bed.show("port", port["id"])["binding:vif_type"], "ovs")
        self.assertEqual(self.vif_type(port, binding__host_id="host", name="new"), "ovs")
        self.assertEqual(self.vif_type(port, binding__profile={"a": "b"}), "ovs")

    def test_a_host_that_is_back_is_bound_to(self) -> None:
        """By naming it again."""
        self.silence()
        port = self.port()
        self.assertEqual(self.vif_type(port, binding__host_id="host"), "binding_failed")
        self.report("host")
        self.assertEqual(self.vif_type(port, name="new"), "binding_failed")
        self.assertEqual(self.vif_type(port, binding__host_id="host"), "ovs")

    def test_a_plugged_port_is_bound(self) -> None:
        """Who reports a device is not silent, though it said long ago what it is."""
        port = self.port("")
        self.silence()
        self.assertTrue(self.bed.plug(port["id"], "host"))
        self.assertEqual(self.bed.show("port", port["id"])["binding:vif_type"], "ovs")

    def test_agents_are_as_alive_as_their_hosts(self) -> None:
        """What is shown as dead cannot be bound to."""
        self.bed.now = _LONG_AGO
        self.report("host")
        self.bed.now = _FAR_AHEAD
        self.report("other")
        alive = {each["host"]: each["alive"] for each in self.bed.listed("agent")}
        bound = {host: self.port(host)["binding:vif_type"] for host in alive}
        self.assertEqual(alive, {"host": False, "other": True})
        self.assertEqual(bound, {"host": "binding_failed", "other": "ovs"})


class BindingsTests(SilentCase):
    """Bindings beside the one that counts."""

    def bind(self, port: View) -> View:
        """Make a binding to the silent host."""
        return self.bed.create("binding", parent=port["id"], host="host")

    def test_a_new_binding_is_refused(self) -> None:
        """Nova moves the guest elsewhere, or not at all."""
        self.silence()
        port = self.port("other")
        self.assert_refused(409, "PortBindingError", self.bind, port)
        self.report("host")
        self.assertEqual(self.bind(port)["vif_type"], "ovs")

    def test_a_binding_outlives_the_silence(self) -> None:
        """It can be changed, and is activated when the guest has arrived there."""
        self.report("other")
        port = self.port("other")
        self.bind(port)
        self.silence()
        changed = self.bed.update("binding", "host", parent=port["id"], profile={"a": "b"})
        self.assertEqual((changed["vif_type"], changed["profile"]), ("ovs", {"a": "b"}))
        active = self.bed.act("PUT", ACTIVATE, port_id=port["id"], host="host")["binding"]
        self.assertEqual((active["vif_type"], active["status"]), ("ovs", "ACTIVE"))
        self.assertEqual(self.bed.update("binding", "host", parent=port["id"], profile={})["vif_type"], "ovs")


class OwnHostTests(SilentCase):
    """The host whose roles run in the process that is asked."""

    def setUp(self) -> None:
        """Its only report is old."""
        self.bed = Bed(database=self.database, here="host")
        self.addCleanup(self.bed.close)
        self.network_id, _ = self.bed.network_with_subnet()
        self.bed.now = _LONG_AGO
        self.report("host")
        self.report("gone")
        self.bed.now = _FAR_AHEAD
        self.report("other")

    def test_it_is_bound_to(self) -> None:
        """However late it reports; another host that is as late is not."""
        self.assertEqual(self.port()["binding:vif_type"], "ovs")
        self.assertEqual(self.port("gone")["binding:vif_type"], "binding_failed")

    def test_its_agents_are_alive(self) -> None:
        """In what is shown, found and ordered."""
        alive = {each["host"]: each["alive"] for each in self.bed.listed("agent")}
        self.assertEqual(alive, {"host": True, "gone": False, "other": True})
        self.assertEqual([each["host"] for each in self.bed.listed("agent", alive=("false",))], ["gone"])
        found = {each["host"] for each in self.bed.listed("agent", alive=("true",))}
        self.assertEqual(found, {"host", "other"})
        ordered = [each["host"] for each in self.bed.query("agent", Query(sorts=(Sort("alive"),)))]
        self.assertEqual(ordered[0], "gone")

    def test_it_must_have_described_itself(self) -> None:
        """Nobody knows how to plug on a host that never said it."""
        self.bed.connection.execute(delete(hosts).where(hosts.c.host == "host"))
        self.assertEqual(self.port()["binding:vif_type"], "binding_failed")
