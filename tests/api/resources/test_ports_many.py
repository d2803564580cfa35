"""Many ports: in one request, in one network, found by filters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, select, text

from quantumd.api.resource import Query
from quantumd.api.resources.matching import matching_ids
from quantumd.api.resources.port_reading import filterable_ports
from quantumd.store.tables import ip_allocations
from tests.api.resources.case import ResourceCase


class BulkTests(ResourceCase):
    """Requests for many."""

    def setUp(self) -> None:
        """Make a network with a subnet."""
        super().setUp()
        self.network_id, self.subnet_id = self.bed.network_with_subnet("10.4.0.0/16")

    def test_every_port_has_an_address_and_a_mac_of_its_own(self) -> None:
        """A hundred of them."""
        made = self.bed.create_many("port", [{"network_id": self.network_id}] * 100)
        self.assertEqual(len({each["fixed_ips"][0]["ip_address"] for each in made}), 100)
        self.assertEqual(len({each["mac_address"] for each in made}), 100)
        rows = self.bed.connection.execute(select(ip_allocations.c.port_id)).scalars().all()
        self.assertTrue({each["id"] for each in made} <= set(rows))

    def test_named_addresses_are_not_given_to_others(self) -> None:
        """Those that the same request names are spoken for from the start."""
        network_id, _ = self.bed.network_with_subnet("10.5.0.0/29", enable_dhcp=False)
        bodies: list[dict[str, Any]] = [{"network_id": network_id}] * 3
        named = [{"network_id": network_id, "fixed_ips": [{"ip_address": f"10.5.0.{last}"}]} for last in (2, 5)]
        made = self.bed.create_many("port", [*bodies, *named])
        self.assertEqual(
            sorted(each["fixed_ips"][0]["ip_address"] for each in made), [f"10.5.0.{last}" for last in range(2, 7)]
        )

    def test_one_that_is_refused_undoes_all(self) -> None:
        """And is told of by its own error."""
        bodies = [{"network_id": self.network_id, "fixed_ips": [{"ip_address": "10.4.0.9"}]}] * 2
        self.assert_refused(409, "IpAddressAlreadyAllocated", self.bed.create_many, "port", bodies)
        self.assertEqual(self.bed.listed("port", device_owner=("",)), [])

    def test_each_is_journalled(self) -> None:
        """Its record's version is its own position."""
        made = self.bed.create_many("port", [{"network_id": self.network_id}] * 3)
        versions = [self.port_version(each["id"]) for each in made]
        self.assertEqual(versions, sorted(set(versions)))
        self.assertEqual(self.journalled()[-3:], [("port", "create")] * 3)


class PlanTests(ResourceCase):
    """Filters that clients use are answered from an index, and many ports by few statements (SQLite)."""

    def plan(self, name: str, value: Any) -> str:
        """Return how the database finds ports by a filter."""
        statements: list[tuple[str, Any]] = []

        def noted(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            statements.append((statement, parameters))

        connection = self.bed.connection
        event.listen(connection, "before_cursor_execute", noted)
        matching_ids(connection, filterable_ports(()), (), Query(((name, (value,)),)))
        event.remove(connection, "before_cursor_execute", noted)
        statement, parameters = statements[-1]
        raw = connection.connection.driver_connection
        rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[union-attr]
        return " ".join(row[3] for row in rows)

    def test_no_filter_reads_every_port(self) -> None:
        """Nor does it read every address."""
        for name, value in (
            ("id", "x"),
            ("name", "x"),
            ("project_id", "x"),
            ("network_id", "x"),
            ("mac_address", "x"),
            ("device_id", "x"),
            ("device_owner", "x"),
            ("binding:host_id", "x"),
            ("fixed_ips", ("ip_address", "10.0.0.1")),
            ("fixed_ips", ("subnet_id", "x")),
        ):
            plan = self.plan(name, value)
            self.assertIn("SEARCH ports USING", plan, (name, plan))
            self.assertNotIn("SCAN ip_allocations", plan, (name, plan))

    def test_whole_lists_come_in_the_order_of_an_index(self) -> None:
        """Oldest first needs no sorting."""
        plan = self.bed.connection.execute(
            text("EXPLAIN QUERY PLAN SELECT id FROM ports ORDER BY created_at, id")
        ).all()
        self.assertIn("USING COVERING INDEX ix_ports_created_at_id", " ".join(row[3] for row in plan))

    def test_addresses_are_looked_for_once(self) -> None:
        """One statement reads what is taken, whatever the number of ports."""
        network_id, _ = self.bed.network_with_subnet("10.4.0.0/16")
        statements: list[str] = []
        raw = self.bed.connection.connection.driver_connection
        raw.set_trace_callback(statements.append)  # type: ignore[union-attr]
        self.bed.create_many("port", [{"network_id": network_id}] * 50)
        raw.set_trace_callback(None)  # type: ignore[union-attr]
        reads = [each for each in statements if each.startswith("SELECT ip_allocations")]
        self.assertEqual(len(reads), 1)
