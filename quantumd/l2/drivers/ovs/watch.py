"""Which keys are concerned when Open vSwitch changes: its database's rows, and its switch's ports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from quantumd.converge.plan import Key
from quantumd.edge.openflow.interfaces import ISwitch, SwitchPort
from quantumd.edge.ovsdb.interfaces import BridgeRow, InterfaceChange, InterfaceRow, IOvsdb
from quantumd.l2.drivers.ovs.bridges import BridgePlan
from quantumd.l2.drivers.ovs.exits import Exits
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.service_place import OUTER_DEVICE

Listener: TypeAlias = Callable[["frozenset[Key] | None"], None]
"""Called with keys; with None when everything has to be read anew."""

IFACE_ID = "iface-id"
_SECOND_LOOK_SECONDS = 1.0
_FOREIGN_CHANGE_SECONDS = 1.0
"""How long what others change is left to add up before it is looked through: a look reads all flows."""


def port_id_of(row: InterfaceRow | None) -> str | None:
    """Return which port a device says it is."""
    return row.external_ids.get(IFACE_ID) if row is not None else None


def bridge_key(plan: BridgePlan) -> Key:
    """Return the key under which bridges are converged."""
    return ("bridge", plan.integration)


@define(eq=False)
class Watch:
    """Keeps the view up to date with what changes, and says what is concerned. ``has_bridge``: when last looked at."""

    _plan: BridgePlan
    _ovsdb: IOvsdb
    _switch: ISwitch
    _view: HostView
    _exits: tuple[Exits, ...]
    _clock: IReactorTime
    has_bridge: bool = field(default=False, init=False)
    _has_controller: bool = field(default=False, init=False)
    _listener: Listener = field(default=lambda keys: None, init=False)
    _is_look_due: bool = field(default=False, init=False)
    _log = Logger()

    def start(self, listener: Listener) -> None:
        """Tell the listener from now on."""
        self._listener = listener
        self._ovsdb.on_connected(lambda: listener(None))
        self._switch.on_connected(lambda: listener(None))
        self._ovsdb.on_interfaces(self._interfaces_changed)
        self._ovsdb.on_bridge(self._bridge_changed)
        self._switch.on_port(self._switch_port_changed)
        self._switch.on_foreign_change(self._flows_changed)

    def look_at_bridge(self) -> BridgeRow | None:
        """Return the integration bridge, and remember whether it is there."""
        row = self._ovsdb.bridge(self._plan.integration)
        self.has_bridge = row is not None
        return row

    def _interfaces_changed(self, changes: tuple[InterfaceChange, ...]) -> None:
        keys: set[Key] = set()
        names = [change.new.name if change.new is not None else change.old.name for change in changes]  # type: ignore[union-attr] # it was or is
        for name, change in zip(names, changes, strict=True):
            old, new = port_id_of(change.old), port_id_of(change.new)
            if old != new:
                if self._ovsdb.is_connected:
                    self._log.info("device {device} says it is port {port}", device=name, port=new, before=old)
                self._view.set_device(name, old, new)
                for port_id in {old, new} - {None}:
                    keys.update(self._keys_of_port(str(port_id)))
        keys.update(self._keys_of_exits(names))
        if keys:
            self._listener(frozenset(keys))

    def _switch_port_changed(self, port: SwitchPort, is_there: bool) -> None:
        ofport = port.ofport if is_there else None
        self._view.set_ofport(port.name, ofport)
        port_id = port_id_of(self._ovsdb.interfaces().get(port.name))
        if port_id is not None:
            self._log.info("device {device} has number {ofport}", device=port.name, ofport=ofport, port=port_id)
            self._listener(self._keys_of_port(port_id))
        elif port.name == OUTER_DEVICE or any(exits.concerns(port.name) for exits in self._exits):
            self._listener(frozenset({bridge_key(self._plan), *self._keys_of_exits((port.name,))}))

    def _bridge_changed(self, name: str) -> None:
        if name == self._plan.integration:
            self._integration_bridge_changed(self._ovsdb.bridge(name))
        elif name in self._plan.mappings.values():
            self._listener(frozenset({bridge_key(self._plan)}))

    def _integration_bridge_changed(self, row: BridgeRow | None) -> None:
        has_controller = row is not None and row.has_controller
        if has_controller != self._has_controller:
            self._has_controller = has_controller
            # Setting a controller flushes every flow, and so does taking it away: what a stranger set stays.
            bridge = self._plan.integration
            self._log.warn("a stranger set or removed a controller of {bridge}: flows are put back", bridge=bridge)
            self._listener(None)
            # The database tells us when it tells the switch, which may flush only after we have looked.
            self._clock.callLater(_SECOND_LOOK_SECONDS, self._listener, None)
        elif (row is not None) != self.has_bridge:
            self._listener(None)
        else:
            self._listener(frozenset({bridge_key(self._plan)}))

    def _flows_changed(self) -> None:
        if not self._is_look_due:
            self._is_look_due = True
            self._clock.callLater(_FOREIGN_CHANGE_SECONDS, self._look_through)

    def _look_through(self) -> None:
        self._is_look_due = False
        if self._switch.is_connected:
            bridge = self._plan.integration
            self._log.warn("somebody else has changed flows of {bridge}: they are looked through", bridge=bridge)
            self._listener(None)

    def _keys_of_port(self, port_id: str) -> frozenset[Key]:
        keys: set[Key] = set()
        for each in (port_id, *self._view.trunks.sub_ports_of(port_id)):
            network_id = self._view.network_of(each)
            keys.add(("port", each))
            if network_id is not None:
                keys.add(("network", network_id))
            keys.update(("port", tapped) for tapped in self._view.copying.taps.tapped_by(each))
        return frozenset(keys)

    def _keys_of_exits(self, devices: Collection[str]) -> Iterator[Key]:
        """Yield what is concerned by devices that changed, if exits depend on them.

        These are networks, their ports, whose status they decide, and what other hosts have of them.
        """
        concerned = [exits for exits in self._exits if any(exits.concerns(device) for device in devices)]
        for network_id in frozenset().union(*(exits.look() for exits in concerned)):
            yield ("network", network_id)
            yield from (("port", port_id) for port_id in self._view.ports_on(network_id))
            yield from self._view.elsewhere.keys_on(network_id)
        if concerned:
            copied = self._view.copying.ports()
            yield from (("port", port_id) for port_id in copied)
            yield from self._view.elsewhere.every_peer()
