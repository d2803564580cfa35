"""The way of one change to the switch: what is sent in which order, and when it counts as done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from quantumd.edge.openflow import messages
from quantumd.edge.openflow.connection import OpenFlowConnection
from quantumd.edge.openflow.interfaces import Flow, SwitchChange
from quantumd.edge.openflow.refusal import SwitchRefused
from quantumd.edge.openflow.replies import SwitchError
from quantumd.edge.openflow.text import flow_text

BUNDLE_FLOWS = 20_000
"""The most changes of flows in one bundle."""
_SLICE_FLOWS = 250
"""How many are packed in one reactor turn: about 1 ms."""

_FlowMod = tuple[int, Flow]


@define(eq=False)
class Delivery:
    """One change on its way.

    Every message has a transaction id of its own, so that a refusal can be told by what was refused: ``named`` has
    their names, ``flows`` the flows by the first id of each slice, ``tolerant`` those of messages that may find
    their meter or group there, or gone.
    """

    clock: IReactorTime
    connection: OpenFlowConnection
    _named: dict[int, str] = field(factory=dict)
    _flows: dict[int, Sequence[_FlowMod]] = field(factory=dict)
    _tolerant: set[int] = field(factory=set)
    _refused: list[SwitchRefused] = field(factory=list)

    async def deliver(self, change: SwitchChange) -> None:
        """Make the change; returns once the switch's last barrier reply is here.

        :raises SwitchRefused: a part was refused; later parts were not sent.
        :raises EdgeError: the connection was lost or slow; what the switch holds is not known.
        """
        self._put_meters_and_groups(change)
        mods = [(messages.ADD, flow) for flow in change.put_flows]
        mods += [(messages.DELETE_STRICT, flow) for flow in change.remove_flows]
        if not mods:
            await self._settle()
        for start in range(0, len(mods), BUNDLE_FLOWS):
            await self._bundle(mods[start : start + BUNDLE_FLOWS])
        if change.remove_groups or change.remove_meters:
            self._remove_groups_and_meters(change)
            await self._settle()

    def take_error(self, xid: int, error: SwitchError) -> bool:
        """Note an error of the switch; False when it belongs to none of the messages sent here."""
        part = self._part(xid)
        if part is None:
            return False
        if not (xid in self._tolerant and error.is_about_existence):
            self._refused.append(SwitchRefused(part, str(error)))
        return True

    def _part(self, xid: int) -> str | None:
        if xid in self._named:
            return self._named[xid]
        for first, mods in self._flows.items():
            if first <= xid < first + len(mods):
                return flow_text(mods[xid - first][1])
        return None

    def _put_meters_and_groups(self, change: SwitchChange) -> None:
        packed = []
        for meter in change.put_meters:
            name = f"meter {meter.number}"
            # Adding refuses a meter that is there, modifying one that is not: one of the two is always right.
            added, modified = self._name(name, is_tolerant=True), self._name(name)
            packed.append(messages.meter_mod(messages.METER_ADD, meter, added))
            packed.append(messages.meter_mod(messages.METER_MODIFY, meter, modified))
        packed += [messages.group_put(group, self._name(f"group {group.number}")) for group in change.put_groups]
        self._write(packed)

    def _remove_groups_and_meters(self, change: SwitchChange) -> None:
        def ending(what: str) -> int:
            return self._name(f"the end of {what}", is_tolerant=True)

        packed = [messages.group_delete(number, ending(f"group {number}")) for number in change.remove_groups]
        packed += [messages.meter_delete(number, ending(f"meter {number}")) for number in change.remove_meters]
        self._write(packed)

    async def _bundle(self, mods: Sequence[_FlowMod]) -> None:
        bundle = self.connection.xid()
        self._write((messages.bundle_control(bundle, messages.BUNDLE_OPEN, self._name("to open a bundle")),))
        for start in range(0, len(mods), _SLICE_FLOWS):
            if start:
                await deferLater(self.clock, 0)
            self._write_flows(bundle, mods[start : start + _SLICE_FLOWS])
        await self.connection.barrier()
        # OVS commits a bundle even when one of its adds was refused, so it is thrown away here instead.
        if self._refused:
            self._write((messages.bundle_control(bundle, messages.BUNDLE_DISCARD, self.connection.xid()),))
        else:
            self._write((messages.bundle_control(bundle, messages.BUNDLE_COMMIT, self._name("to commit a bundle")),))
        await self._settle()

    def _write_flows(self, bundle: int, mods: Sequence[_FlowMod]) -> None:
        pack, next_xid = messages.bundled_flow_mod, self.connection.xid
        first = next_xid()
        self._flows[first] = mods
        packed = [pack(bundle, mods[0][0], mods[0][1], first)]
        packed += [pack(bundle, command, flow, next_xid()) for command, flow in mods[1:]]
        self._write(packed)

    async def _settle(self) -> None:
        """Wait until everything sent was done, then see whether anything was refused."""
        await self.connection.barrier()
        if self._refused:
            raise self._refused[0]

    def _write(self, packed: Iterable[bytes]) -> None:
        self.connection.write(b"".join(packed))

    def _name(self, part: str, is_tolerant: bool = False) -> int:
        xid = self.connection.xid()
        self._named[xid] = part
        if is_tolerant:
            self._tolerant.add(xid)
        return xid
