"""A host in memory that carries routers: its switch, its namespaces, and a process that may be started anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from attrs import define, evolve, field
from twisted.internet.task import Clock

from quantumd.converge.loop import ConvergeService
from quantumd.converge.plan import Plan
from quantumd.converge.records import Records
from quantumd.edge.dhcpv6.memory import MemoryClients
from quantumd.edge.netns.interfaces import Seen
from quantumd.edge.netns.memory import MemoryNamespaces
from quantumd.edge.notes.memory import MemoryNote
from quantumd.edge.ovsdb.interfaces import BridgeRow, InterfaceRow
from quantumd.edge.ovsdb.memory import MemoryOvsdb
from quantumd.edge.solicitations.memory import MemorySolicitations
from quantumd.errors import EdgeError
from quantumd.l2.drivers.ovs.plugs import OWNER, OvsPlugs
from quantumd.l3.advertiser import Advertiser
from quantumd.l3.converger import L3Converger
from quantumd.l3.delegation.book import LeaseBook
from quantumd.l3.delegation.delegator import Delegator
from quantumd.l3.names import PREFIX, namespace_of
from quantumd.l3.steps import ChangeRouter
from quantumd.model.messages import Gone, PortReport, Update
from quantumd.model.router_records import FloatingAddress, RouterLink, RouterRecord, RouterRoute

HOST = "host-a"
BRIDGE = "br-int"
ROUTER_ID = "0a000000-0000-4000-8000-000000000001"
INTERFACE = RouterLink(
    "0b000000-0000-4000-8000-000000000001", "red", "fa:16:3e:00:00:01", 1450, ("10.0.0.1/24", "fd00::1/64")
)
OTHER_INTERFACE = RouterLink(
    "0b000001-0001-4000-8000-000000000002", "blue", "fa:16:3e:00:00:02", 1450, ("10.0.1.1/24",)
)
GATEWAY_LINK = RouterLink(
    "0c000000-0000-4000-8000-000000000001", "outside", "fa:16:3e:00:00:03", 1500, ("203.0.113.2/24",)
)
FLOATING = FloatingAddress("0d000000-0000-4000-8000-000000000001", "203.0.113.5", "10.0.0.5")
ROUTE = RouterRoute("10.9.0.0/16", "10.0.0.9")
ROUTER = RouterRecord(
    ROUTER_ID, 1, True, (INTERFACE, OTHER_INTERFACE), GATEWAY_LINK, ("203.0.113.1",), True, (ROUTE,), (FLOATING,)
)
INNER, OUTER = f"qr-{INTERFACE.port_id[:11]}", f"tap{INTERFACE.port_id[:11]}"
GATEWAY_INNER, GATEWAY_OUTER = f"qg-{GATEWAY_LINK.port_id[:11]}", f"tap{GATEWAY_LINK.port_id[:11]}"
NAMESPACE = namespace_of(ROUTER_ID)
STRANGERS_PORT, STRANGERS_NAMESPACE = "tap99999999-99", "qrouter-1"


@define(eq=False)
class World:
    """The host. ``wanted`` is what its records say, ``told`` what was reported last."""

    clock: Clock = field(factory=Clock)
    ovsdb: MemoryOvsdb = field(init=False)
    namespaces: MemoryNamespaces = field(factory=lambda: MemoryNamespaces(PREFIX))
    clients: MemoryClients = field(factory=MemoryClients)
    leases: MemoryNote = field(factory=MemoryNote)
    wanted: dict[str, RouterRecord] = field(factory=dict)
    told: dict[str, PortReport] = field(factory=dict)
    version: int = 1
    plugs: OvsPlugs = field(init=False)
    records: Records = field(init=False)
    converger: L3Converger = field(init=False)
    loop: ConvergeService = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start the switch, with a port of somebody else, and a process."""
        self.ovsdb = MemoryOvsdb(self.clock, self._number)
        self.ovsdb.startService()
        self.ovsdb.put_bridge_row(BridgeRow(BRIDGE, "system", "secure", frozenset(), {}, False))
        self.ovsdb.plug(BRIDGE, STRANGERS_PORT, {"iface-id": "99999999"})
        self.namespaces.outside[STRANGERS_PORT] = ""
        self.namespaces.add(STRANGERS_NAMESPACE)
        self.clock.pump([0.0] * 8)
        self.begin()

    def _number(self, _: str, device: str) -> int:
        """Return the number of a port: a device that is not there cannot have one."""
        return 7 if device in self.namespaces.outside else -1

    def begin(self) -> None:
        """Start a process that knows nothing but the records."""
        self.begin_without_records()
        self.loop.records_changed(self.records.apply(Update(HOST, "l3", tuple(self.wanted.values()))), True)
        self.settle()

    def begin_without_records(self) -> None:
        """Start a process that has heard nothing yet."""
        self.records = Records()
        self.plugs = OvsPlugs(self.ovsdb, BRIDGE, self.clock)
        advertiser = Advertiser(MemorySolicitations(), self.clock, lambda: 0.5)
        book = LeaseBook(self.leases)
        book.open()
        delegator = Delegator(self.clients, self.clock, lambda: 0.5, book)
        self.converger = L3Converger(HOST, "1", self.records, self.namespaces, self.plugs, advertiser, delegator)
        self.loop = ConvergeService(self.converger, self.clock, self._tell)
        self.loop.startService()

    def restart(self) -> None:
        """End the process, and start another one."""
        self.loop.stopService()
        self.begin()

    def settle(self) -> None:
        """Let everything happen that is due within a second."""
        for _ in range(4):
            self.clock.pump([0.0] * 8 + [0.2])
            self._notice_devices()

    def _notice_devices(self) -> None:
        """Do what ovs-vswitchd does: a device that was missed is taken when it comes."""
        for name, row in tuple(self.ovsdb.interfaces().items()):
            if row.error is not None and name in self.namespaces.outside:
                self.ovsdb.set_ofport(name, None)

    def look(self) -> None:
        """Let the clock's next look at everything come, and whatever it leads to."""
        self.clock.advance(300)
        self.settle()

    def know(self, *records: RouterRecord) -> None:
        """Take in records, and act on them."""
        self.note(*records)
        self.settle()

    def note(self, *records: RouterRecord) -> None:
        """Take in records."""
        self.version += 1
        newer = tuple(evolve(each, version=self.version) for each in records)
        self.wanted.update((each.id, each) for each in newer)
        self.loop.records_changed(self.records.apply(Update(HOST, "l3", newer)), False)

    def forget(self, router_id: str = ROUTER_ID) -> None:
        """Hear that a router is gone, and act on it."""
        self.version += 1
        self.wanted.pop(router_id, None)
        gone = Update(HOST, "l3", gone=(Gone(RouterRecord.kind, router_id, self.version, True),))
        self.loop.records_changed(self.records.apply(gone), False)
        self.settle()

    def plan(self) -> Plan:
        """Return what is to be done."""
        return self.converger.plan(self.converger.every_key())

    def changes(self) -> tuple[ChangeRouter, ...]:
        """Return the steps that are to be done."""
        return tuple(cast("ChangeRouter", step) for stage in self.plan().stages for step in stage.steps)

    def execute(self, step: ChangeRouter) -> str:
        """Execute a step; return why it failed, '' when it did not."""
        failed: list[str] = []
        done = self.converger.execute(step)
        done.addErrback(lambda failure: failed.append(str(failure.value)) if failure.check(EdgeError) else failure)
        self.clock.pump([0.0] * 8)
        self._notice_devices()
        self.clock.pump([0.0] * 8)
        return failed[0] if failed else ""

    def seen(self, router_id: str = ROUTER_ID) -> Seen | None:
        """Return what is in a router's namespace."""
        found: list[Seen | None] = []
        self.namespaces.read(namespace_of(router_id)).addCallback(found.append)
        return found[0]

    def ports(self) -> Mapping[str, InterfaceRow]:
        """Return the ports of routers."""
        return {name: row for name, row in self.ovsdb.interfaces().items() if OWNER in row.external_ids}

    def state(self) -> tuple[object, ...]:
        """Return all that there is, as it can be compared."""
        names = sorted(self.namespaces.rooms)
        inside = {name: self.namespaces.rooms[name].seen for name in names}
        nft = {name: self.namespaces.filters_of(name) for name in names}
        filters = {name: (dict(each.chains), dict(each.sets), dict(each.elements)) for name, each in nft.items()}
        ports = {name: dict(row.external_ids) for name, row in self.ovsdb.interfaces().items()}
        return inside, filters, ports, dict(self.namespaces.outside)

    def _tell(self, reports: tuple[PortReport, ...], is_complete: bool) -> None:
        if is_complete:
            self.told.clear()
        self.told.update((report.port_id, report) for report in reports)
