"""What differs between what keys ask for and what the bridge holds. Pure: values in, a change out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field

from quantumd.converge.plan import Key
from quantumd.edge.openflow.interfaces import Flow, FlowKey, Group, Meter, SwitchChange, SwitchState
from quantumd.l2.drivers.ovs.desired import NONE, Objects
from quantumd.l2.drivers.ovs.pipeline import is_ours


@define
class Held:
    """What the bridge holds as far as is known, and which key asked for what of it.

    ``owned`` is what each key's last executed plan asked for; ``owners`` says which key a flow belongs to, when two
    keys ask for the same flow one after the other (a port number that is used again).
    """

    flows: dict[FlowKey, Flow] = field(factory=dict)
    groups: dict[int, Group] = field(factory=dict)
    meters: dict[int, Meter] = field(factory=dict)
    owned: dict[Key, Objects] = field(factory=dict)
    owners: dict[FlowKey, Key] = field(factory=dict)
    group_owners: dict[int, Key] = field(factory=dict)
    meter_owners: dict[int, Key] = field(factory=dict)

    @classmethod
    def read(cls, state: SwitchState) -> Held:
        """Begin with what was read back; nobody is known to have asked for it."""
        return cls(
            flows={flow.key: flow for flow in state.flows},
            groups={group.number: group for group in state.groups},
            meters={meter.number: meter for meter in state.meters},
        )

    def apply(self, change: SwitchChange) -> None:
        """Note a change that the switch has made."""
        self.meters.update((meter.number, meter) for meter in change.put_meters)
        self.groups.update((group.number, group) for group in change.put_groups)
        for flow in change.remove_flows:
            self.flows.pop(flow.key, None)
        self.flows.update((flow.key, flow) for flow in change.put_flows)
        for number in change.remove_groups:
            self.groups.pop(number, None)
        for number in change.remove_meters:
            self.meters.pop(number, None)

    def lost(self, state: SwitchState) -> int:
        """Return how many flows that some key asked for are not there any more, or another one is in their place."""
        found = {flow.key: flow for flow in state.flows}
        return sum(found.get(key) != self.flows.get(key) for key in self.owners)

    def own(self, key: Key, objects: Objects) -> None:
        """Note what a key's executed plan asked for."""
        self._disown(key)
        if objects == NONE:
            return
        self.owned[key] = objects
        self.owners.update((flow.key, key) for flow in objects.flows)
        self.group_owners.update((group.number, key) for group in objects.groups)
        self.meter_owners.update((meter.number, key) for meter in objects.meters)

    def _disown(self, key: Key) -> None:
        old = self.owned.pop(key, NONE)
        for flow in old.flows:
            if self.owners.get(flow.key) == key:
                del self.owners[flow.key]
        for group in old.groups:
            if self.group_owners.get(group.number) == key:
                del self.group_owners[group.number]
        for meter in old.meters:
            if self.meter_owners.get(meter.number) == key:
                del self.meter_owners[meter.number]


def change_for(held: Held, wanted: Mapping[Key, Objects]) -> SwitchChange:
    """Return what must change so that the bridge holds what these keys ask for, and no more what they asked for."""
    flows = {flow.key: flow for objects in wanted.values() for flow in objects.flows}
    groups = {group.number: group for objects in wanted.values() for group in objects.groups}
    meters = {meter.number: meter for objects in wanted.values() for meter in objects.meters}
    old = [(key, held.owned.get(key, NONE)) for key in wanted]
    return SwitchChange(
        put_meters=tuple(meter for number, meter in meters.items() if held.meters.get(number) != meter),
        put_groups=tuple(group for number, group in groups.items() if held.groups.get(number) != group),
        put_flows=tuple(flow for flow_key, flow in flows.items() if held.flows.get(flow_key) != flow),
        remove_flows=tuple(
            flow
            for key, objects in old
            for flow in objects.flows
            if flow.key not in flows and held.owners.get(flow.key) == key and flow.key in held.flows
        ),
        remove_groups=tuple(
            group.number
            for key, objects in old
            for group in objects.groups
            if group.number not in groups and held.group_owners.get(group.number) == key
        ),
        remove_meters=tuple(
            meter.number
            for key, objects in old
            for meter in objects.meters
            if meter.number not in meters and held.meter_owners.get(meter.number) == key
        ),
    )


def sweep(held: Held, wanted: Iterable[Objects], removes_foreign: bool) -> SwitchChange:
    """Return what removes all that nobody wants; flows of strangers only if ``removes_foreign``."""
    flows: set[FlowKey] = set()
    groups: set[int] = set()
    meters: set[int] = set()
    for objects in wanted:
        flows.update(flow.key for flow in objects.flows)
        groups.update(group.number for group in objects.groups)
        meters.update(meter.number for meter in objects.meters)
    unwanted = (flow for key, flow in held.flows.items() if key not in flows)
    return SwitchChange(
        remove_flows=tuple(flow for flow in unwanted if removes_foreign or is_ours(flow)),
        remove_groups=tuple(held.groups.keys() - groups),
        remove_meters=tuple(held.meters.keys() - meters),
    )


def is_nothing(change: SwitchChange) -> bool:
    """Whether a change changes nothing."""
    return change == _NO_CHANGE


_NO_CHANGE = SwitchChange()
