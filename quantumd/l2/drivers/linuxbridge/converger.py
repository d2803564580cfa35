"""Linux bridges under the converge loop: plans come from the view, steps go to the edges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from quantumd.converge.plan import SWEEP, Key, Plan, Stage, Step
from quantumd.edge.netlink.interfaces import (
    Fdb,
    ILinks,
    Operation,
    PutFdb,
    RemoveFdb,
)
from quantumd.edge.nft.interfaces import INft
from quantumd.edge.tracked.interfaces import IConnections
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import IConverger
from quantumd.l2.drivers.linuxbridge import devices
from quantumd.l2.drivers.linuxbridge.desired import NONE, Objects
from quantumd.l2.drivers.linuxbridge.drift import Drift
from quantumd.l2.drivers.linuxbridge.names import FULL_ID, is_tap, network_in
from quantumd.l2.drivers.linuxbridge.plan import EntryChange, Held, entries_for, rules_for, sweep
from quantumd.l2.drivers.linuxbridge.reports import host_report
from quantumd.l2.drivers.linuxbridge.revocation import Revocation
from quantumd.l2.drivers.linuxbridge.steps import ChangeDevices, ChangeEntries, ChangeRules, ReleaseZones
from quantumd.l2.drivers.linuxbridge.view import HostView
from quantumd.l2.drivers.linuxbridge.watch import Watch
from quantumd.l2.drivers.linuxbridge.wishes import BASE, DEVICE, Wishes
from quantumd.l2.drivers.linuxbridge.writing import RulesWriter
from quantumd.l2.drivers.ovs.policies import POLICY, SET
from quantumd.l2.drivers.ovs.remote import REMOTE_PORT
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.records import NetworkRecord, PortRecord, RecordKey


@implementer(IConverger)
@define(eq=False)
class BridgeConverger:
    """See IConverger. Keys: ("port", id), ("network", id), ("device", name), ("remote_port", id), guards, and BASE."""

    role = "l2"
    _host: str
    _links: ILinks
    _nft: INft
    _view: HostView
    _clock: IReactorTime
    _connections: IConnections
    drift: Drift = field(factory=Drift, init=False)
    _held: Held = field(factory=Held, init=False)
    _wanted: dict[Key, Objects] = field(factory=dict, init=False)
    _versions: dict[Key, int] = field(factory=dict, init=False)
    _realised: dict[Key, int] = field(factory=dict, init=False)
    _wishes: Wishes = field(init=False)
    _revocation: Revocation = field(init=False)
    _writer: RulesWriter = field(init=False)
    _watch: Watch = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Look at the kernel through the edges that were given."""
        self._wishes = Wishes(self._view)
        self._writer = RulesWriter(self._nft, self._clock)
        self._revocation = Revocation(self._connections, self._view, self._clock)
        self._watch = Watch(self._links, self._nft, self._view, self._clock, lambda each: each in self._held.entries)

    def on_change(self, listener: Callable[[frozenset[Key] | None], None]) -> None:
        """See IConverger."""
        self._watch.start(listener)

    # --- observe

    def observe(self) -> Deferred[None]:
        """See IConverger."""
        return ensureDeferred(self._observe())

    async def _observe(self) -> None:
        if not self._links.is_connected:
            raise EdgeUnavailable("the devices of this host are not known")
        ruleset, entries = await self._nft.read(), await self._links.entries()
        now = Held.read(ruleset, filter(self._is_ours, entries))
        self.drift.note(self._held, now)
        self._held = now
        self._view.numbers.restore(ruleset.elements)
        self._wanted.clear()
        self._versions.clear()
        self._realised.clear()
        self._watch.observed()
        self._revocation.observed()

    def _is_ours(self, entry: Fdb) -> bool:
        """Whether an entry is of a device that was made for a network, or of a port's."""
        link = self._links.links().get(entry.device)
        if link is None:
            return False
        return network_in(link.alias) is not None or (is_tap(link.name) and devices.is_in_ours(link))

    # --- keys and plans

    def keys_of(self, changed: frozenset[RecordKey]) -> frozenset[Key]:
        """See IConverger."""
        suspected = self._revocation.look(changed)
        keys = self._view.note_records(changed)
        self._revocation.wait(suspected, keys)
        return keys

    def every_key(self) -> frozenset[Key]:
        """See IConverger."""
        networks = self._view.networks() | devices.leftovers(self._links.links())
        taps = self._view.taps()
        port_ids = {record.id for record in self._view.records.of_kind(PortRecord.kind)}
        port_ids.update(port_id for port_id in map(self._view.port_at, taps) if len(port_id) == FULL_ID)
        keys: set[Key] = {BASE, *(("network", network_id) for network_id in networks)}
        keys.update(("port", port_id) for port_id in port_ids)
        keys.update((DEVICE, tap) for tap in taps)
        keys.update(key for key in self._view.policies.every_key() if key[0] in (POLICY, SET))
        keys.update(key for key in self._view.elsewhere.every_key() if key[0] == REMOTE_PORT)
        return frozenset(keys | self._held.owned.keys())

    def plan(self, keys: frozenset[Key]) -> Plan:
        """See IConverger."""
        wanted = {key: self._wishes.objects(key) for key in keys}
        self._wanted.update(wanted)
        self._versions.update((key, self._version(key)) for key in keys if key[0] == "port")
        self._revocation.planned(keys)
        of_devices = {key: self._wishes.devices(key) for key in keys}
        self._note_drift(of_devices)
        rules, entries = rules_for(self._held, wanted), entries_for(self._held, wanted)
        released = frozenset(name for noun, name in keys if noun == "network" and self._is_released(name, wanted))
        release = ReleaseZones(frozenset(("network", name) for name in released), released)
        stages = (
            Stage("devices", _device_steps((key, each.made) for key, each in of_devices.items()), is_gate=True),
            Stage("rules", () if rules.is_nothing else (ChangeRules(keys, rules),), is_gate=True),
            Stage("connected", _device_steps((key, each.connected) for key, each in of_devices.items())),
            Stage("entries", () if entries.is_nothing else (ChangeEntries(keys, entries),)),
            Stage("ended", _device_steps((key, each.ended) for key, each in of_devices.items())),
            Stage("released", (release,) if released else ()),
        )
        # Plans are merged by the names of stages: to come in this order in all, they come in all that do anything.
        return Plan(stages if any(stage.steps for stage in stages) else ())

    def _version(self, key: Key) -> int:
        port = self._view.port(key[1])
        return port.port.version if port is not None else 0

    def _note_drift(self, of_devices: Mapping[Key, devices.Devices]) -> None:
        for key, each in of_devices.items():
            is_same = key in self._realised and self._realised[key] == self._versions.get(key, 0) != 0
            if is_same and each.connected:
                self.drift.note_device(key[1])

    def _is_released(self, network_id: str, wanted: Mapping[Key, Objects]) -> bool:
        return wanted["network", network_id] == NONE and self._view.numbers.given(network_id) is not None

    def sweep(self) -> Plan:
        """See IConverger."""
        rules, entries = sweep(self._held, self._wanted.values())
        keys = frozenset({SWEEP})
        return Plan(
            (
                Stage("rules", () if rules.is_nothing else (ChangeRules(keys, rules),), is_gate=True),
                Stage("entries", () if entries.is_nothing else (ChangeEntries(keys, entries),)),
            )
            if not (rules.is_nothing and entries.is_nothing)
            else ()
        )

    # --- execute and conclude

    def execute(self, step: Step) -> Deferred[None]:
        """See IConverger."""
        return ensureDeferred(self._execute(step))

    async def _execute(self, step: Step) -> None:
        if isinstance(step, ChangeDevices):
            await self._links.apply(step.operations)
        elif isinstance(step, ChangeRules):
            await self._writer.write(step.change, self._held)
        elif isinstance(step, ChangeEntries):
            await self._links.apply(_entry_operations(step.change))
            self._held.change_entries(step.change)
        elif isinstance(step, ReleaseZones):
            zones = (self._view.numbers.given(network_id) for network_id in step.networks)
            await self._revocation.clear(frozenset(zone for zone in zones if zone is not None))
            for network_id in step.networks:
                self._view.numbers.release(network_id)

    def conclude(self, keys: frozenset[Key], faults: Mapping[Key, str]) -> tuple[PortReport, ...]:
        """See IConverger."""
        self._revocation.concluded(keys, faults, BASE in keys)
        for key in keys:
            self._note(key, key in faults)
        if not self._links.is_connected:
            return ()
        port_ids = {name for noun, name in keys if noun == "port" and len(name) == FULL_ID}
        for noun, name in keys:
            # Ports that were concluded before their network are told again with it; of others their turn tells.
            ports = self._view.ports_on(name) if noun == "network" else ()
            port_ids.update(port_id for port_id in ports if ("port", port_id) in self._realised)
        return tuple(self._report(port_id, faults.get(("port", port_id))) for port_id in port_ids)

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
            if key[0] in (POLICY, SET):
                self._view.policies.forget(key)

    def _report(self, port_id: str, fault: str | None) -> PortReport:
        version = self._realised.get(("port", port_id), 0)
        network_id = self._view.network_of(port_id)
        network = self._view.records.get(NetworkRecord.kind, network_id or "")
        if ("network", network_id) not in self._held.owned:
            # Its network's own rules are not there yet.
            version = 0
        if fault is None and isinstance(network, NetworkRecord):
            fault = self._view.fault_of(network) if self._view.port(port_id) is not None else None
        return PortReport(port_id, 0 if fault else version, self._view.is_plugged(port_id), fault)

    def faults(self) -> dict[Key, str]:
        """Return what is wrong though every step went well."""
        lacking = {
            ("physical_network", name): f"there is no device {device}"
            for name, device in self._view.exits.interfaces.items()
            if self._links.is_connected and device not in self._links.links()
        }
        return {**lacking, **self._revocation.faults()}

    def describe(self) -> HostReport:
        """See IConverger."""
        return host_report(self._host, self.role, self._view.exits)


def _device_steps(asked: Iterable[tuple[Key, tuple[Operation, ...]]]) -> tuple[ChangeDevices, ...]:
    return tuple(ChangeDevices(frozenset({key}), operations) for key, operations in asked if operations)


def _entry_operations(change: EntryChange) -> tuple[Operation, ...]:
    """What goes is removed first: what comes may be about the same address."""
    return (*map(RemoveFdb, change.gone), *map(PutFdb, change.put))
