"""Plans of routers on the kernel's namespaces: they arrive, what is read back is what was asked for. Needs root.

Nothing is plugged: the switch is in memory, and packets are other tests' matter.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from socket import socket
from typing import Any, cast

from attrs import define, evolve
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from zope.interface import implementer

from quantumd.converge.records import Records
from quantumd.edge.dhcpv6.memory import MemoryClients
from quantumd.edge.netns.interfaces import INamespaces, Operation, OuterPorts, Seen
from quantumd.edge.netns.kernel import KernelNamespaces
from quantumd.edge.nft.interfaces import Change, Ruleset
from quantumd.edge.notes.memory import MemoryNote
from quantumd.edge.ovsdb.interfaces import BridgeRow
from quantumd.edge.ovsdb.memory import MemoryOvsdb
from quantumd.edge.solicitations.memory import MemorySolicitations
from quantumd.l2.drivers.ovs.plugs import OvsPlugs
from quantumd.l3.advertiser import Advertiser
from quantumd.l3.converger import L3Converger
from quantumd.l3.delegation.book import LeaseBook
from quantumd.l3.delegation.delegator import Delegator
from quantumd.l3.names import PREFIX
from quantumd.l3.steps import ChangeRouter
from quantumd.model.messages import Update
from quantumd.model.router_records import (
    FloatingAddress,
    LinkScope,
    RouterGateway,
    RouterLink,
    RouterRecord,
    RouterRoute,
)
from tests.bed.needs import missing
from tests.bed.openvswitch import run
from tests.contracts.namespaces import NamespacesCase
from tests.functional.test_namespaces import remove_all
from tests.l3.world import BRIDGE, HOST, ROUTER

reactor: Any = twisted_reactor


@implementer(INamespaces)
@define(eq=False)
class Renamed:
    """The kernel's namespaces by names of this test alone: others on this machine may carry routers too."""

    kernel: KernelNamespaces
    prefix: str

    def _name(self, name: str) -> str:
        return self.prefix + name.removeprefix(PREFIX)

    def start(self) -> None:
        """See INamespaces."""
        self.kernel.start()

    def stop(self) -> None:
        """See INamespaces."""
        self.kernel.stop()

    def on_change(self, listener: Callable[[str], None]) -> None:
        """See INamespaces."""
        self.kernel.on_change(lambda name: listener(PREFIX + name.removeprefix(self.prefix)))

    def names(self) -> Deferred[frozenset[str]]:
        """See INamespaces."""
        found = self.kernel.names()
        return found.addCallback(lambda names: frozenset(PREFIX + each.removeprefix(self.prefix) for each in names))

    def add(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        return self.kernel.add(self._name(name))

    def remove(self, name: str) -> Deferred[None]:
        """See INamespaces."""
        return self.kernel.remove(self._name(name))

    def read(self, name: str) -> Deferred[Seen | None]:
        """See INamespaces."""
        return self.kernel.read(self._name(name))

    def apply(self, name: str, operations: Iterable[Operation]) -> Deferred[None]:
        """See INamespaces."""
        return self.kernel.apply(self._name(name), operations)

    def read_filters(self, name: str) -> Deferred[Ruleset]:
        """See INamespaces."""
        return self.kernel.read_filters(self._name(name))

    def apply_filters(self, name: str, change: Change) -> Deferred[None]:
        """See INamespaces."""
        return self.kernel.apply_filters(self._name(name), change)

    def socket_in(self, name: str, make: Callable[[], socket]) -> Deferred[socket]:
        """See INamespaces."""
        return self.kernel.socket_in(self._name(name), make)

    def end_translated(
        self, name: str, addresses: frozenset[str], ports: frozenset[OuterPorts] = frozenset()
    ) -> Deferred[int]:
        """See INamespaces."""
        return self.kernel.end_translated(self._name(name), addresses, ports)


class RouterPlanTests(NamespacesCase):
    """A router of the kernel."""

    skip = missing("ip", "nft")

    def make(self) -> KernelNamespaces:
        """See NamespacesCase."""
        self.addCleanup(remove_all, self.prefix)
        kernel = KernelNamespaces(reactor, self.prefix)
        kernel.start()
        self.addCleanup(kernel.stop)
        return kernel

    def setUp(self) -> None:
        """Choose ids that nobody else on this machine has, and start a switch in memory and a process."""
        super().setUp()
        self.ovsdb = MemoryOvsdb(reactor, lambda *_: 7)
        self.ovsdb.startService()
        self.addCleanup(self.ovsdb.stopService)
        self.ovsdb.put_bridge_row(BridgeRow(BRIDGE, "system", "secure", frozenset(), {}, False))
        assert ROUTER.gateway is not None
        self.router = evolve(
            ROUTER,
            id=str(uuid.uuid4()),
            interfaces=tuple(map(_with_own_id, ROUTER.interfaces)),
            gateway=_with_own_id(ROUTER.gateway),
        )
        self.shown = f"{self.prefix}{self.router.id}"
        self.begin(self.namespaces)

    def begin(self, kernel: KernelNamespaces) -> None:
        """Start a process that knows nothing."""
        self.records = Records()
        plugs = OvsPlugs(self.ovsdb, BRIDGE, reactor)
        advertiser = Advertiser(MemorySolicitations(), reactor, lambda: 0.5)
        self.addCleanup(advertiser.stop)
        namespaces = Renamed(kernel, self.prefix)
        delegator = Delegator(MemoryClients(), reactor, lambda: 0.5, LeaseBook(MemoryNote()))
        self.addCleanup(delegator.stop)
        self.converger = L3Converger(HOST, "1", self.records, namespaces, plugs, advertiser, delegator)

    def steps(self) -> tuple[ChangeRouter, ...]:
        """Return what is to be done."""
        plan = self.converger.plan(self.converger.every_key())
        return tuple(cast("ChangeRouter", step) for stage in plan.stages for step in stage.steps)

    async def arrive(self, *records: RouterRecord) -> None:
        """Take in records and do what is to be done, once; what is read afterwards is what was asked for."""
        self.records.apply(Update(HOST, "l3", records))
        await self.converger.observe()
        for step in self.steps():
            await self.converger.execute(step)
        await self.converger.observe()
        self.assertEqual(self.steps(), ())

    def ways(self) -> list[RouterRecord]:
        """Return what one router is after the other."""
        red, blue = self.router.interfaces
        assert self.router.gateway is not None
        gateway = self.router.gateway
        route = RouterRoute("10.9.0.0/16", "10.0.0.9")
        there = _with_own_id(evolve(gateway, addresses=("198.51.100.2/24", "fd02::2/64")))
        led = (FloatingAddress(str(uuid.uuid4()), "198.51.100.5", "10.0.0.5"),)
        second = RouterGateway(there, 2, ("198.51.100.1", "fd02::1"), led)
        third = RouterGateway(_with_own_id(evolve(gateway, addresses=("203.0.113.9/24",))), 3, ("203.0.113.1",))
        several = evolve(self.router, more_gateways=(second, third))
        behind = (route, RouterRoute("10.8.0.0/16", "198.51.100.7"))
        scopes = (
            LinkScope(red.port_id, "one", "two"),
            LinkScope(gateway.port_id, "one"),
            LinkScope(there.port_id, "", "two"),
        )
        routers = (
            self.router,
            several,
            evolve(several, enable_default_route_ecmp=True, routes=behind),
            evolve(several, enable_default_route_ecmp=True, scopes=scopes),
            evolve(several, enable_snat=False, scopes=scopes, more_gateways=(second,)),
            evolve(
                self.router, gateway=there, gateway_number=2, nexthops=second.nexthops, floating_ips=led, scopes=scopes
            ),
            evolve(self.router, gateway=None, nexthops=(), floating_ips=(), scopes=scopes),
            self.router,
            evolve(self.router, routes=(route, evolve(route, nexthop="10.0.1.9"), RouterRoute("fd09::/64", "fd00::9"))),
            evolve(self.router, interfaces=(evolve(red, mac_address="fa:16:3e:00:00:77", mtu_bytes=1300), blue)),
            evolve(self.router, interfaces=(evolve(red, addresses=("10.0.0.1/25", "fd00::1/80")), blue)),
            evolve(self.router, interfaces=(evolve(red, addresses=("10.0.0.2/24", "10.0.0.3/24")),)),
            evolve(self.router, interfaces=(evolve(red, addresses=("10.0.0.3/24",)),), enable_snat=False),
            evolve(self.router, gateway=evolve(gateway, addresses=("203.0.113.3/24", "fd01::3/64")), floating_ips=()),
            evolve(self.router, gateway=evolve(gateway, addresses=("198.51.100.2/32",))),
            evolve(self.router, gateway=_with_own_id(gateway), interfaces=(_with_own_id(red), blue)),
            evolve(self.router, gateway=None, nexthops=(), floating_ips=(), routes=(RouterRoute("::/0", "fd00::9"),)),
            evolve(self.router, admin_state_up=False),
            self.router,
        )
        return [evolve(each, version=at) for at, each in enumerate(routers, 2)]

    async def test_each_change_arrives_at_once_and_rests(self) -> None:
        """And a process that starts then plans nothing."""
        for record in self.ways():
            await self.arrive(record)
        self.begin(self.make())
        self.records.apply(Update(HOST, "l3", (record,)))
        await self.converger.observe()
        self.assertEqual(self.steps(), ())

    async def test_routes_to_where_nobody_is_keep_nobody_from_his_work(self) -> None:
        """A router whose port is disabled, say, and one that has its next hop's address itself."""
        routes = (RouterRoute("10.8.0.0/16", "10.0.77.9"), RouterRoute("10.7.0.0/16", "203.0.113.5"))
        await self.arrive(evolve(self.router, routes=(*self.router.routes, *routes)))
        self.assertEqual(len(self.ovsdb.interfaces()), 4)

    async def test_whatever_others_did_is_set_right_at_once(self) -> None:
        """Inside and outside."""
        second = _with_own_id(evolve(self.router.interfaces[0], addresses=("198.51.100.2/24",)))
        await self.arrive(evolve(self.router, more_gateways=(RouterGateway(second, 2, ("198.51.100.1",)),)))
        inner = f"qr-{self.router.interfaces[0].port_id[:11]}"
        outer = f"tap{self.router.interfaces[0].port_id[:11]}"
        there = ("ip", "-n", self.shown)
        inside = ("ip", "netns", "exec", self.shown)
        for meddling in (
            (*there, "address", "flush", "dev", inner), (*there, "address", "add", "192.0.2.9/24", "dev", inner),
            (*there, "link", "set", inner, "down"), ("ip", "link", "set", outer, "down"),
            (*there, "link", "del", inner),
            (*there, "link", "set", inner, "mtu", "1300"), ("ip", "link", "set", outer, "name", f"x{outer[4:]}"),
            (*there, "link", "add", "theirs", "type", "bridge"), (*there, "route", "flush", "proto", "81"),
            (*there, "route", "add", "10.9.0.0/16", "via", "10.0.0.66", "proto", "81", "metric", "1"),
            (*there, "link", "set", "lo", "down"), (*inside, "sysctl", "-qw", "net.ipv4.ip_forward=0"),
            (*inside, "nft", "flush", "ruleset"), (*inside, "nft", "add", "chain", "inet", "quantumd", "more"),
            (*inside, "nft", "insert", "rule", "inet", "quantumd", "postrouting", "accept"),
            (*inside, "nft", "delete", "element", "inet", "quantumd", "floating", "{", "203.0.113.5", "}"),
            (*there, "rule", "del", "fwmark", "2"), (*there, "route", "flush", "table", "102"),
            (*there, "rule", "add", "fwmark", "9", "table", "102", "priority", "8100", "protocol", "81"),
            ("ip", "netns", "del", self.shown),
        ):  # fmt: skip
            run(*meddling)
            await deferLater(reactor, 0.3)
            await self.converger.observe()
            self.assertTrue(self.steps(), meddling)
            await self.arrive()
        self.assertIn(f"quantumd router {self.router.id}", run("ip", "link", "show", outer))


def _with_own_id(link: RouterLink) -> RouterLink:
    return evolve(link, port_id=str(uuid.uuid4()))
