"""Tap services and tap flows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from quantumd.api.resource import Query, Sort
from quantumd.model.messages import HostReport, PortReport, Report
from quantumd.model.tap_records import TapRecord
from quantumd.store.tables.taps import tap_services
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

UNKNOWN = str(UUID(int=99, version=4))


class TapCase(ResourceCase):
    """Has two ports of Alice's."""

    def setUp(self) -> None:
        """Make them."""
        super().setUp()
        self.network = self.bed.create("network", ALICE)["id"]
        self.listener, self.source = (self.port() for _ in range(2))

    def port(self, **more: Any) -> str:
        """Make a port."""
        return str(self.bed.create("port", ALICE, network_id=self.network, **more)["id"])

    def service(self, context: Any = ALICE, **said: Any) -> View:
        """Make a service."""
        return self.bed.create("tap_service", context, **{"port_id": self.listener, **said})

    def flow(self, service: View, context: Any = ALICE, **said: Any) -> View:
        """Make a flow."""
        body = {"tap_service_id": service["id"], "source_port": self.source, "direction": "BOTH", **said}
        return self.bed.create("tap_flow", context, **body)


class ServiceTests(TapCase):
    """Tap services."""

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a service is there, and it is journalled."""
        made = self.service(name="ids", description="d")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "name": "ids",
                "description": "d",
                "project_id": "alice",
                "port_id": self.listener,
                "status": "DOWN",
            },
        )
        self.assertEqual(self.bed.show("tap_service", made["id"], ALICE), made)
        self.assertEqual(self.journalled()[-1], ("tap_service", "create"))
        changed = self.bed.update("tap_service", made["id"], ALICE, name="other")
        self.assertEqual(changed, {**made, "name": "other"})

    def test_a_service_is_its_projects(self) -> None:
        """Others neither see nor change it; who administers sees all."""
        made = self.service()
        self.assertEqual(self.bed.listed("tap_service", BOB), [])
        message = self.assert_refused(404, "TapServiceNotFound", self.bed.show, "tap_service", made["id"], BOB)
        self.assertEqual(message, f"Tap Service  {made['id']} does not exist")
        self.assertEqual(self.bed.listed("tap_service", ADMIN), [made])

    def test_its_port_must_be_the_projects(self) -> None:
        """One that is not seen is not told of; one that is seen and another's is refused."""
        self.assert_refused(404, "InvalidDestinationPort", self.service, BOB)
        self.assert_refused(404, "InvalidDestinationPort", self.service, port_id=UNKNOWN)
        message = self.assert_refused(403, "PortDoesNotBelongToProject", self.service, ADMIN)
        self.assertEqual(message, "The specified port does not belong to the project")
        self.assertEqual(self.service(ADMIN, project_id="alice")["project_id"], "alice")

    def test_its_flows_go_with_it(self) -> None:
        """All of them, and the journal tells of each."""
        made = self.service()
        self.flow(made)
        self.bed.delete("tap_service", made["id"], ALICE)
        self.assertEqual(self.bed.listed("tap_flow"), [])
        self.assertEqual(self.journalled()[-2:], [("tap_flow", "delete"), ("tap_service", "delete")])


