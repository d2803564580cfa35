"""Changes of the switch that are asked for together go together: each costs the switch a turn of its main loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from quantumd.edge.openflow.interfaces import Flow, FlowKey, Group, ISwitch, Meter, SwitchChange
from quantumd.edge.openflow.refusal import SwitchRefused
from quantumd.l2.drivers.ovs.plan import Held

_Asked = tuple[SwitchChange, "Deferred[None]"]


def together(changes: Iterable[SwitchChange]) -> SwitchChange:
    """Return one change that does what these do. What one removes and another puts is put."""
    flows: dict[FlowKey, Flow] = {}
    gone: dict[FlowKey, Flow] = {}
    groups: dict[int, Group] = {}
    meters: dict[int, Meter] = {}
    gone_groups: dict[int, None] = {}
    gone_meters: dict[int, None] = {}
    for change in changes:
        flows.update((flow.key, flow) for flow in change.put_flows)
        groups.update((group.number, group) for group in change.put_groups)
        meters.update((meter.number, meter) for meter in change.put_meters)
        gone.update((flow.key, flow) for flow in change.remove_flows)
        gone_groups.update(dict.fromkeys(change.remove_groups))
        gone_meters.update(dict.fromkeys(change.remove_meters))
    return SwitchChange(
        tuple(meters.values()),
        tuple(groups.values()),
        tuple(flows.values()),
        tuple(flow for key, flow in gone.items() if key not in flows),
        tuple(number for number in gone_groups if number not in groups),
        tuple(number for number in gone_meters if number not in meters),
    )


@define(eq=False)
class FlowWriter:
    """Makes changes, and notes in what is held that they are made."""

    _switch: ISwitch
    _clock: IReactorTime
    _waiting: list[_Asked] = field(factory=list, init=False)

    def write(self, change: SwitchChange, held: Held) -> Deferred[None]:
        """Make a change, with all others that are asked for in the same turn; fires when packets obey it. EdgeError."""
        written: Deferred[None] = Deferred()
        self._waiting.append((change, written))
        if len(self._waiting) == 1:
            self._clock.callLater(0, self._begin, held)
        return written

    def _begin(self, held: Held) -> None:
        asked, self._waiting = self._waiting, []
        done: Deferred[None] = Deferred.fromCoroutine(self._write(asked, held))
        done.addErrback(_fail, asked)

    async def _write(self, asked: Sequence[_Asked], held: Held) -> None:
        whole = together(change for change, _ in asked)
        try:
            await self._switch.change(whole)
        except SwitchRefused:
            if len(asked) == 1:
                raise
            # Who is right need not wait for who is not; what was done already may be done again.
            for change, written in asked:
                await self._alone(change, written, held)
            return
        held.apply(whole)
        for _, written in asked:
            written.callback(None)

    async def _alone(self, change: SwitchChange, written: Deferred[None], held: Held) -> None:
        try:
            await self._switch.change(change)
        except SwitchRefused as refused:
            written.errback(refused)
        else:
            held.apply(change)
            written.callback(None)


def _fail(failure: Failure, asked: Iterable[_Asked]) -> None:
    for _, written in asked:
        if not written.called:
            written.errback(failure)
