"""The way of a packet through the tables of a bridge, explained hop by hop. Checked against ofproto/trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from attrs import define, field, frozen

from quantumd.edge.openflow import decoded
from quantumd.edge.openflow.actions import CONTROLLER, IN_PORT
from quantumd.edge.openflow.decode import unpack_actions
from quantumd.edge.openflow.decoded import Action, Bits
from quantumd.edge.openflow.interfaces import Flow, Group, PacketIn
from quantumd.edge.openflow.lookup import Table
from quantumd.edge.openflow.oxm import FIELDS
from quantumd.edge.openflow.packet import Packet
from quantumd.edge.openflow.text import flow_text
from quantumd.edge.openflow.tracking import Connections

_DEEPEST = 64
_MOST_HOPS = 4096
_PIPELINE_FIELDS = frozenset(
    name for name in FIELDS if name.startswith(("reg", "ct_", "tun_")) or name in ("in_port", "metadata", "conj_id")
)


@frozen
class Hop:
    """One lookup: the table, the flow that matched (None: a miss), and the registers that were not zero."""

    table: int
    flow: Flow | None
    registers: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        registers = " ".join(f"{name}={value:#x}" for name, value in self.registers)
        return f"[{registers}] {'table ' + str(self.table) + ': miss' if self.flow is None else flow_text(self.flow)}"


@frozen
class Emission:
    """A frame that leaves by a port. ``tunnel``: what it is to be wrapped in if the port is a tunnel's."""

    ofport: int
    frame: bytes
    tunnel: tuple[tuple[str, int], ...] = ()


@frozen
class Punted:
    """A frame sent to the connections of a controller id."""

    controller_id: int
    packet: PacketIn


@frozen
class Walk:
    """What became of a frame. ``drops`` say in words where a copy of it ended without leaving."""

    hops: tuple[Hop, ...]
    outputs: tuple[Emission, ...]
    punted: tuple[Punted, ...]
    drops: tuple[str, ...]

    @property
    def is_dropped(self) -> bool:
        """Whether no copy left by a port or went to a controller."""
        return not self.outputs and not self.punted

    def __str__(self) -> str:
        lines = [str(hop) for hop in self.hops]
        lines += [f"=> port {out.ofport}: {out.frame.hex()}" for out in self.outputs]
        lines += [f"=> controller {p.controller_id}, userdata {p.packet.userdata.hex()}" for p in self.punted]
        lines += [f"=> dropped: {why}" for why in self.drops]
        return "\n".join(lines)


def walk(
    tables: Mapping[int, Table],
    groups: Mapping[int, Group],
    ports: Iterable[int],
    ofport: int,
    frame: bytes,
    tunnel: Mapping[str, int] = MappingProxyType({}),
    connections: Connections | None = None,
) -> Walk:
    """Walk a frame that comes in by ``ofport`` through the tables, from table 0.

    ``tunnel`` is what it was wrapped in: values of the fields ``tun_…``. Meters let everything pass.
    ``connections`` are those that are known; what is committed is added to them.
    """
    walker = _Walker(tables, groups, frozenset(ports), Connections() if connections is None else connections)
    walker.start(ofport, frame, tunnel)
    return Walk(tuple(walker.hops), tuple(walker.outputs), tuple(walker.punted), tuple(walker.drops))


@define
class _State:
    """A copy of the packet on its way: its bytes and what the pipeline knows of it."""

    packet: Packet
    pipeline: dict[str, int]

    def copy(self) -> _State:
        return _State(self.packet.copy(), dict(self.pipeline))

    def tunnel(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, value) for name, value in self.pipeline.items() if value and name.startswith("tun_"))

    def registers(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, value) for name, value in self.pipeline.items() if value and name != "in_port")

    def get(self, name: str) -> int:
        return self.pipeline.get(name, 0) if name in _PIPELINE_FIELDS else self.packet.get(name)

    def set(self, name: str, value: int) -> None:
        if name in _PIPELINE_FIELDS:
            self.pipeline[name] = value
        else:
            self.packet.set(name, value)

    def get_bits(self, bits: Bits) -> int:
        return self.get(bits.field.name) >> bits.first & ((1 << bits.count) - 1)

    def set_bits(self, bits: Bits, value: int) -> None:
        mask = ((1 << bits.count) - 1) << bits.first
        self.set(bits.field.name, self.get(bits.field.name) & ~mask | value << bits.first & mask)


