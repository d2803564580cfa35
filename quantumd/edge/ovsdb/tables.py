"""The rows of a database in memory, and what operations make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, evolve, field

from quantumd.edge.ovsdb.errors import OvsdbRefused
from quantumd.edge.ovsdb.interfaces import (
    BridgeRow,
    EditBridgeIds,
    InterfaceRow,
    Operation,
    PutBridge,
    PutDevicePort,
    PutPatchPort,
    PutTunnelPort,
    RemoveBridge,
    RemovePort,
)


@define
class Tables:
    """Bridges, interfaces (one a port, of the same name) and the bridge of each; notes which names were touched."""

    bridges: dict[str, BridgeRow] = field(factory=dict)
    interfaces: dict[str, InterfaceRow] = field(factory=dict)
    touched_bridges: dict[str, None] = field(factory=dict)
    touched_interfaces: dict[str, None] = field(factory=dict)
    _ports: dict[str, dict[str, None]] = field(factory=dict)
    _bridge_of: dict[str, str] = field(factory=dict)

    def copy(self) -> Tables:
        """A copy to try a transaction on."""
        ports = {bridge: dict(ports) for bridge, ports in self._ports.items()}
        touched = dict(self.touched_bridges), dict(self.touched_interfaces)
        return Tables(dict(self.bridges), dict(self.interfaces), *touched, ports, dict(self._bridge_of))

    def ports_of(self, bridge: str) -> frozenset[str]:
        """The names of a bridge's ports."""
        return frozenset(self._ports.get(bridge, ()))

    def bridge_of(self, port: str) -> str:
        """The bridge that a port is on."""
        return self._bridge_of[port]

    def apply(self, operation: Operation) -> None:
        """Apply one operation; OvsdbRefused."""
        _APPLY[type(operation)](self, operation)

    def put_bridge(self, row: BridgeRow) -> None:
        """Put a bridge's row and, unless it is there, its internal port."""
        self.bridges[row.name] = row
        self.touched_bridges[row.name] = None
        if self._bridge_of.get(row.name) != row.name:
            self.add_port(row.name, row.name, {})

    def drop_bridge(self, name: str) -> None:
        """Drop a bridge and its ports, if it is there."""
        for port in self.ports_of(name):
            self.remove_port(name, port)
        self.bridges.pop(name, None)
        self.touched_bridges[name] = None

    def add_port(self, bridge: str, name: str, external_ids: Mapping[str, str]) -> None:
        """Add a port that must be new, with its interface."""
        self.require_bridge(bridge)
        if name in self._bridge_of:
            raise OvsdbRefused(f"constraint violation: there is a port {name} on bridge {self._bridge_of[name]}")
        self._bridge_of[name] = bridge
        self._ports.setdefault(bridge, {})[name] = None
        self.put_interface(InterfaceRow(name, dict(external_ids), None, None))

    def put_interface(self, row: InterfaceRow) -> None:
        """Put an interface's row."""
        self.interfaces[row.name] = row
        self.touched_interfaces[row.name] = None

    def edit_interface(self, name: str, external_ids: Mapping[str, str]) -> None:
        """Set keys of an interface's ``external_ids``."""
        row = self.interfaces[name]
        self.put_interface(evolve(row, external_ids={**row.external_ids, **external_ids}))

    def remove_port(self, bridge: str, name: str) -> None:
        """Remove a port, if that bridge has it."""
        if self._bridge_of.get(name) == bridge:
            del self._bridge_of[name], self._ports[bridge][name], self.interfaces[name]
            self.touched_interfaces[name] = None

    def require_bridge(self, name: str) -> BridgeRow:
        """Return the bridge; OvsdbRefused when there is none."""
        if name not in self.bridges:
            raise OvsdbRefused(f"there is no bridge {name}")
        return self.bridges[name]


def _put_bridge(tables: Tables, operation: PutBridge) -> None:
    old = tables.bridges.get(operation.name)
    row = BridgeRow(
        name=operation.name,
        datapath_type=operation.datapath_type,
        fail_mode=operation.fail_mode,
        protocols=operation.protocols,
        external_ids={**(old.external_ids if old else {}), **operation.external_ids},
        has_controller=old.has_controller if old else False,
    )
    tables.put_bridge(row)


def _remove_bridge(tables: Tables, operation: RemoveBridge) -> None:
    tables.drop_bridge(operation.name)


def _put_port(tables: Tables, operation: PutPatchPort | PutTunnelPort | PutDevicePort) -> None:
    if operation.name in tables.ports_of(operation.bridge):
        tables.edit_interface(operation.name, operation.external_ids)
    else:
        tables.add_port(operation.bridge, operation.name, operation.external_ids)


def _remove_port(tables: Tables, operation: RemovePort) -> None:
    tables.remove_port(operation.bridge, operation.name)


def _edit_bridge_ids(tables: Tables, operation: EditBridgeIds) -> None:
    row = tables.require_bridge(operation.name)
    kept = {key: value for key, value in row.external_ids.items() if key not in operation.remove}
    tables.put_bridge(evolve(row, external_ids={**kept, **operation.put}))


_APPLY: Mapping[type, Callable[[Tables, Any], None]] = {
    PutBridge: _put_bridge,
    RemoveBridge: _remove_bridge,
    PutPatchPort: _put_port,
    PutTunnelPort: _put_port,
    PutDevicePort: _put_port,
    RemovePort: _remove_port,
    EditBridgeIds: _edit_bridge_ids,
}
