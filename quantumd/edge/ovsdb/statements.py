"""Operations as statements of an OVSDB transaction (RFC 7047 5.2). Pure.

Sets and maps are mutated, never written whole, so that what others put there at the same time stays. A statement that
relies on a row begins with a ``wait`` for it: when somebody removed it meanwhile the whole transaction is refused with
"timed out", and is composed again from what is there then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from attrs import define, field

from quantumd.edge.ovsdb.errors import OvsdbRefused
from quantumd.edge.ovsdb.interfaces import (
    ERSPAN_TYPES,
    EditBridgeIds,
    Operation,
    PutBridge,
    PutDevicePort,
    PutPatchPort,
    PutTunnelPort,
    RemoveBridge,
    RemovePort,
)

Statement: TypeAlias = dict[str, Any]
_Reference: TypeAlias = list[str]


class KnownRows(Protocol):
    """What has to be known of the database to change it."""

    def bridge_id(self, name: str) -> UUID | None:
        """The id of a bridge."""

    def port_id(self, bridge: str, name: str) -> UUID | None:
        """The id of a bridge's port."""


def compose(operations: tuple[Operation, ...], known: KnownRows) -> list[Statement]:
    """Return the statements that apply all operations in their order; none when nothing is to be done.

    :raises OvsdbRefused: an operation is about a bridge that does not exist.
    """
    draft = _Draft(known)
    for operation in operations:
        _WRITE[type(operation)](draft, operation)
    return draft.statements


@define
class _Draft:
    """The statements so far, and the rows that they make and remove."""

    _known: KnownRows
    statements: list[Statement] = field(factory=list)
    _bridges: dict[str, _Reference | None] = field(factory=dict)
    _ports: dict[tuple[str, str], _Reference | None] = field(factory=dict)

    def bridge(self, name: str) -> _Reference | None:
        if name not in self._bridges:
            self._bridges[name] = _reference(self._known.bridge_id(name))
        return self._bridges[name]

    def require_bridge(self, name: str) -> None:
        if self.bridge(name) is None:
            raise OvsdbRefused(f"there is no bridge {name}")
        self.expect("Bridge", name)

    def port(self, bridge: str, name: str) -> _Reference | None:
        if (bridge, name) not in self._ports:
            self._ports[bridge, name] = _reference(self._known.port_id(bridge, name))
        return self._ports[bridge, name]

    def expect(self, table: str, name: str) -> None:
        where = [["name", "==", name]]
        found = {"columns": ["name"], "until": "==", "rows": [{"name": name}]}
        self.statements.append({"op": "wait", "table": table, "timeout": 0, "where": where, **found})

    def insert(self, table: str, row: Mapping[str, Any]) -> _Reference:
        name = f"row{len(self.statements)}"
        self.statements.append({"op": "insert", "table": table, "row": dict(row), "uuid-name": name})
        return ["named-uuid", name]

    def update(self, table: str, name: str, row: Mapping[str, Any]) -> None:
        where = [["name", "==", name]]
        self.statements.append({"op": "update", "table": table, "where": where, "row": dict(row)})

    def mutate(self, table: str, where: list[Any], *mutations: list[Any]) -> None:
        if mutations:
            self.statements.append({"op": "mutate", "table": table, "where": where, "mutations": list(mutations)})

    def add_bridge(self, name: str, row: Mapping[str, Any]) -> None:
        self._bridges[name] = self.insert("Bridge", row)
        self.mutate("Open_vSwitch", [], ["bridges", "insert", _set([self._bridges[name]])])

    def drop_bridge(self, name: str, reference: _Reference) -> None:
        self.mutate("Open_vSwitch", [], ["bridges", "delete", _set([reference])])
        self._bridges[name] = None

    def add_port(self, bridge: str, name: str, interface: Mapping[str, Any]) -> None:
        made = self.insert("Interface", {"name": name, **interface})
        self._ports[bridge, name] = self.insert("Port", {"name": name, "interfaces": made})
        self.mutate("Bridge", [["name", "==", bridge]], ["ports", "insert", _set([self._ports[bridge, name]])])

    def drop_port(self, bridge: str, name: str, reference: _Reference) -> None:
        self.mutate("Bridge", [["name", "==", bridge]], ["ports", "delete", _set([reference])])
        self._ports[bridge, name] = None

    def forget_ports(self, bridge: str) -> None:
        """A bridge made in this transaction has no ports yet, whatever one of its name had."""
        for key in [key for key in self._ports if key[0] == bridge]:
            del self._ports[key]
        self._known = _WithoutPortsOf(self._known, bridge)