@define
class _Walker:
    tables: Mapping[int, Table]
    groups: Mapping[int, Group]
    ports: frozenset[int]
    connections: Connections
    hops: list[Hop] = field(factory=list)
    outputs: list[Emission] = field(factory=list)
    punted: list[Punted] = field(factory=list)
    drops: list[str] = field(factory=list)
    _later: list[tuple[int, _State]] = field(factory=list)

    def start(self, ofport: int, frame: bytes, tunnel: Mapping[str, int]) -> None:
        self._later.append((0, _State(Packet(bytearray(frame)), {"in_port": ofport, **tunnel})))
        while self._later:
            self._table(*self._later.pop(0), 0)

    def _table(self, number: int, state: _State, depth: int) -> None:
        table: int | None = number
        while table is not None:
            if depth > _DEEPEST or len(self.hops) >= _MOST_HOPS:
                self.drops.append("too many resubmits")
                return
            entry = self.tables[table].find(state.get) if table in self.tables else None
            self.hops.append(Hop(table, entry.flow if entry else None, state.registers()))
            if entry is None:
                self.drops.append(f"no flow matches in table {table}")
                return
            if not entry.instructions.actions and entry.instructions.goto is None:
                self.drops.append(f"a flow of table {table} drops it")
            if not self._do(entry.instructions.actions, state, depth):
                return
            table = entry.instructions.goto

    def _do(self, actions: Iterable[Action], state: _State, depth: int) -> bool:
        """Do actions in their order; False when one of them ends the packet's stay in the table."""
        for action in actions:
            if isinstance(action, decoded.Resubmit):
                self._table(action.table, state, depth + 1)
            elif isinstance(action, decoded.ToGroup):
                self._copy_to(self.groups.get(action.number), state, depth)
            elif isinstance(action, decoded.Clone):
                self._do(action.nested, state.copy(), depth + 1)
            elif isinstance(action, decoded.Ct):
                self._track(action, state)
            elif isinstance(action, decoded.DecTtl):
                if state.get("ip_ttl") <= 1:
                    self.drops.append("its TTL is used up")
                    return False
                state.set("ip_ttl", state.get("ip_ttl") - 1)
            elif not self._act(action, state):
                self.drops.append(f"an action that is not walked: {action}")
        return True

    def _copy_to(self, group: Group | None, state: _State, depth: int) -> None:
        buckets = () if group is None else group.buckets
        # Which bucket of a SELECT group it is depends on the hash: with more than one the first stands for all.
        for bucket in buckets[:1] if group is not None and group.is_select else buckets:
            self._do(unpack_actions(bucket), state.copy(), depth + 1)

    def _act(self, action: Action, state: _State) -> bool:
        act = _ACTS.get(type(action))
        if act is None:
            return False
        act(self, action, state)
        return True

    def output(self, port: int, state: _State) -> None:
        """Let a frame out as OVS does: not by where it came in, not by a port that is not there."""
        in_port = state.get("in_port")
        if port == CONTROLLER:
            self.punt(decoded.Punt(b"", 0, 0xFFFF, None), state)
        elif port == in_port:
            self.drops.append(f"port {port} is where it came in")
        else:
            self._emit(in_port if port == IN_PORT else port, state)

    def _emit(self, port: int, state: _State) -> None:
        if port in self.ports:
            self.outputs.append(Emission(port, bytes(state.packet.frame), state.tunnel()))
        else:
            self.drops.append(f"there is no port {port}")

    def punt(self, action: decoded.Punt, state: _State) -> None:
        """Send the frame to a controller."""
        frame = bytes(state.packet.frame[: action.max_len])
        packet = PacketIn(state.get("in_port"), action.userdata, frame)
        self.punted.append(Punted(action.controller_id, packet))

    def _track(self, action: decoded.Ct, state: _State) -> None:
        zone = state.get_bits(action.zone) if isinstance(action.zone, Bits) else action.zone
        tracked = state.copy()
        found, mark = self.connections.look(zone, state.get)
        tracked.pipeline |= {"ct_state": found, "ct_zone": zone, "ct_mark": mark}
        self._do(action.nested, tracked, 0)
        if action.is_commit:
            self.connections.commit(zone, state.get, tracked.get("ct_mark") if action.nested else None)
        if action.table is not None:
            self._later.append((action.table, tracked))


_ACTS: Mapping[type, Callable[[_Walker, Any, _State], None]] = {
    decoded.Output: lambda walker, a, state: walker.output(a.port, state),
    decoded.OutputBits: lambda walker, a, state: walker.output(state.get_bits(a.source), state),
    decoded.Punt: lambda walker, a, state: walker.punt(a, state),
    decoded.SetField: lambda walker, a, state: state.set_bits(a.target, a.value),
    decoded.Move: lambda walker, a, state: state.set_bits(a.target, state.get_bits(a.source)),
    decoded.PushVlan: lambda walker, a, state: state.packet.push_vlan(a.ethertype),
    decoded.PopVlan: lambda walker, a, state: state.packet.pop_vlan(),
    decoded.SetTtl: lambda walker, a, state: state.set("ip_ttl", a.ttl),
    decoded.CheckLarger: lambda walker, a, state: state.set_bits(a.target, len(state.packet.frame) > a.length),
    decoded.Conjunct: lambda walker, a, state: None,
}
