"""Hosts that carry routers, and what they were told of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.hosts.announce import touched_by, updates_for
from quantumd.api.hosts.compiled import records_of_host
from quantumd.converge.records import Records
from quantumd.model.messages import HostReport, Update
from quantumd.model.records import KINDS
from quantumd.model.router_records import (
    RouterRecord,
)
from quantumd.store.journal import JournalRow, last_position, read_after
from tests.api.resources.bed import ALICE, Bed, View

HOSTS = ("a", "b", "old")


class World:
    """Two hosts that carry routers and one of before; Alice's subnets, and two external networks."""

    def __init__(self) -> None:
        self.bed = Bed()
        for host in HOSTS:
            self.hear(host)
        self.known: defaultdict[str, Records] = defaultdict(Records)
        self.told: list[Update] = []
        self.outside = [self.external(cidr) for cidr in ("172.24.4.0/24", "172.25.0.0/24")]
        self.inside = [self.bed.network_with_subnet(f"10.{n}.0.0/24", ALICE) for n in range(3)]
        self.ports = [self.bed.create("port", ALICE, network_id=network)["id"] for network, _ in self.inside]
        self.position = last_position(self.bed.connection)

    def hear(self, host: str) -> None:
        """Let both roles of a host report."""
        self.bed.hear(HostReport(host, "l2", "1", "ovs", "{}", record_kinds=KINDS))
        self.bed.hear(HostReport(host, "l3", "1", record_kinds=() if host == "old" else KINDS))

    def external(self, cidr: str) -> str:
        """Make an external network with a subnet; return its id."""
        network = self.bed.create("network", router__external=True)["id"]
        self.bed.create("subnet", network_id=network, ip_version=4, cidr=cidr)
        return str(network)

    def act(self, name: str, router_id: str, body: View) -> View:
        """Do an action on a router."""
        found: View = self.bed.act("PUT", f"routers/<resource_id>/{name}", body, ALICE, resource_id=router_id)
        return found

    def router(self, outside: int | None = None) -> str:
        """Make a router."""
        info = None if outside is None else {"network_id": self.outside[outside]}
        return str(self.bed.create("router", ALICE, external_gateway_info=info)["id"])

    def forward(self, floating_id: str, which: int, port: int) -> View:
        """Have a port of a floating IP lead to the same of one of Alice's."""
        target = self.bed.show("port", self.ports[which])
        made: View = self.bed.create(
            "port_forwarding", ALICE, parent=floating_id, protocol="tcp", external_port=port, internal_port=port,
            internal_port_id=target["id"], internal_ip_address=target["fixed_ips"][0]["ip_address"],
        )  # fmt: skip
        return made

    def rows(self) -> tuple[JournalRow, ...]:
        """Return what nobody was told of yet."""
        return read_after(self.bed.connection, self.position, 10_000)

    def tell(self, limit: int = 10_000) -> None:
        """Let hosts hear of what comes next in the journal."""
        rows = self.rows()[:limit]
        self.told = [each for each in updates_for(self.bed.connection, rows) if each.role == "l3"] if rows else []
        self.position = rows[-1].position if rows else self.position
        for each in self.told:
            self.known[each.host].apply(each)

    def has(self, host: str) -> set[RouterRecord]:
        """Return what a host was told, whenever it was read."""
        return {evolve(each, version=0) for each in self.known[host]}  # type: ignore[misc] # they are of that kind

    def must_have(self, host: str) -> set[RouterRecord]:
        """Return what a host would fetch."""
        return {evolve(each, version=0) for each in records_of_host(self.bed.connection, host, "l3", None)}  # type: ignore[misc] # they are of that kind


class RouterHostCase(SynchronousTestCase):
    """Has a router on host a with a gateway and an interface, of which that host was told."""

    def setUp(self) -> None:
        """Make it."""
        self.world = World()
        self.addCleanup(self.world.bed.close)
        self.bed = self.world.bed
        self.router = self.world.router(outside=0)
        self.world.act("add_router_interface", self.router, {"subnet_id": self.world.inside[0][1]})
        self.world.tell()

    def after(self, change: Callable[[], Any]) -> RouterRecord:
        """Make a change and let hosts hear; they know then what they would fetch. Return what host a knows."""
        change()
        self.world.tell()
        for host in HOSTS:
            self.assertEqual(self.world.has(host), self.world.must_have(host), host)
        self.assertEqual({each.host for each in self.world.told}, {"a"})
        (record,) = self.world.has("a")
        return record

    def removal(self, body: View) -> Callable[[], Any]:
        """Return what takes an interface away."""
        return lambda: self.world.act("remove_router_interface", self.router, body)

    def leading(self, floating: View, port_id: str | None) -> Callable[[], Any]:
        """Return what leads a floating IP to a port."""
        return lambda: self.bed.update("floatingip", floating["id"], ALICE, port_id=port_id)

    def expect_silence(self, change: Callable[[], Any]) -> None:
        """Make a change of which no l3 role hears, and for which nothing is read of routers."""
        change()
        self.assertTrue(touched_by(self.world.rows()).routers.is_nothing)
        self.world.tell()
        self.assertEqual(self.world.told, [])
        self.assertEqual(self.world.has("a"), self.world.must_have("a"))
