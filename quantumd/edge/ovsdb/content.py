"""What the database is known to contain, as far as it was told to listeners."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from attrs import define, field

from quantumd.edge.ovsdb.interfaces import BridgeRow, InterfaceChange, InterfaceRow
from quantumd.edge.ovsdb.replica import BridgeFact, Fact, InterfaceFact, Loaded, PortFact


@define
class Content:
    """Rows by name, kept up one fact at a time; each fact costs the same whatever is there already."""

    _interfaces: dict[str, InterfaceRow] = field(factory=dict)
    _interface_ids: dict[str, UUID] = field(factory=dict)
    _bridges: dict[str, BridgeRow] = field(factory=dict)
    _bridge_ids: dict[str, UUID] = field(factory=dict)
    _bridge_ports: dict[str, tuple[Any, ...]] = field(factory=dict)
    _port_names: dict[UUID, str] = field(factory=dict)
    _port_ids: dict[str, UUID] = field(factory=dict)

    def interfaces(self) -> Mapping[str, InterfaceRow]:
        """A read-only view of every interface by name."""
        return MappingProxyType(self._interfaces)

    def bridge(self, name: str) -> BridgeRow | None:
        """The bridge of that name."""
        return self._bridges.get(name)

    def bridge_id(self, name: str) -> UUID | None:
        """The database's id of a bridge."""
        return self._bridge_ids.get(name)

    def ports_of(self, bridge: str) -> frozenset[str]:
        """The names of a bridge's ports."""
        names = (self._port_names.get(atom.value) for atom in self._bridge_ports.get(bridge, ()))
        return frozenset(name for name in names if name is not None)

    def port_id(self, bridge: str, name: str) -> UUID | None:
        """The database's id of a bridge's port; O(ports)."""
        uuid = self._port_ids.get(name)
        return uuid if any(atom.value == uuid for atom in self._bridge_ports.get(bridge, ())) else None

    def put_interface(self, fact: InterfaceFact) -> tuple[InterfaceChange, ...]:
        """Take a fact in and return what it changes: nothing, one change, or an interface gone and its successor."""
        old = self._interfaces.get(fact.name)
        is_same = self._interface_ids.get(fact.name) == fact.uuid
        if fact.row is None:
            if not is_same:
                return ()
            del self._interfaces[fact.name], self._interface_ids[fact.name]
            return (InterfaceChange(old, None),)
        self._interfaces[fact.name] = fact.row
        self._interface_ids[fact.name] = fact.uuid
        if old is not None and not is_same:
            # Removed and added again in one transaction, told in any order: another port of the switch.
            return InterfaceChange(old, None), InterfaceChange(None, fact.row)
        return () if old == fact.row else (InterfaceChange(old, fact.row),)

    def put_bridge(self, fact: BridgeFact) -> bool:
        """Take a fact in; True when the bridge's row differs, which a port more or less is not."""
        old = self._bridges.get(fact.name)
        is_same = self._bridge_ids.get(fact.name) == fact.uuid
        if fact.row is None:
            if not is_same:
                return False
            del self._bridges[fact.name], self._bridge_ids[fact.name], self._bridge_ports[fact.name]
            return True
        self._bridges[fact.name] = fact.row
        self._bridge_ids[fact.name] = fact.uuid
        self._bridge_ports[fact.name] = fact.ports
        return not is_same or old != fact.row

    def put_port(self, fact: PortFact) -> None:
        """Take a fact in."""
        if fact.is_there:
            self._port_names[fact.uuid] = fact.name
            self._port_ids[fact.name] = fact.uuid
            return
        self._port_names.pop(fact.uuid, None)
        if self._port_ids.get(fact.name) == fact.uuid:
            del self._port_ids[fact.name]

    def vanished(self, loaded: Loaded) -> tuple[Fact, ...]:
        """Return the facts that say what is known here and no longer there."""
        there = loaded.present
        interfaces = [(uuid, name) for name, uuid in self._interface_ids.items() if uuid not in there]
        bridges = [(uuid, name) for name, uuid in self._bridge_ids.items() if uuid not in there]
        ports = [(uuid, name) for uuid, name in self._port_names.items() if uuid not in there]
        return (
            *(InterfaceFact(uuid, name, None) for uuid, name in interfaces),
            *(BridgeFact(uuid, name, None, ()) for uuid, name in bridges),
            *(PortFact(uuid, name, False) for uuid, name in ports),
        )
