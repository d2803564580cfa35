"""What connects physical networks to the integration bridge, and which of them it does not."""

from __future__ import annotations

from attrs import define, field

from quantumd.converge.plan import Key
from quantumd.edge.ovsdb.interfaces import IOvsdb
from quantumd.l2.drivers.ovs.bridges import BridgePlan, broken_mappings, patch_names
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.records import NetworkRecord


@define(eq=False)
class PhysicalNetworks:
    """Keeps ``view.physical_ofports`` and ``cut_off`` as they were seen last."""

    _plan: BridgePlan
    _ovsdb: IOvsdb
    _view: HostView
    cut_off: dict[str, str] = field(factory=dict, init=False)
    """Why, by the names of physical networks."""

    def is_patch(self, device: str) -> bool:
        """Whether a device connects a physical network."""
        return any(device in patch_names(bridge) for bridge in self._plan.mappings.values())

    def look(self) -> frozenset[str]:
        """Look again; return the networks whose traffic goes another way now, or begins or ceases to get out."""
        before = {name: self._state(name) for name in self._plan.mappings}
        patches = {name: patch_names(bridge)[0] for name, bridge in self._plan.mappings.items()}
        found = {name: self._view.ofport_named(patch) for name, patch in patches.items()}
        self._view.physical_ofports = {name: ofport for name, ofport in found.items() if ofport is not None}
        self.cut_off = broken_mappings(self._plan, self._ovsdb.interfaces())
        changed = {name for name, state in before.items() if self._state(name) != state}
        return frozenset(network for network in self._view.networks() if self._physical_network_of(network) in changed)

    def fault_of(self, port_id: str) -> str | None:
        """Return why traffic of a port cannot leave this host though its network says that it does."""
        network_id = self._view.network_of(port_id)
        name = self._physical_network_of(network_id) if network_id is not None else None
        if name is None or (name in self._view.physical_ofports and name not in self.cut_off):
            return None
        return self.cut_off.get(name, f"{name} is not connected on this host")

    def faults(self) -> dict[Key, str]:
        """Return what is wrong with bridges, by their names."""
        return {("bridge", self._plan.mappings[name]): why for name, why in self.cut_off.items()}

    def _physical_network_of(self, network_id: str) -> str | None:
        record = self._view.records.get(NetworkRecord.kind, network_id)
        return record.physical_network if isinstance(record, NetworkRecord) else None

    def _state(self, name: str) -> tuple[int | None, str | None]:
        return self._view.physical_ofports.get(name), self.cut_off.get(name)