class FlowTests(TapCase):
    """Tap flows."""

    def test_the_view_is_whole(self) -> None:
        """Everything that clients know of a flow is there."""
        service = self.service()
        made = self.flow(service, name="in", direction="IN")
        self.assertEqual(
            made,
            {
                "id": made["id"],
                "name": "in",
                "description": "",
                "project_id": "alice",
                "tap_service_id": service["id"],
                "source_port": self.source,
                "direction": "IN",
                "status": "DOWN",
            },
        )
        self.assertEqual(self.bed.show("tap_flow", made["id"], ALICE), made)
        message = self.assert_refused(404, "TapFlowNotFound", self.bed.show, "tap_flow", made["id"], BOB)
        self.assertEqual(message, f"Tap Flow  {made['id']} does not exist")

    def test_a_project_taps_its_own_ports_into_its_own_services(self) -> None:
        """Nobody listens to another project, nor lets it listen."""
        service = self.service()
        network = self.bed.create("network", BOB)["id"]
        port = self.bed.create("port", BOB, network_id=network)["id"]
        message = self.assert_refused(404, "InvalidSourcePort", self.flow, service, source_port=port)
        self.assertEqual(message, f"Source Port  {port} does not exist")
        self.assert_refused(404, "TapServiceNotFound", self.flow, service, BOB, source_port=port)
        refused = {"source_port": port, "project_id": "bob"}
        self.assert_refused(403, "TapServiceNotBelongToProject", self.flow, service, ADMIN, **refused)
        self.assert_refused(
            403, "PortDoesNotBelongToProject", self.flow, service, ADMIN, source_port=port, project_id="alice"
        )

    def test_taps_go_with_their_ports(self) -> None:
        """The flow with its source; the service and its flows with its port."""
        service = self.service()
        self.flow(service)
        self.bed.delete("port", self.source, ALICE)
        self.assertEqual(self.bed.listed("tap_flow"), [])
        self.source = self.port()
        self.flow(service)
        self.bed.delete("port", self.listener, ALICE)
        self.assertEqual((self.bed.listed("tap_flow"), self.bed.listed("tap_service")), ([], []))

    def test_taps_hold_no_network(self) -> None:
        """The port of its address service goes with it, though it is tapped, and so do others if that is asked for."""
        network, _ = self.bed.network_with_subnet("10.7.0.0/24", ALICE)
        (dhcp,) = (each for each in self.bed.listed("port", network_id=(network,)))
        self.listener = dhcp["id"]
        service = self.service(ADMIN, project_id=dhcp["project_id"])
        self.flow(service, ADMIN, source_port=dhcp["id"], project_id=dhcp["project_id"])
        self.bed.delete("network", network)
        self.assertEqual((self.bed.listed("tap_flow"), self.bed.listed("tap_service")), ([], []))

    def test_a_number_that_is_free_is_given_again(self) -> None:
        """The lowest."""
        made = [self.service() for _ in range(3)]
        self.bed.delete("tap_service", made[1]["id"], ALICE)
        self.service()
        numbers = self.bed.connection.execute(select(tap_services.c.number).order_by(tap_services.c.number))
        self.assertEqual(list(numbers.scalars()), [1, 2, 3])


class StatusTests(TapCase):
    """What a tap's status is, its ports decide."""

    def test_it_is_active_while_copies_can_flow(self) -> None:
        """Both ports are ACTIVE, and on one host, or hosts with tunnels; and their hosts know taps."""
        service = self.service()
        flow = self.flow(service)["id"]
        for host in ("host-1", "host-2"):
            self.hear(host)
        for port in (self.listener, self.source):
            self.bed.update("port", port, binding__host_id="host-1")
        self.assertEqual(self.bed.show("tap_flow", flow)["status"], "DOWN")
        self.tell("host-1", self.listener)
        self.assertEqual(self.bed.show("tap_service", service["id"])["status"], "ACTIVE")
        self.assertEqual(self.bed.show("tap_flow", flow)["status"], "DOWN")
        self.tell("host-1", self.source)
        self.assertEqual(self.bed.show("tap_flow", flow)["status"], "ACTIVE")
        self.assertEqual([each["id"] for each in self.bed.listed("tap_flow", status=("ACTIVE",))], [flow])
        self.assertEqual(len(self.bed.query("tap_flow", Query(sorts=(Sort("status"),)))), 1)
        self.bed.update("port", self.source, binding__host_id="host-2")
        self.tell("host-2", self.source)
        self.assertEqual(self.bed.show("tap_flow", flow)["status"], "DOWN")
        for n, host in enumerate(("host-1", "host-2"), start=1):
            self.hear(host, tunnel_ip=f"192.0.2.{n}", tunnel_types=("vxlan",))
        self.assertEqual(self.bed.show("tap_flow", flow)["status"], "ACTIVE")
        self.hear("host-2", tunnel_ip="192.0.2.2", tunnel_types=("vxlan",), record_kinds=())
        self.assertEqual(self.bed.show("tap_flow", flow)["status"], "DOWN")

    def hear(self, host: str, **said: Any) -> None:
        """Let a host say what it is."""
        self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}", **{"record_kinds": (TapRecord.kind,), **said}))

    def tell(self, host: str, port_id: str) -> None:
        """Let a host report a port."""
        self.bed.report(Report(host, "l2", (PortReport(port_id, 10**9, True),)))
