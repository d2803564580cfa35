"""The tunnel ports of this host: which there are, and which of them Open vSwitch does not open."""

from __future__ import annotations

from attrs import define, field

from quantumd.converge.plan import Key
from quantumd.edge.ovsdb.interfaces import IOvsdb
from quantumd.l2.drivers.ovs.bridges import TunnelPlan, broken_tunnels, tunnel_name
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.network import TUNNEL_TYPES
from quantumd.model.records import NetworkRecord


@define(eq=False)
class TunnelPorts:
    """Keeps ``view.tunnel_ofports`` and ``cut_off`` as they were seen last."""

    _plan: TunnelPlan
    _ovsdb: IOvsdb
    _view: HostView
    cut_off: dict[str, str] = field(factory=dict, init=False)
    """Why, by tunnel type."""

    def is_tunnel(self, device: str) -> bool:
        """Whether a device is a tunnel port of ours."""
        return any(device == tunnel_name(each) for each in TUNNEL_TYPES)

    def look(self) -> frozenset[str]:
        """Look again; return the networks whose tunnels open, close or have another port now."""
        before = {each: self._state(each) for each in TUNNEL_TYPES}
        found = {each: self._view.ofport_named(tunnel_name(each)) for each in self._plan.types}
        self._view.tunnel_ofports = {each: ofport for each, ofport in found.items() if ofport is not None}
        self.cut_off = broken_tunnels(self._plan, self._ovsdb.interfaces())
        changed = {each for each, state in before.items() if self._state(each) != state}
        return frozenset(network for network in self._view.networks() if self._type_of(network) in changed)

    def fault_of(self, port_id: str) -> str | None:
        """Return why traffic of a port finds no tunnel though its network has one."""
        network_id = self._view.network_of(port_id)
        name = self._type_of(network_id) if network_id is not None else None
        if name not in TUNNEL_TYPES or (name in self._view.tunnel_ofports and name not in self.cut_off):
            return None
        return self.cut_off.get(name, f"there are no {name} tunnels on this host")

    def faults(self) -> dict[Key, str]:
        """Return what is wrong with tunnels, by their types."""
        return {("tunnel", each): why for each, why in self.cut_off.items()}

    def _type_of(self, network_id: str) -> str | None:
        record = self._view.records.get(NetworkRecord.kind, network_id)
        return record.network_type if isinstance(record, NetworkRecord) else None

    def _state(self, name: str) -> tuple[int | None, str | None]:
        return self._view.tunnel_ofports.get(name), self.cut_off.get(name)
