"""A host's l3 role and the server, over the bus: records are fetched, reports decide what the API shows."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.service import ADDRESS, HostsService
from quantumd.bus.memory import MemoryBus
from quantumd.converge.records import Records
from quantumd.model.messages import (
    BUCKETS,
    Ack,
    CompareReply,
    CompareRequest,
    FetchReply,
    FetchRequest,
    HostReport,
    Message,
    PortReport,
    Report,
)
from quantumd.model.records import KINDS
from quantumd.model.router_records import RouterRecord
from tests.api.everything import ADMIN, ALICE, everything

HELLO = HostReport("host-a", "l2", "1", "ovs", "{}", record_kinds=KINDS)


class RouterServiceTests(SynchronousTestCase):
    """Alice's router, and the host that carries it."""

    def setUp(self) -> None:
        """The host is there, the router stands in a subnet and leads outside; a floating IP leads to a port."""
        self.api = everything()
        self.bus = MemoryBus(self.api.wire.clock)
        HostsService(self.bus, self.api.wire.store, False, "nova").startService()
        for hello in (HELLO, evolve(HELLO, role="l3")):
            self.ask(hello)
        outside = self.network(router__external=True, cidr="172.24.4.0/24", project_id="operator")
        inside = self.network(cidr="10.0.0.0/24", project_id="alice")
        gateway = {"network_id": outside}
        self.router = self.api.make("routers", "router", ALICE, external_gateway_info=gateway)["id"]
        (subnet,) = self.api.request("GET", f"subnets?network_id={inside}").json["subnets"]
        path = f"routers/{self.router}/add_router_interface"
        self.assertEqual(self.api.request("PUT", path, {"subnet_id": subnet["id"]}, ALICE).status, 200)
        self.port = self.api.make("ports", "port", ALICE, network_id=inside)["id"]
        self.floating = self.api.make(
            "floatingips", "floatingip", ALICE, floating_network_id=outside, port_id=self.port
        )["id"]

    def network(self, cidr: str, project_id: str, **more: Any) -> str:
        """Make a network with a subnet; return its id."""
        network = self.api.make("networks", "network", project_id=project_id, **more)["id"]
        said = {"network_id": network, "cidr": cidr, "ip_version": 4, "project_id": project_id}
        self.api.make("subnets", "subnet", **said)
        return str(network)

    def ask(self, message: Message) -> Message:
        """Say something to the server; return the answer."""
        answer = self.bus.call(ADDRESS, message, 5)
        self.api.wire.clock.advance(0)
        return self.successResultOf(answer)

    def fetched(self, host: str) -> tuple[RouterRecord, ...]:
        """Return what the l3 role of a host is told when it knows nothing."""
        compared = self.ask(CompareRequest(host, "l3", ()))
        assert isinstance(compared, CompareReply)
        reply = self.ask(FetchRequest(host, "l3", compared.buckets))
        assert isinstance(reply, FetchReply)
        whole = self.ask(FetchRequest(host, "l3", tuple(range(BUCKETS))))
        self.assertEqual(whole, reply)
        return reply.records  # type: ignore[return-value] # nothing else is told to the role

    def report(self, version: int, fault: str | None = None) -> Ack:
        """Report of the router."""
        ack = self.ask(Report("host-a", "l3", (PortReport(self.router, version, True, fault),)))
        assert isinstance(ack, Ack)
        return ack

    def statuses(self) -> tuple[str, str]:
        """Return what the API shows of the router and the floating IP."""
        router = self.api.request("GET", f"routers/{self.router}", headers=ALICE).json["router"]
        floating = self.api.request("GET", f"floatingips/{self.floating}", headers=ALICE).json["floatingip"]
        return router["status"], floating["status"]

    def test_a_host_fetches_what_it_carries(self) -> None:
        """And nothing but that; another host fetches nothing."""
        (record,) = self.fetched("host-a")
        self.assertEqual((record.kind, record.id, len(record.floating_ips)), ("l3.router", self.router, 1))
        self.assertEqual(self.fetched("host-b"), ())

    def test_both_sides_find_that_they_know_the_same(self) -> None:
        """Whenever it was read."""
        known = Records()
        known.replace(range(BUCKETS), [evolve(each, version=1) for each in self.fetched("host-a")], 1)
        digests = tuple((bucket, text) for bucket in range(BUCKETS) if (text := known.digest(bucket)) is not None)
        self.assertEqual(self.ask(CompareRequest("host-a", "l3", digests)), CompareReply(()))

    def test_what_is_realised_is_active(self) -> None:
        """Both; with a fault neither."""
        (record,) = self.fetched("host-a")
        self.assertEqual(self.statuses(), ("ACTIVE", "DOWN"))
        self.assertEqual(self.report(record.version), Ack())
        self.assertEqual(self.statuses(), ("ACTIVE", "ACTIVE"))
        self.report(record.version, "no room")
        self.assertEqual(self.statuses(), ("DOWN", "DOWN"))

    def test_who_is_behind_is_answered_with_what_it_missed(self) -> None:
        """Though it is what it knows."""
        (record,) = self.fetched("host-a")
        for port_id in (None, self.port):
            body = {"floatingip": {"port_id": port_id}}
            self.api.request("PUT", f"floatingips/{self.floating}", body, ALICE)
        (again,) = self.report(record.version).records
        self.assertEqual(self.statuses(), ("ACTIVE", "DOWN"))
        self.assertEqual(evolve(again, version=record.version), record)
        self.report(again.version)
        self.assertEqual(self.statuses(), ("ACTIVE", "ACTIVE"))

    def test_owners_do_not_see_where_it_is(self) -> None:
        """As of any port of theirs; operators do."""
        (port,) = self.api.request("GET", "ports?device_owner=network:router_interface", headers=ALICE).json["ports"]
        self.assertEqual([name for name in port if name.startswith("binding:")], ["binding:vnic_type"])
        (port,) = self.api.request("GET", "ports?device_owner=network:router_interface", headers=ADMIN).json["ports"]
        self.assertEqual((port["binding:host_id"], port["binding:vif_type"]), ("host-a", "ovs"))
        self.assertNotIn("host-a", self.api.request("GET", f"routers/{self.router}", headers=ALICE).body.decode())
