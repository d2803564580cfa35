"""A bridge in memory: holds what a switch holds, refuses what a switch refuses, and walks packets."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredLock, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from quantumd.edge.openflow import decoded
from quantumd.edge.openflow.decode import unpack_instructions
from quantumd.edge.openflow.interfaces import (
    Flow,
    FlowKey,
    Group,
    ISwitch,
    Meter,
    PacketIn,
    SwitchChange,
    SwitchPort,
    SwitchState,
)
from quantumd.edge.openflow.lookup import Table
from quantumd.edge.openflow.match import missing_needs, unpack_match
from quantumd.edge.openflow.oxm import WireError
from quantumd.edge.openflow.refusal import SwitchRefused
from quantumd.edge.openflow.text import flow_text
from quantumd.edge.openflow.tracking import Connections
from quantumd.edge.openflow.walk import Walk, walk
from quantumd.errors import EdgeUnavailable

_LAST_TABLE = 253
_CHANGES_KEPT = 100
_CHECKED_AT_ONCE = 500


@implementer(ISwitch)
@define(eq=False)
class MemorySwitch:
    """A bridge in memory. Everything is done at once, on the caller's stack; with a ``clock`` large changes take turns.

    Begins disconnected; ``start`` connects it. ``changes`` are the last hundred asked for, refused ones too.
    ``drops`` by meter: whoever moves its world says them.
    Its world is moved by ``add_port``, ``remove_port``, ``disconnect``,
    ``connect``, ``restart``, ``refuse_next`` and ``inject``.
    """

    clock: IReactorTime | None = None
    is_connected: bool = False
    flows: dict[FlowKey, Flow] = field(factory=dict)
    groups: dict[int, Group] = field(factory=dict)
    meters: dict[int, Meter] = field(factory=dict)
    ports: dict[int, SwitchPort] = field(factory=dict)
    connections: Connections = field(factory=Connections)
    drops: Counter[int] = field(factory=Counter)
    changes: deque[SwitchChange] = field(factory=lambda: deque(maxlen=_CHANGES_KEPT))
    _connected: list[Callable[[], None]] = field(factory=list)
    _lost: list[Callable[[], None]] = field(factory=list)
    _port: list[Callable[[SwitchPort, bool], None]] = field(factory=list)
    _foreign: list[Callable[[], None]] = field(factory=list)
    _outputs: defaultdict[int, list[Callable[[bytes], None]]] = field(factory=lambda: defaultdict(list))
    _punts: list[Callable[[int, PacketIn], None]] = field(factory=list)
    _refusal: str | None = None
    _tables: defaultdict[int, Table] = field(factory=lambda: defaultdict(Table))
    _unsorted: dict[FlowKey, tuple[Flow, bool]] = field(factory=dict)
    _one_at_a_time: DeferredLock = field(factory=DeferredLock)

    def start(self) -> None:
        """Connect."""
        self.connect()

    def stop(self) -> Deferred[None]:
        """Disconnect for good."""
        self.disconnect()
        return succeed(None)

    def on_connected(self, listener: Callable[[], None]) -> None:
        """See ISwitch."""
        self._connected.append(listener)

    def on_lost(self, listener: Callable[[], None]) -> None:
        """See ISwitch."""
        self._lost.append(listener)

    def on_port(self, listener: Callable[[SwitchPort, bool], None]) -> None:
        """See ISwitch."""
        self._port.append(listener)

    def on_foreign_change(self, listener: Callable[[], None]) -> None:
        """See ISwitch."""
        self._foreign.append(listener)

    def change_by_others(self, change: SwitchChange) -> None:
        """Do what somebody else asks for."""
        self._change(change)
        if self.is_connected:
            _tell(self._foreign)

    def read(self) -> Deferred[SwitchState]:
        """See ISwitch."""
        if not self.is_connected:
            return fail(EdgeUnavailable("not connected to the switch"))
        return succeed(self.state())

    def read_drops(self, meter: int) -> Deferred[int]:
        """See ISwitch."""
        if not self.is_connected:
            return fail(EdgeUnavailable("not connected to the switch"))
        if meter not in self.meters:
            return fail(EdgeUnavailable(f"there is no meter {meter}"))
        return succeed(self.drops[meter])

    def state(self) -> SwitchState:
        """Return what the bridge holds, connected or not."""
        values = (self.flows, self.groups, self.meters, self.ports)
        flows, groups, meters, ports = (tuple(held.values()) for held in values)
        return SwitchState(flows, groups, meters, ports)  # type: ignore[arg-type]

    def change(self, change: SwitchChange) -> Deferred[None]:
        """See ISwitch."""
        if not self.is_connected:
            return fail(EdgeUnavailable("not connected to the switch"))
        self.changes.append(change)
        done: Deferred[None] = self._one_at_a_time.run(self._change_in_turn, change)
        return done

    def _change_in_turn(self, change: SwitchChange) -> Deferred[None]:
        if self.clock is not None and len(change.put_flows) > _CHECKED_AT_ONCE:
            return Deferred.fromCoroutine(self._change_in_turns(change, self.clock))
        try:
            self._change(change)
        except SwitchRefused as refused:
            return fail(refused)
        return succeed(None)

    async def _change_in_turns(self, change: SwitchChange, clock: IReactorTime) -> None:
        self._begin(change)
        for start in range(0, len(change.put_flows), _CHECKED_AT_ONCE):
            self._check_all(change.put_flows[start : start + _CHECKED_AT_ONCE])
            await deferLater(clock, 0)
            if not self.is_connected:
                raise EdgeUnavailable("the connection to the switch was lost")
        self._end(change)

    def _change(self, change: SwitchChange) -> None:
        self._begin(change)
        self._check_all(change.put_flows)
        self._end(change)

    def _begin(self, change: SwitchChange) -> None:
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise SwitchRefused("a change", refusal)
        self.meters |= {meter.number: meter for meter in change.put_meters}
        self.groups |= {group.number: group for group in change.put_groups}

    def _check_all(self, flows: Iterable[Flow]) -> None:
        for flow in flows:
            self._check(flow)

    def _end(self, change: SwitchChange) -> None:
        for flow in change.put_flows:
            self.flows[flow.key] = flow
            self._unsorted[flow.key] = (flow, True)
        self._remove(change.remove_flows)
        for number in change.remove_groups:
            if self.groups.pop(number, None) is not None:
                self._remove(self._users(lambda found: found.actions, decoded.ToGroup(number)))
        for number in change.remove_meters:
            if self.meters.pop(number, None) is not None:
                self._remove(self._users(lambda found: (found.meter,), number))

    def _remove(self, flows: Iterable[Flow]) -> None:
        for flow in flows:
            if self.flows.pop(flow.key, None) is not None:
                self._unsorted[flow.key] = (flow, False)

    def _users(self, parts: Callable[[decoded.Instructions], Iterable[object]], used: object) -> list[Flow]:
        """The flows that use a group or a meter: they go with it."""
        return [flow for flow in self.flows.values() if used in parts(unpack_instructions(flow.instructions))]

    def _check(self, flow: Flow) -> None:
        """Refuse what OVS refuses, as far as quantumd could be wrong."""
        try:
            wrong = missing_needs(unpack_match(flow.match))
            found = unpack_instructions(flow.instructions)
        except WireError as error:
            raise SwitchRefused(flow_text(flow), str(error)) from None
        groups = _groups_of(found)
        if flow.table > _LAST_TABLE:
            wrong = f"there is no table {flow.table}"
        elif found.goto is not None and not flow.table < found.goto <= _LAST_TABLE:
            wrong = f"goto_table:{found.goto} does not go forward"
        elif any(number not in self.groups for number in groups):
            wrong = f"there is no group among {sorted(groups)}"
        elif found.meter is not None and found.meter not in self.meters:
            wrong = f"there is no meter {found.meter}"
        if wrong is not None:
            raise SwitchRefused(flow_text(flow), wrong)

    def connect(self) -> None:
        """Come back after ``disconnect``."""
        if not self.is_connected:
            self.is_connected = True
            _tell(self._connected)

    def disconnect(self) -> None:
        """Lose the connection; what the bridge holds stays."""
        if self.is_connected:
            self.is_connected = False
            _tell(self._lost)

    def restart(self) -> None:
        """Lose the connection and all flows, groups and meters, as ovs-vswitchd does, and come back."""
        self.disconnect()
        self.flows.clear()
        self.groups.clear()
        self.meters.clear()
        self._tables.clear()
        self._unsorted.clear()
        self.connect()

    def refuse_next(self, reason: str) -> None:
        """Refuse the next change, whatever it is."""
        self._refusal = reason

    def add_port(self, ofport: int, name: str) -> SwitchPort:
        """Plug a port."""
        port = self.ports[ofport] = SwitchPort(ofport, name)
        self._tell_port(port, True)
        return port

    def remove_port(self, ofport: int) -> None:
        """Unplug a port."""
        self._tell_port(self.ports.pop(ofport), False)

    def _tell_port(self, port: SwitchPort, is_there: bool) -> None:
        if self.is_connected:
            for listener in tuple(self._port):
                listener(port, is_there)

    def walk(self, ofport: int, frame: bytes, **tunnel: int) -> Walk:
        """Return the way of a frame that comes in by a port, out of ``tunnel`` if any.

        Nothing is delivered, no connection remembered.
        """
        return self._walk(ofport, frame, self.connections.copy(), tunnel)

    def _walk(self, ofport: int, frame: bytes, connections: Connections, tunnel: Mapping[str, int]) -> Walk:
        self._sort()
        return walk(self._tables, self.groups, self.ports, ofport, frame, tunnel, connections)

    def _sort(self) -> None:
        """Bring the tables up to date with the changes since the last walk."""
        for flow, is_there in self._unsorted.values():
            table = self._tables[flow.table]
            (table.put if is_there else table.remove)(flow)
        self._unsorted.clear()

    def inject(self, ofport: int, frame: bytes) -> Walk:
        """Let a frame come in by a port: walk it, and deliver what leaves by ports and what goes to channels."""
        done = self._walk(ofport, frame, self.connections, {})
        for out in done.outputs:
            self.emit(out.ofport, out.frame)
        for punted in done.punted:
            for listener in tuple(self._punts):
                listener(punted.controller_id, punted.packet)
        return done

    def on_output(self, ofport: int, listener: Callable[[bytes], None]) -> None:
        """Call ``listener`` with each frame that leaves by a port."""
        self._outputs[ofport].append(listener)

    def on_punt(self, listener: Callable[[int, PacketIn], None]) -> None:
        """Call ``listener(controller_id, packet)`` with each frame that a flow sends to a controller."""
        self._punts.append(listener)

    def emit(self, ofport: int, frame: bytes) -> None:
        """Put a frame on a port, past the flows."""
        if ofport in self.ports:
            for listener in tuple(self._outputs[ofport]):
                listener(frame)


def _tell(listeners: Iterable[Callable[[], None]]) -> None:
    for listener in tuple(listeners):
        listener()


def _groups_of(found: decoded.Instructions) -> set[int]:
    return {action.number for action in found.actions if isinstance(action, decoded.ToGroup)}
