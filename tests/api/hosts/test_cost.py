"""What a change costs the server does not grow with what else is on its network."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.announce import touched_by, updates_for
from quantumd.api.hosts.compiled import records_of_ports
from quantumd.api.resources.dhcp_port import dhcp_port_of
from quantumd.api.resources.statuses import apply_report
from quantumd.model.messages import HostReport, PortReport, Report
from quantumd.store.journal import last_position, read_after
from tests.api.resources.bed import ADMIN, Bed


class CostTests(SynchronousTestCase):
    """Every query that telling a host of a port, and taking its report, leads to."""

    def setUp(self) -> None:
        self.bed = Bed()
        self.addCleanup(self.bed.close)
        self.network_id, _ = self.bed.network_with_subnet("10.0.0.0/16", ADMIN)
        (port,) = self.bed.create_many("port", [{"network_id": self.network_id, "binding:host_id": "host-a"}], ADMIN)
        self.port_id = port["id"]

    def test_no_query_looks_at_all_ports_of_a_network(self) -> None:
        """Its DHCP port is found by its device, of which each network has one of its own."""
        plans = self.plans_of(self.tell_and_report)
        self.assertEqual([plan for plan in plans if "ix_ports_network_id" in plan or "SCAN ports" in plan], [])
        self.assertTrue(any("ix_ports_device_id" in plan for plan in plans))

    def test_many_changed_members_cost_no_more_queries_than_two(self) -> None:
        """Each is in another piece of its group's members, which are asked for together, by ranges of an index.

        The first port on a host costs more: its group is new there.
        """
        self.bed.hear(HostReport("host-a", "l2", "1", "ovs", '{"port_filter": true}'))
        asked = {}
        for count in (1, 2, 64):
            before = last_position(self.bed.connection)
            bodies = [{"network_id": self.network_id, "binding:host_id": "host-b"}] * count
            self.bed.create_many("port", bodies, ADMIN)
            rows = read_after(self.bed.connection, before, 1000)
            asked[count] = self.plans_of(lambda rows=rows: self.assertTrue(updates_for(self.bed.connection, rows)))
        two, many = (sum("port_security_groups" in plan for plan in asked[count]) for count in (2, 64))
        self.assertEqual(two, many)
        self.assertEqual([plan for plan in asked[64] if "SCAN port_security_groups" in plan], [])

    def test_a_rename_touches_no_record_of_the_port(self) -> None:
        """But what a host that answers its ports tells of it."""
        before = last_position(self.bed.connection)
        self.bed.update("port", self.port_id, ADMIN, name="another")
        touched = touched_by(read_after(self.bed.connection, before, 10))
        self.assertEqual((touched.ports, touched.networks, touched.left), (set(), set(), {}))
        self.assertEqual(touched.instances.ports, {self.port_id})

    def test_a_description_is_nothing_to_hosts(self) -> None:
        """Nothing is read for them; that it is switched off is told."""
        for changes, is_told in (({"description": "another"}, False), ({"admin_state_up": False}, True)):
            before = last_position(self.bed.connection)
            self.bed.update("port", self.port_id, ADMIN, **changes)
            rows = read_after(self.bed.connection, before, 10)
            self.assertEqual(len(rows), 1)
            self.assertEqual(touched_by(rows).is_nothing, not is_told)

    def test_a_network_that_is_enabled_again_is_told_with_its_ports(self) -> None:
        """Nothing of a port has changed then, but for the version with which it becomes ACTIVE."""
        for is_up in (False, True):
            before = last_position(self.bed.connection)
            self.bed.update("network", self.network_id, ADMIN, admin_state_up=is_up)
            rows = read_after(self.bed.connection, before, 10)
            self.assertIn(self.network_id, touched_by(rows).networks)
            self.assertEqual(self.port_id in touched_by(rows).ports, is_up)

    def tell_and_report(self) -> None:
        """Compile what hosts must know of the port, and take what they say of it."""
        self.assertTrue(records_of_ports(self.bed.connection, "host-a", [self.port_id]))
        for role in ("l2", "dhcp"):
            apply_report(self.bed.tx(), Report("host-a", role, (PortReport(self.port_id, 99, True),)))
        self.assertIsNotNone(dhcp_port_of(self.bed.tx(), self.network_id))

    def plans_of(self, work: Any) -> list[str]:
        """Return how SQLite goes about each query of some work."""
        asked: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if statement.lstrip().startswith("SELECT"):
                asked.append((statement, parameters))

        engine = self.bed.connection.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            work()
        finally:
            event.remove(engine, "before_cursor_execute", note)
        plans: list[str] = []
        for statement, parameters in asked:
            rows = self.bed.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans += [row[3] for row in rows]
        return plans
