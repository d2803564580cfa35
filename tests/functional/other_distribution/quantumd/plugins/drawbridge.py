"""An L2 driver of another distribution: a port is plugged while a file of its id lies in a directory.

The directory is the setting ``l2.ovs_run_dir``. What is realised is written into the file: the version of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, field, frozen
from twisted.application.internet import TimerService
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.plugin import IPlugin
from zope.interface import implementer

from quantumd.converge.plan import NOTHING, Key, Plan, Stage, Step
from quantumd.converge.records import Records
from quantumd.edge.frames.memory import MemoryFrames
from quantumd.interfaces import IConverger
from quantumd.l2.drivers.interfaces import FrameParts, IL2Driver, L2Parts, Site
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.records import NetworkRecord, PortRecord, RecordKey

LOOK_SECONDS = 0.02


@frozen
class WriteVersion:
    """Write the version of the record that is realised; 0 is none."""

    keys: frozenset[Key]
    port_id: str
    version: int


@implementer(IConverger)
@define(eq=False)
class Drawbridge:
    """See IConverger."""

    role = "l2"
    _host: str
    _directory: Path
    _records: Records
    _seen: frozenset[str] = field(default=frozenset(), init=False)
    _listeners: list[Callable[[frozenset[Key] | None], None]] = field(factory=list, init=False)

    def look(self) -> None:
        """Tell which files came and went."""
        found = frozenset(path.name for path in self._directory.glob("*-*-*-*-*"))
        changed, self._seen = found ^ self._seen, found
        if changed:
            for listener in self._listeners:
                listener(frozenset(("port", port_id) for port_id in changed))

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        """See IConverger."""
        self._listeners.append(listener)

    def observe(self) -> Deferred[None]:
        """See IConverger."""
        self.look()
        return succeed(None)

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        """See IConverger."""
        ports = {record_id for kind, record_id in changed if kind == PortRecord.kind}
        networks = {record_id for kind, record_id in changed if kind == NetworkRecord.kind}
        known = (port for port in self._records.of_kind(PortRecord.kind) if isinstance(port, PortRecord))
        ports.update(port.id for port in known if port.network_id in networks)
        return frozenset(("port", port_id) for port_id in ports)

    def every_key(self) -> frozenset[Key]:
        """See IConverger."""
        known = {record.id for record in self._records.of_kind(PortRecord.kind)}
        return frozenset(("port", port_id) for port_id in known | self._seen)

    def plan(self, keys: frozenset[Key]) -> Plan:
        """See IConverger."""
        steps = tuple(
            WriteVersion(frozenset({key}), key[1], wanted)
            for key in sorted(keys)
            if key[1] in self._seen and (wanted := self._wanted(key[1])) != self._actual(key[1])
        )
        return Plan((Stage("write", steps),)) if steps else NOTHING

    def _wanted(self, port_id: str) -> int:
        port = self._records.get(PortRecord.kind, port_id)
        if not isinstance(port, PortRecord) or not port.admin_state_up:
            return 0
        network = self._records.get(NetworkRecord.kind, port.network_id)
        return port.version if isinstance(network, NetworkRecord) and network.admin_state_up else 0

    def _actual(self, port_id: str) -> int:
        path = self._directory / port_id
        return int(path.read_text() or 0) if path.exists() else 0

    def sweep(self) -> Plan:
        """See IConverger."""
        return NOTHING

    def execute(self, step: Step) -> Deferred[None]:
        """See IConverger."""
        if isinstance(step, WriteVersion) and (self._directory / step.port_id).exists():
            (self._directory / step.port_id).write_text(str(step.version))
        return succeed(None)

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """See IConverger."""
        return tuple(
            PortReport(key[1], self._actual(key[1]), key[1] in self._seen, faults.get(key)) for key in sorted(keys)
        )

    def describe(self) -> HostReport:
        """See IConverger."""
        return HostReport(self._host, self.role, "drawbridge 1.0", "other", '{"connectivity": "l2"}')


@implementer(IPlugin, IL2Driver)
@frozen
class DrawbridgeDriver:
    """See IL2Driver."""

    name = "drawbridge"
    capabilities = frozenset({"binding", "net-mtu"})

    def install(self, site: Site) -> L2Parts:
        """See IL2Driver."""
        converger = Drawbridge(site.host, Path(site.l2.ovs_run_dir), site.records)
        return L2Parts(converger, _watch(converger, site.reactor), self.frames(site))

    def plugs(self, site: Site) -> None:
        """See IL2Driver."""

    def frames(self, site: Site) -> FrameParts:
        """See IL2Driver."""
        frames = MemoryFrames()
        frames.connect()
        return FrameParts(frames, Service())


def _watch(converger: Drawbridge, clock: IReactorTime) -> TimerService:
    service = TimerService(LOOK_SECONDS, converger.look)
    service.clock = clock
    return service


driver = DrawbridgeDriver()