@define
class _WithoutPortsOf:
    _known: KnownRows
    _bridge: str

    def bridge_id(self, name: str) -> UUID | None:
        return self._known.bridge_id(name)

    def port_id(self, bridge: str, name: str) -> UUID | None:
        return None if bridge == self._bridge else self._known.port_id(bridge, name)


def _put_bridge(draft: _Draft, operation: PutBridge) -> None:
    row = {
        "datapath_type": operation.datapath_type,
        "fail_mode": operation.fail_mode if operation.fail_mode is not None else _set([]),
        "protocols": _set(sorted(operation.protocols)),
    }
    if draft.bridge(operation.name) is None:
        draft.forget_ports(operation.name)
        draft.add_bridge(operation.name, {"name": operation.name, **row, "external_ids": _map(operation.external_ids)})
    else:
        draft.require_bridge(operation.name)
        draft.update("Bridge", operation.name, row)
        draft.mutate("Bridge", [["name", "==", operation.name]], *_edit_ids(operation.external_ids))
    if draft.port(operation.name, operation.name) is None:
        draft.add_port(operation.name, operation.name, {"type": "internal"})


def _remove_bridge(draft: _Draft, operation: RemoveBridge) -> None:
    reference = draft.bridge(operation.name)
    if reference is not None:
        draft.drop_bridge(operation.name, reference)


def _put_patch_port(draft: _Draft, operation: PutPatchPort) -> None:
    _put_port(draft, operation, {"type": "patch", "options": _map({"peer": operation.peer})})


def _put_tunnel_port(draft: _Draft, operation: PutTunnelPort) -> None:
    options = {"remote_ip": "flow", "key": "flow"}
    if operation.local_ip:
        options["local_ip"] = operation.local_ip
    if operation.tunnel_type in ERSPAN_TYPES:
        # Without an index, which says where in a switch a copy was made; type II, as version 1 is called elsewhere.
        options |= {"erspan_ver": "1", "erspan_idx": "0"}
    _put_port(draft, operation, {"type": operation.tunnel_type, "options": _map(options)})


def _put_device_port(draft: _Draft, operation: PutDevicePort) -> None:
    _put_port(draft, operation, {"type": ""})


def _put_port(draft: _Draft, operation: PutPatchPort | PutTunnelPort | PutDevicePort, row: Mapping[str, Any]) -> None:
    draft.require_bridge(operation.bridge)
    if draft.port(operation.bridge, operation.name) is None:
        draft.add_port(operation.bridge, operation.name, {**row, "external_ids": _map(operation.external_ids)})
        return
    draft.expect("Interface", operation.name)
    draft.update("Interface", operation.name, row)
    draft.mutate("Interface", [["name", "==", operation.name]], *_edit_ids(operation.external_ids))


def _remove_port(draft: _Draft, operation: RemovePort) -> None:
    if draft.bridge(operation.bridge) is None:
        return
    reference = draft.port(operation.bridge, operation.name)
    if reference is not None:
        draft.drop_port(operation.bridge, operation.name, reference)


def _edit_bridge_ids(draft: _Draft, operation: EditBridgeIds) -> None:
    draft.require_bridge(operation.name)
    where = [["name", "==", operation.name]]
    draft.mutate("Bridge", where, *_edit_ids(operation.put, operation.remove))


_WRITE: Mapping[type, Callable[[_Draft, Any], None]] = {
    PutBridge: _put_bridge,
    RemoveBridge: _remove_bridge,
    PutPatchPort: _put_patch_port,
    PutTunnelPort: _put_tunnel_port,
    PutDevicePort: _put_device_port,
    RemovePort: _remove_port,
    EditBridgeIds: _edit_bridge_ids,
}


def _edit_ids(put: Mapping[str, str], remove: frozenset[str] = frozenset()) -> Iterable[list[Any]]:
    """Mutations that set keys; inserting leaves a key that is there as it was (RFC 7047 5.1), so remove it first."""
    gone = sorted(remove | put.keys())
    if gone:
        yield ["external_ids", "delete", _set(gone)]
    if put:
        yield ["external_ids", "insert", _map(put)]


def _set(elements: Iterable[Any]) -> list[Any]:
    return ["set", list(elements)]


def _map(pairs: Mapping[str, str]) -> list[Any]:
    return ["map", [[key, value] for key, value in sorted(pairs.items())]]


def _reference(uuid: UUID | None) -> _Reference | None:
    return None if uuid is None else ["uuid", str(uuid)]
