"""The switch's database in memory, with the ways in which the world outside changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from attrs import evolve
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from quantumd.edge.ovsdb.errors import OvsdbRefused
from quantumd.edge.ovsdb.interfaces import BridgeRow, InterfaceChange, InterfaceRow, IOvsdb, Operation
from quantumd.edge.ovsdb.listeners import Listeners
from quantumd.edge.ovsdb.tables import Tables
from quantumd.errors import EdgeUnavailable

LOCAL_OFPORT = 65534


@implementer(IOvsdb)
class MemoryOvsdb(Service):
    """A database that answers in the next turn of the clock, as the real one never answers in the same.

    :param assign_ofport: ``(bridge, interface) -> ofport`` of the switch beside it; -1 when the switch cannot. Without
        one, ports are counted from 1.
    """

    def __init__(self, clock: IReactorTime, assign_ofport: Callable[[str, str], int] | None = None) -> None:
        self._clock = clock
        self._assign_ofport = assign_ofport or self._count_ofport
        self._listeners = Listeners()
        self._tables = Tables()
        self._told_bridges: dict[str, BridgeRow] = {}
        self._told_interfaces: dict[str, InterfaceRow] = {}
        self._without_ofport: dict[str, None] = {}
        self._soon: IDelayedCall | None = None
        self._refusal: str | None = None
        self._statistics: dict[str, Mapping[str, int]] = {}
        self._last_ofport = 0
        self.is_connected = False

    def startService(self) -> None:
        """Connect."""
        super().startService()
        self.reconnect()

    def stopService(self) -> None:
        """Disconnect."""
        super().stopService()
        self.disconnect()

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See IOvsdb."""
        self._listeners.on_connected(listener)

    def on_interfaces(self, listener: Callable[[tuple[InterfaceChange, ...]], None]) -> None:
        """See IOvsdb."""
        self._listeners.on_interfaces(listener)

    def on_bridge(self, listener: Callable[[str], None]) -> None:
        """See IOvsdb."""
        self._listeners.on_bridge(listener)

    def interfaces(self) -> Mapping[str, InterfaceRow]:
        """See IOvsdb."""
        return MappingProxyType(self._told_interfaces)

    def bridge(self, name: str) -> BridgeRow | None:
        """See IOvsdb."""
        return self._told_bridges.get(name)

    def ports_of(self, bridge: str) -> frozenset[str]:
        """See IOvsdb."""
        return self._tables.ports_of(bridge) & self._told_interfaces.keys()

    def acted(self) -> Deferred[None]:
        """See IOvsdb."""
        if not self.is_connected:
            return fail(EdgeUnavailable("The switch's database is not connected."))
        done: Deferred[None] = Deferred()
        self._clock.callLater(0, done.callback, None)
        return done

    def statistics(self) -> Deferred[Mapping[str, Mapping[str, int]]]:
        """See IOvsdb."""
        if not self.is_connected:
            return fail(EdgeUnavailable("The switch's database is not connected."))
        return succeed({name: self._statistics.get(name, {}) for name in self._tables.interfaces})

    def transact(self, operations: tuple[Operation, ...]) -> Deferred[None]:
        """See IOvsdb."""
        if not self.is_connected:
            return fail(EdgeUnavailable("The switch's database is not connected."))
        done: Deferred[None] = Deferred(lambda _: None)
        self._clock.callLater(0, self._commit, operations, done)
        return done

    # What the world does.

    def plug(self, bridge: str, name: str, external_ids: Mapping[str, str]) -> None:
        """Add a port with one interface, as ``ovs-vsctl --may-exist add-port`` does; its ofport comes later."""
        if name in self._tables.ports_of(bridge):
            self._tables.edit_interface(name, external_ids)
        else:
            self._tables.add_port(bridge, name, external_ids)
        self._tell_soon()

    def unplug(self, bridge: str, name: str) -> None:
        """Remove a port, as ``ovs-vsctl --if-exists del-port`` does."""
        self._tables.remove_port(bridge, name)
        self._tell_soon()

    def edit_interface(self, name: str, external_ids: Mapping[str, str]) -> None:
        """Set keys of an interface's ``external_ids``, as ``ovs-vsctl set Interface`` does."""
        self._tables.edit_interface(name, external_ids)
        self._tell_soon()

    def set_ofport(self, name: str, ofport: int | None, error: str | None = None) -> None:
        """Give an interface another ofport; with None the switch assigns one anew."""
        self._tables.put_interface(evolve(self._tables.interfaces[name], ofport=ofport, error=error))
        self._tell_soon()

    def put_bridge_row(self, row: BridgeRow) -> None:
        """Add somebody's bridge, or replace its row (with a controller, say)."""
        self._tables.put_bridge(row)
        self._tell_soon()

    def remove_bridge(self, name: str) -> None:
        """Remove a bridge and its ports, as ``ovs-vsctl --if-exists del-br`` does."""
        self._tables.drop_bridge(name)
        self._tell_soon()

    def count(self, name: str, **counters: int) -> None:
        """Set counters of an interface."""
        self._statistics[name] = counters

    def disconnect(self) -> None:
        """Lose the connection; what the world does meanwhile is told after the next ``reconnect``."""
        self.is_connected = False

    def reconnect(self) -> None:
        """Have the connection back, from the next turn on."""
        self._clock.callLater(0, self._load)

    def refuse_next(self, reason: str = "constraint violation") -> None:
        """Refuse the next transaction."""
        self._refusal = reason

    # What the database does.

    def _load(self) -> None:
        if self.running and not self.is_connected:
            self._tell()
            self.is_connected = True
            self._listeners.tell_connected()
            self._clock.callLater(0, self._act)

    def _commit(self, operations: Iterable[Operation], done: Deferred[None]) -> None:
        if done.called:
            return
        if not self.is_connected:
            done.errback(EdgeUnavailable("The connection to the switch's database was lost."))
            return
        try:
            self._apply(operations)
        except OvsdbRefused as error:
            done.errback(error)
            return
        self._tell()
        self._clock.callLater(0, self._act)
        done.callback(None)

    def _apply(self, operations: Iterable[Operation]) -> None:
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise OvsdbRefused(refusal)
        draft = self._tables.copy()
        for operation in operations:
            draft.apply(operation)
        self._tables = draft

    def _tell_soon(self) -> None:
        if self._soon is None:
            self._soon = self._clock.callLater(0, self._tell_now)

    def _tell_now(self) -> None:
        self._soon = None
        if self.is_connected:
            self._tell()
            self._clock.callLater(0, self._act)

    def _act(self) -> None:
        """Do what ovs-vswitchd does: give each new interface its ofport."""
        waiting, self._without_ofport = self._without_ofport, {}
        for name in waiting:
            row = self._tables.interfaces.get(name)
            if row is not None and row.ofport is None:
                self._tables.put_interface(self._with_ofport(row))
        if self.is_connected:
            self._tell()

    def _with_ofport(self, row: InterfaceRow) -> InterfaceRow:
        bridge = self._tables.bridge_of(row.name)
        ofport = LOCAL_OFPORT if row.name == bridge else self._assign_ofport(bridge, row.name)
        error = f"could not add network device {row.name} to ofproto" if ofport < 0 else None
        return evolve(row, ofport=ofport, error=error)

    def _count_ofport(self, bridge: str, name: str) -> int:
        self._last_ofport += 1
        return self._last_ofport

    def _tell(self) -> None:
        """Tell what was touched since last time and is different now."""
        bridges = [name for name in self._tables.touched_bridges if self._retell_bridge(name)]
        changes = [self._retell_interface(name) for name in self._tables.touched_interfaces]
        self._tables.touched_bridges.clear()
        self._tables.touched_interfaces.clear()
        self._listeners.tell_bridges(bridges)
        self._listeners.tell_interfaces(change for change in changes if change.old != change.new)

    def _retell_bridge(self, name: str) -> bool:
        old, new = self._told_bridges.pop(name, None), self._tables.bridges.get(name)
        if new is not None:
            self._told_bridges[name] = new
        return old != new

    def _retell_interface(self, name: str) -> InterfaceChange:
        old, new = self._told_interfaces.pop(name, None), self._tables.interfaces.get(name)
        if new is not None:
            self._told_interfaces[name] = new
            if new.ofport is None:
                self._without_ofport[name] = None
        return InterfaceChange(old, new)
