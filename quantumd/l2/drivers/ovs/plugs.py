"""Devices of other roles of this host on the integration bridge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from quantumd.edge.ovsdb.interfaces import InterfaceChange, InterfaceRow, IOvsdb
from quantumd.errors import EdgeUnavailable
from quantumd.interfaces import IPlugs
from quantumd.l2.drivers.ovs.device_ports import DevicePorts

OWNER: Final = "quantumd-owner"
"""The key of external_ids under which an interface says whose device it is."""
CONNECT_SECONDS: Final = 10.0


@implementer(IPlugs)
@define(eq=False)
class OvsPlugs:
    """See IPlugs."""

    _ovsdb: IOvsdb
    _bridge: str
    _clock: IReactorTime
    _rows: dict[str, dict[str, InterfaceRow]] = field(factory=dict, init=False)
    """By owner and by name: the others of a switch are many, and a router's are few."""
    _listeners: list[Callable[[str], None]] = field(factory=list, init=False)
    _known: list[Callable[[], None]] = field(factory=list, init=False)
    _waiting: list[Deferred[None]] = field(factory=list, init=False)
    _ports: DevicePorts = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._ports = DevicePorts(self._ovsdb, self._bridge, self._clock)
        for row in self._ovsdb.interfaces().values():
            self._note(InterfaceChange(None, row))
        self._ovsdb.on_connected(self._connected)
        self._ovsdb.on_interfaces(self._changed)

    @property
    def completes_checksums(self) -> bool:
        """See IPlugs: nobody does it behind the userspace datapath."""
        bridge = self._ovsdb.bridge(self._bridge)
        return bridge is not None and bridge.datapath_type == "netdev"

    def observe(self) -> Deferred[None]:
        """See IPlugs."""
        if self._ovsdb.is_connected:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting.addTimeout(CONNECT_SECONDS, self._clock, _gave_up).addBoth(self._done_waiting, waiting)

    def _done_waiting(self, result: object, waiting: Deferred[None]) -> object:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        return result

    def plugged(self, owner: str) -> Mapping[str, str]:
        """See IPlugs."""
        return {
            name: row.external_ids.get("iface-id", "") if row.error is None else ""
            for name, row in self._rows.get(owner, {}).items()
        }

    def owners(self) -> frozenset[str]:
        """See IPlugs."""
        return frozenset(self._rows)

    def plug(self, owner: str, port_id: str, device: str, mac: str) -> Deferred[None]:
        """See IPlugs."""
        ids = {"iface-id": port_id, "attached-mac": mac, "iface-status": "active", OWNER: owner}
        return self._ports.put(device, ids)

    def unplug(self, device: str) -> Deferred[None]:
        """See IPlugs."""
        return self._ports.remove(device)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """See IPlugs."""
        self._listeners.append(listener)

    def on_known(self, listener: Callable[[], None]) -> None:
        """See IPlugs."""
        self._known.append(listener)

    def _connected(self) -> None:
        for waiting in tuple(self._waiting):
            waiting.callback(None)
        for listener in tuple(self._known):
            listener()

    def _changed(self, changes: tuple[InterfaceChange, ...]) -> None:
        for change in changes:
            self._note(change)
        owners = {_owner(row) for change in changes for row in (change.old, change.new)} - {""}
        for owner in owners:
            for listener in tuple(self._listeners):
                listener(owner)

    def _note(self, change: InterfaceChange) -> None:
        old, new = _owner(change.old), _owner(change.new)
        if change.old is not None and old in self._rows:
            self._rows[old].pop(change.old.name, None)
            if not self._rows[old]:
                del self._rows[old]
        if change.new is not None and new:
            self._rows.setdefault(new, {})[change.new.name] = change.new


def _owner(row: InterfaceRow | None) -> str:
    return row.external_ids.get(OWNER, "") if row is not None else ""


def _gave_up(_: object, seconds: float) -> None:
    raise EdgeUnavailable(f"Open vSwitch's database is not known within {seconds:g} s")
