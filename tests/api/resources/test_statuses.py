"""Reports of hosts and the status of ports, on SQLite."""

from __future__ import annotations

from sqlalchemy import select

from quantumd.model.messages import PortReport, Report
from quantumd.store.tables import realisations
from tests.api.resources.case import ResourceCase


class StatusCase(ResourceCase):
    """Has a port on h1; ``is_served`` is whether its subnet has DHCP."""

    is_served = False

    def setUp(self) -> None:
        """Make it."""
        super().setUp()
        self.bed.add_host("h1")
        self.bed.add_host("h2")
        self.network_id, self.subnet_id = self.bed.network_with_subnet(enable_dhcp=self.is_served)
        self.port_id = self.port_on("h1")

    def port_on(self, host: str) -> str:
        """Create a port on the host."""
        port_id: str = self.bed.create("port", network_id=self.network_id, binding__host_id=host)["id"]
        return port_id

    def says(
        self,
        role: str = "l2",
        host: str = "h1",
        port_id: str | None = None,
        version: int | None = None,
        plugged: bool = True,
        fault: str | None = None,
    ) -> None:
        """Report of one port; by default that its latest record is realised."""
        about = port_id or self.port_id
        realised = self.port_version(about) if version is None else version
        self.bed.report(Report(host, role, (PortReport(about, realised, plugged, fault),)))

    def status(self, port_id: str | None = None) -> str:
        """Return the status of the port."""
        status: str = self.bed.show("port", port_id or self.port_id)["status"]
        return status


class RealisedTests(StatusCase):
    """Ports without DHCP: l2 alone decides."""

    def test_realised_port_is_active(self) -> None:
        """One revision, one journal row of its own operation, the record stays."""
        version = self.port_version(self.port_id)
        self.says()
        port = self.bed.show("port", self.port_id)
        self.assertEqual((port["status"], port["revision_number"]), ("ACTIVE", 2))
        self.assertEqual(self.journalled()[-1], ("port", "status"))
        _, before, after = self.last_journalled()
        self.assertEqual(((before or {})["status"], (after or {})["status"]), ("DOWN", "ACTIVE"))
        self.assertEqual(self.port_version(self.port_id), version)

    def test_repeated_report_writes_nothing(self) -> None:
        """Messages may come twice."""
        self.says()
        before = self.position()
        self.says()
        self.assertEqual(self.position(), before)

    def test_plugged_but_not_realised_is_down(self) -> None:
        """Seeing the device is not enough."""
        self.says(version=0)
        self.assertEqual(self.status(), "DOWN")

    def test_another_host_has_no_say(self) -> None:
        """What h2 says of a port on h1 is not even kept."""
        self.says(host="h2")
        self.assertEqual(self.status(), "DOWN")
        self.assertIsNone(self.bed.row(select(realisations)))

    def test_unknown_ports_are_skipped(self) -> None:
        """A report may be older than a deletion."""
        self.says(port_id="00000000-0000-0000-0000-000000000000", version=1)
        self.assertIsNone(self.bed.row(select(realisations)))

    def test_change_of_an_active_port_does_not_flap(self) -> None:
        """It stays ACTIVE while the host catches up."""
        self.says()
        self.bed.update("port", self.port_id, fixed_ips=[{"ip_address": "10.9.0.9"}])
        self.assertEqual(self.status(), "ACTIVE")
        self.says(version=0)
        self.assertEqual(self.status(), "ACTIVE")

    def test_unplugged_port_is_down(self) -> None:
        """The device is gone."""
        self.says()
        self.says(version=0, plugged=False)
        self.assertEqual(self.status(), "DOWN")

    def test_fault_is_down_until_it_is_over(self) -> None:
        """The host could not do it, then it could."""
        self.says()
        self.says(fault="no room in the table")
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.assertEqual(self.status(), "ACTIVE")

    def test_disabled_port_is_down_at_once(self) -> None:
        """And ACTIVE again only when the host realised that it is enabled."""
        self.says()
        old = self.port_version(self.port_id)
        self.assertEqual(self.bed.update("port", self.port_id, admin_state_up=False)["status"], "DOWN")
        self.bed.update("port", self.port_id, admin_state_up=True)
        self.says(version=old)
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.assertEqual(self.status(), "ACTIVE")

    def test_moved_port_is_down_until_its_new_host_has_it(self) -> None:
        """What the old host said is forgotten."""
        self.says()
        moved = self.bed.update("port", self.port_id, binding__host_id="h2")
        self.assertEqual(moved["status"], "DOWN")
        self.assertIsNone(self.bed.row(select(realisations)))
        self.says(host="h1")
        self.assertEqual(self.status(), "DOWN")
        self.says(host="h2")
        self.assertEqual(self.status(), "ACTIVE")

    def test_ports_of_a_disabled_network_are_down(self) -> None:
        """Enabling it gives them a new record, and they wait for that."""
        self.says()
        self.bed.update("network", self.network_id, admin_state_up=False)
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.assertEqual(self.status(), "DOWN")
        old = self.port_version(self.port_id)
        self.bed.update("network", self.network_id, admin_state_up=True)
        self.says(version=old)
        self.assertEqual(self.status(), "DOWN")
        self.says()
        self.assertEqual(self.status(), "ACTIVE")


