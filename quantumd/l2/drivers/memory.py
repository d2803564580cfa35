"""The smallest L2 driver: a switch that is a dictionary. For tests of everything above a driver, and as an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from quantumd.converge.plan import NOTHING, Key, Plan, Stage, Step
from quantumd.converge.records import Records
from quantumd.edge.frames.memory import MemoryFrames
from quantumd.interfaces import IConverger
from quantumd.l2.drivers.interfaces import FrameParts, IL2Driver, L2Parts, Site
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.records import NetworkRecord, PortRecord, RecordKey
from quantumd.version import VERSION


@frozen
class Connect:
    """Connect plugged ports, or disconnect them: by port id, the record they are connected by, or None."""

    keys: frozenset[Key]
    ports: Mapping[str, PortRecord | None]


@implementer(IConverger)
@define(eq=False)
class MemorySwitchboard:
    """See IConverger. ``plug`` and ``unplug`` are what a hypervisor would do; ``connected`` is what packets obey."""

    role = "l2"
    _host: str
    _records: Records
    connected: dict[str, PortRecord] = field(factory=dict, init=False)
    _plugged: set[str] = field(factory=set, init=False)
    _listeners: list[Callable[[frozenset[Key] | None], None]] = field(factory=list, init=False)

    def plug(self, port_id: str) -> None:
        """A device says that it is this port."""
        self._plugged.add(port_id)
        self._tell(port_id)

    def unplug(self, port_id: str) -> None:
        """The device of this port goes."""
        self._plugged.discard(port_id)
        self._tell(port_id)

    def _tell(self, port_id: str) -> None:
        for listener in self._listeners:
            listener(frozenset({("port", port_id)}))

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        """See IConverger."""
        self._listeners.append(listener)

    def observe(self) -> Deferred[None]:
        """See IConverger."""
        return succeed(None)

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        """See IConverger."""
        keys: set[Key] = {("port", record_id) for kind, record_id in changed if kind == PortRecord.kind}
        networks = {record_id for kind, record_id in changed if kind == NetworkRecord.kind}
        if networks:
            ports = self._records.of_kind(PortRecord.kind)
            keys.update(
                ("port", port.id) for port in ports if isinstance(port, PortRecord) and port.network_id in networks
            )
        return frozenset(keys)

    def every_key(self) -> frozenset[Key]:
        """See IConverger."""
        known = {record.id for record in self._records.of_kind(PortRecord.kind)}
        return frozenset(("port", port_id) for port_id in known | self._plugged | self.connected.keys())

    def plan(self, keys: frozenset[Key]) -> Plan:
        """See IConverger."""
        wanted = {name: self._wanted(name) for _, name in keys}
        ports = {port_id: port for port_id, port in wanted.items() if self.connected.get(port_id) != port}
        return Plan((Stage("connect", (Connect(keys, ports),)),)) if ports else NOTHING

    def _wanted(self, port_id: str) -> PortRecord | None:
        port = self._records.get(PortRecord.kind, port_id)
        if port_id not in self._plugged or not isinstance(port, PortRecord) or not port.admin_state_up:
            return None
        network = self._records.get(NetworkRecord.kind, port.network_id)
        return port if isinstance(network, NetworkRecord) and network.admin_state_up else None

    def sweep(self) -> Plan:
        """See IConverger."""
        return NOTHING

    def execute(self, step: Step) -> Deferred[None]:
        """See IConverger."""
        if isinstance(step, Connect):
            for port_id, port in step.ports.items():
                if port is None:
                    self.connected.pop(port_id, None)
                else:
                    self.connected[port_id] = port
        return succeed(None)

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """See IConverger."""
        return tuple(self._report(name, faults.get(("port", name))) for _, name in keys)

    def _report(self, port_id: str, fault: str | None) -> PortReport:
        port = self.connected.get(port_id)
        return PortReport(port_id, port.version if port is not None else 0, port_id in self._plugged, fault)

    def describe(self) -> HostReport:
        """See IConverger."""
        return HostReport(self._host, self.role, VERSION, "other", '{"connectivity": "l2"}')


@implementer(IL2Driver)
@frozen
class MemoryDriver:
    """See IL2Driver."""

    name = "memory"
    capabilities = frozenset({"binding", "provider", "net-mtu"})

    def install(self, site: Site) -> L2Parts:
        """See IL2Driver."""
        return L2Parts(MemorySwitchboard(site.host, site.records), Service(), self.frames(site))

    def plugs(self, site: Site) -> None:
        """See IL2Driver."""

    def frames(self, site: Site) -> FrameParts:
        """See IL2Driver."""
        frames = MemoryFrames()
        frames.connect()
        return FrameParts(frames, Service())
