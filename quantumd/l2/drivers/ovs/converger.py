"""Open vSwitch under the converge loop: the view is kept up to date, plans come from it, steps go to the edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from quantumd.converge.plan import NOTHING, SWEEP, Key, Plan, Stage, Step
from quantumd.edge.openflow.interfaces import ISwitch
from quantumd.edge.ovsdb.interfaces import EditBridgeIds, IOvsdb
from quantumd.edge.tracked.interfaces import IConnections
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import IConverger
from quantumd.l2.drivers.ovs import bridges, features, mirrors
from quantumd.l2.drivers.ovs.desired import NONE, Objects, PuntSettings, ServicesView
from quantumd.l2.drivers.ovs.drift import Drift
from quantumd.l2.drivers.ovs.exits import Exits, mirror_tunnels, physical_networks, tunnels
from quantumd.l2.drivers.ovs.guards import GUARDS, guard_objects
from quantumd.l2.drivers.ovs.plan import Held, change_for, is_nothing, sweep
from quantumd.l2.drivers.ovs.remote import PEER, REMOTE_PORT
from quantumd.l2.drivers.ovs.reports import PortReports, host_report
from quantumd.l2.drivers.ovs.revocation import Revocation
from quantumd.l2.drivers.ovs.steps import ChangeFlows, ConfigureBridges, RememberNumbers
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.l2.drivers.ovs.watch import Watch, bridge_key, port_id_of
from quantumd.l2.drivers.ovs.writing import FlowWriter
from quantumd.model.logging_records import PortLogsRecord
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.qos_records import QosPolicyRecord
from quantumd.model.records import NetworkRecord, PortRecord, RecordKey
from quantumd.model.service_place import OUTER_DEVICE

_EARLY = GUARDS | {"bridge"}
_NO_LOGS = PuntSettings(0, 1, 1)


@implementer(IConverger)
@define(eq=False)
class OvsConverger:
    """See IConverger. Keys: ("port", id), ("network", id), ("bridge", name), those of Elsewhere, and of guards."""

    role = "l2"
    _host: str
    _ovsdb: IOvsdb
    _switch: ISwitch
    _view: HostView
    _bridges: bridges.BridgePlan
    _punt: PuntSettings
    _clock: IReactorTime
    _connections: IConnections
    _removes_foreign: bool = True
    _logging: PuntSettings = _NO_LOGS
    _storm_pps: int = 0
    _zone_limit: int = 0
    _service_pps: int = 0
    drift: Drift = field(init=False)
    _held: Held = field(factory=Held, init=False)
    _wanted: dict[Key, Objects] = field(factory=dict, init=False)
    _versions: dict[Key, int] = field(factory=dict, init=False)
    _realised: dict[Key, int] = field(factory=dict, init=False)
    _revocation: Revocation = field(init=False)
    _writer: FlowWriter = field(init=False)
    _exits: tuple[Exits, ...] = field(init=False)
    _watch: Watch = field(init=False)
    _offered: ServicesView = field(init=False)
    _reports: PortReports = field(init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        """Look at Open vSwitch through the edges that were given."""
        self.drift = Drift(self._removes_foreign)
        self._offered = ServicesView(self._bridges.points, self._service_pps)
        self._writer = FlowWriter(self._switch, self._clock)
        self._revocation = Revocation(self._connections, self._view, self._clock, self._zone_limit)
        self._exits = (
            Exits(physical_networks(self._bridges), self._ovsdb, self._view, self._view.physical_ofports),
            Exits(tunnels(self._bridges), self._ovsdb, self._view, self._view.tunnel_ofports),
            Exits(mirror_tunnels(self._view.copying.mirrors), self._ovsdb, self._view, self._view.mirror_ofports),
        )
        self._reports = PortReports(self._view, self._ovsdb, self._exits)
        self._watch = Watch(self._bridges, self._ovsdb, self._switch, self._view, self._exits, self._clock)

    @property
    def _has_bridge(self) -> bool:
        return self._watch.has_bridge

    @property
    def _bridge_key(self) -> Key:
        return bridge_key(self._bridges)

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        """See IConverger."""
        self._watch.start(listener)

    # --- observe

    def observe(self) -> Deferred[None]:
        """See IConverger."""
        return ensureDeferred(self._observe())

    async def _observe(self) -> None:
        if not self._ovsdb.is_connected:
            raise EdgeUnavailable("Open vSwitch's database is not connected")
        row = self._watch.look_at_bridge()
        if row is None:
            self._held = Held()
            return
        if not self._switch.is_connected:
            raise EdgeUnavailable(f"the switch of {self._bridges.integration} is not connected")
        state = await self._switch.read()
        self.drift.note(self._held, state, row.name)
        self._held = Held.read(state)
        self._wanted.clear()
        self._versions.clear()
        self._realised.clear()
        self._view.numbers.restore(row.external_ids)
        self._view.set_ofports({port.name: port.ofport for port in state.ports})
        self._view.forget_devices()
        for name, interface in self._ovsdb.interfaces().items():
            self._view.set_device(name, None, port_id_of(interface))
        for exits in self._exits:
            exits.look()
        self._revocation.observed()

    # --- keys and plans

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        """See IConverger."""
        suspected = self._revocation.look(changed)
        keys: set[Key] = {*self._view.elsewhere.note(changed), *self._view.policies.note_records(changed)}
        parents = set(self._view.trunks.parents_in(changed))
        networks = self._view.note_records(changed)
        keys.update(("port", port_id) for port_id in parents.union(self._view.trunks.parents_in(changed)))
        keys.update(("network", network_id) for network_id in networks)
        # What other hosts have of a network counts while it has ports here.
        for network_id in self._view.newly_carried(networks):
            keys.update(self._view.elsewhere.keys_on(network_id))
        mirrored = self._view.copying.mirrors.note(changed)
        # A mirror may be the first or the last one for a tunnel port.
        keys.update({self._bridge_key} if mirrored else ())
        keys.update(("port", port_id) for port_id in self._view.copying.taps.note(changed) | mirrored)
        for kind, record_id in changed:
            if kind in (PortRecord.kind, PortLogsRecord.kind):
                keys.add(("port", record_id))
                keys.update(("port", tapped) for tapped in self._view.copying.taps.tapped_by(record_id))
            elif kind == NetworkRecord.kind:
                keys.update(("port", port_id) for port_id in self._view.ports_on(record_id))
                keys.update(self._view.elsewhere.keys_on(record_id))
            elif kind == QosPolicyRecord.kind:
                keys.update(self._view.qos.keys_with(record_id))
        self._revocation.wait(suspected, keys)
        return frozenset(keys)

    def every_key(self) -> frozenset[Key]:
        """See IConverger."""
        keys: set[Key] = {self._bridge_key, *self._view.policies.every_key()}
        keys.update(("network", network_id) for network_id in self._view.networks() | self._view.numbers.known())
        keys.update(("port", record.id) for record in self._view.records.of_kind(PortRecord.kind))
        keys.update(("port", port_id) for port_id in self._view.plugged())
        keys.update(self._view.elsewhere.every_key())
        return frozenset(keys | self._held.owned.keys())

    def plan(self, keys: frozenset[Key]) -> Plan:
        """See IConverger."""
        bridges_first = self._bridge_stage(keys)
        if not self._has_bridge:
            return Plan(bridges_first)
        wanted = {key: self._objects(key) for key in keys}
        self._wanted.update(wanted)
        self._revocation.planned(keys)
        remember, forget = self._remember_numbers(keys), self._forget_numbers(keys)
        stages = (
            Stage("numbers", (remember,) if remember.put else (), is_gate=True),
            *(self._stages(wanted) if self._held.owned else (Stage("flows", self._changes(wanted), is_gate=True),)),
            Stage("forget", (forget,) if forget.remove else ()),
        )
        # Plans are merged by the names of stages: to come in this order in all, they come in all that do anything.
        return Plan((*bridges_first, *(stages if any(stage.steps for stage in stages) else ())))

    def _stages(self, wanted: Mapping[Key, Objects]) -> tuple[Stage, ...]:
        """Tables and what guards a port are there before the port asks for them, and go after that.

        Not so when all is planned anew: then all flows change at once, in one bundle. Those of another version of the
        pipeline, which made half of them before, may use the same tables for other purposes.
        """
        early = {key: objects for key, objects in wanted.items() if key[0] in _EARLY and objects != NONE}
        ended = {key: NONE for key, objects in wanted.items() if key[0] in _EARLY and objects == NONE}
        others = {key: objects for key, objects in wanted.items() if key[0] not in _EARLY}
        return (
            Stage("guards", self._changes(early), is_gate=True),
            Stage("flows", self._changes(others), is_gate=True),
            Stage("ended guards", self._changes(ended), is_gate=True),
        )

    def _changes(self, wanted: Mapping[Key, Objects]) -> tuple[ChangeFlows, ...]:
        change = change_for(self._held, wanted)
        return () if is_nothing(change) else (ChangeFlows(frozenset(wanted), change),)

    def sweep(self) -> Plan:
        """See IConverger."""
        if not self._has_bridge:
            return NOTHING
        change = sweep(self._held, self._wanted.values(), self._removes_foreign)
        if is_nothing(change):
            return NOTHING
        return Plan((Stage("flows", (ChangeFlows(frozenset({SWEEP}), change),)),))

    def _bridge_stage(self, keys: frozenset[Key]) -> tuple[Stage, ...]:
        if self._bridge_key not in keys:
            return ()
        names = {self._bridges.integration, *self._bridges.mappings.values()}
        rows = {name: self._ovsdb.bridge(name) for name in names}
        found, kinds = self._ovsdb.interfaces(), self._view.copying.mirrors.kinds()
        operations = (
            *bridges.operations_for(self._bridges, rows, found),
            *mirrors.operations_for(self._bridges.integration, kinds, found),
        )
        if not operations:
            return ()
        return (Stage("bridges", (ConfigureBridges(frozenset({self._bridge_key}), operations),), is_gate=True),)

    def _objects(self, key: Key) -> Objects:
        noun, name = key
        now = self._clock.seconds()
        if noun == "bridge":
            device = self._view.ofport_named(OUTER_DEVICE)
            return features.bridge_objects(self._logging, evolve(self._offered, ofport=device))
        if noun == "network":
            network = self._view.network(name, now)
            return features.network_objects(network, self._offered) if network is not None else NONE
        if noun == PEER:
            peer = self._view.peer(name)
            return features.peer_objects(peer) if peer is not None else NONE
        if noun == REMOTE_PORT:
            remote = self._view.remote_port(name, now)
            return features.remote_port_objects(remote) if remote is not None else NONE
        if noun in GUARDS:
            return guard_objects(self._view.policies, key)
        port = self._view.port(name, now)
        self._versions[key] = port.port.version if port is not None else 0
        if port is None:
            return NONE
        return features.port_objects(port, self._punt, self._logging, self._storm_pps, self._offered)

    def _remember_numbers(self, keys: frozenset[Key]) -> RememberNumbers:
        put: dict[str, str] = {}
        for noun, name in keys:
            network_id = self._view.network_behind(noun, name)
            if network_id is not None:
                put.update(self._view.numbers.unsaved(network_id))
        return RememberNumbers(keys, put)

    def _forget_numbers(self, keys: frozenset[Key]) -> RememberNumbers:
        unused = {name for noun, name in keys if noun == "network" and not self._view.ports_on(name)}
        remove = frozenset(text for name in unused for text in self._view.numbers.leftover(name))
        return RememberNumbers(frozenset(("network", name) for name in unused), {}, remove)

    # --- execute and conclude

    def execute(self, step: Step) -> Deferred[None]:
        """See IConverger."""
        return ensureDeferred(self._execute(step))

    async def _execute(self, step: Step) -> None:
        if isinstance(step, ChangeFlows):
            await self._writer.write(step.change, self._held)
        elif isinstance(step, RememberNumbers):
            await self._revocation.clear(self._view.numbers.behind(step.remove))
            edit = EditBridgeIds(self._bridges.integration, step.put, step.remove)
            await self._ovsdb.transact((edit,))
            self._view.numbers.saved(step.put, step.remove, self._clock.seconds())
            self._revocation.began(self._view.numbers.behind(step.put))
        elif isinstance(step, ConfigureBridges):
            await self._ovsdb.transact(step.operations)

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """See IConverger."""
        self._revocation.concluded(keys, faults, self._bridge_key in keys)
        concerned = self._reports.concerned(keys, faults, self._held.owned)
        for key in keys:
            self._note(key, key in faults)
        if not self._switch.is_connected and self._has_bridge:
            return ()
        return self._reports.of(concerned, self._held.owned, self._realised)

    def _note(self, key: Key, is_faulty: bool) -> None:
        if is_faulty or key not in self._wanted:
            self._realised.pop(key, None)
            return
        self._held.own(key, self._wanted[key])
        self._realised[key] = self._versions.get(key, 0)
        if self._wanted[key] == NONE:
            # Nothing is remembered of what is gone.
            for remembered in (self._wanted, self._realised, self._versions):
                remembered.pop(key, None)
            if key[0] in GUARDS:
                self._view.policies.forget(key)

    def faults(self) -> dict[Key, str]:
        """Return what is wrong with bridges, tunnels and connections though every step went well."""
        if not self._has_bridge:
            return {}
        cut_off = (fault for exits in self._exits for fault in exits.faults().items())
        return {**dict(cut_off), **self._revocation.faults()}

    def describe(self) -> HostReport:
        """See IConverger."""
        return host_report(self._host, self.role, self._bridges, self._ovsdb)