class CompleteTests(StatusCase):
    """Complete reports speak of every port."""

    def test_unmentioned_port_is_unplugged(self) -> None:
        """Of this host and role only."""
        other = self.port_on("h2")
        self.says()
        self.says(host="h2", port_id=other)
        self.bed.report(Report("h1", "l2", (), is_complete=True))
        self.assertEqual((self.status(), self.status(other)), ("DOWN", "ACTIVE"))

    def test_incomplete_report_says_nothing_of_others(self) -> None:
        """Absence is no news."""
        self.says()
        self.bed.report(Report("h1", "l2", ()))
        self.assertEqual(self.status(), "ACTIVE")

    def test_complete_report_of_a_restarted_role_keeps_what_is_plugged(self) -> None:
        """It sees the device and has realised nothing yet."""
        self.says()
        report = Report("h1", "l2", (PortReport(self.port_id, 0, True),), is_complete=True)
        self.assertEqual(self.bed.report(report), {})
        self.assertEqual(self.status(), "ACTIVE")

    def test_many_ports(self) -> None:
        """A thousand ports in one report."""
        self.network_id, _ = self.bed.network_with_subnet("10.16.0.0/20", enable_dhcp=False)
        body = {"network_id": self.network_id, "binding:host_id": "h1"}
        made = [port["id"] for port in self.bed.create_many("port", [body] * 1000)]
        reports = tuple(PortReport(port_id, self.port_version(port_id), True) for port_id in made)
        self.assertEqual(len(self.bed.report(Report("h1", "l2", reports, is_complete=True))), 1000)
        self.assertEqual(len(self.bed.report(Report("h1", "l2", (), is_complete=True))), 1000)


class ServedTests(StatusCase):
    """Ports with DHCP wait for both roles."""

    is_served = True

    def test_active_when_both_are_done(self) -> None:
        """In either order."""
        self.says("dhcp")
        self.assertEqual(self.status(), "DOWN")
        self.says("l2")
        self.assertEqual(self.status(), "ACTIVE")

    def test_dhcp_port_is_active_with_the_first_served_port(self) -> None:
        """And stays so: it is on every host."""
        dhcp_port = self.bed.listed("port", device_owner=("network:dhcp",))[0]["id"]
        self.assertEqual(self.status(dhcp_port), "DOWN")
        self.says("dhcp")
        self.assertEqual(self.status(dhcp_port), "ACTIVE")
        self.bed.report(Report("h1", "dhcp", (), is_complete=True))
        self.assertEqual(self.status(dhcp_port), "ACTIVE")

    def test_silent_dhcp_role_does_not_flap(self) -> None:
        """A complete report of dhcp that does not name a port leaves an ACTIVE one ACTIVE."""
        self.says("dhcp")
        self.says("l2")
        self.bed.report(Report("h1", "dhcp", (), is_complete=True))
        self.assertEqual(self.status(), "ACTIVE")
