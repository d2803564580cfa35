"""The ways out of this host, physical networks and tunnels: their ports, and which Open vSwitch does not open."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field, frozen

from quantumd.converge.plan import Key
from quantumd.edge.ovsdb.interfaces import InterfaceRow, IOvsdb
from quantumd.l2.drivers.ovs import mirrors
from quantumd.l2.drivers.ovs.bridges import BridgePlan, broken_mappings, broken_tunnels, patch_names, tunnel_name
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.network import TUNNEL_TYPES
from quantumd.model.records import NetworkRecord


@frozen
class ExitKind:
    """What the exits of one kind are made of.

    ``devices`` are those at the integration bridge, by the exits' names; ``parts`` all devices on which exits depend.
    ``exit_of`` names the exit that a network takes, None for no exit of this kind. ``key_of`` is whose fault it is.
    """

    devices: Mapping[str, str]
    parts: frozenset[str]
    exit_of: Callable[[NetworkRecord], str | None]
    broken: Callable[[Mapping[str, InterfaceRow]], Mapping[str, str]]
    key_of: Callable[[str], Key]
    lacking: str


def physical_networks(plan: BridgePlan) -> ExitKind:
    """Return the bridges of physical networks as exits, by the names of the physical networks."""
    patches = {name: patch_names(bridge) for name, bridge in plan.mappings.items()}
    return ExitKind(
        devices={name: inner for name, (inner, _) in patches.items()},
        parts=frozenset(device for pair in patches.values() for device in pair),
        exit_of=lambda network: network.physical_network,
        broken=lambda interfaces: broken_mappings(plan, interfaces),
        key_of=lambda name: ("bridge", plan.mappings[name]),
        lacking="{name} is not connected on this host",
    )


def tunnels(plan: BridgePlan) -> ExitKind:
    """Return the tunnel ports as exits, by the types of tunnels."""
    return ExitKind(
        devices={each: tunnel_name(each) for each in plan.tunnels.types},
        # Those that the settings do not name any more are taken away.
        parts=frozenset(tunnel_name(each) for each in TUNNEL_TYPES),
        exit_of=lambda network: network.network_type if network.network_type in TUNNEL_TYPES else None,
        broken=lambda interfaces: broken_tunnels(plan.tunnels, interfaces),
        key_of=lambda name: ("tunnel", name),
        lacking="there are no {name} tunnels on this host",
    )


def mirror_tunnels(index: mirrors.MirrorIndex) -> ExitKind:
    """Return the tunnel ports of mirrors as exits, by their kinds. No network takes them: no port depends on them."""
    names = {kind: mirrors.port_name(kind) for kind in mirrors.KINDS}
    return ExitKind(
        devices=names,
        parts=frozenset(names.values()),
        exit_of=lambda network: None,
        broken=lambda interfaces: mirrors.broken(index.kinds(), interfaces),
        key_of=lambda kind: ("mirror", kind),
        lacking="{name}",
    )


@define(eq=False)
class Exits:
    """Keeps the ``ofports`` that it shares with the view, and why exits are cut off, as they were seen last."""

    _kind: ExitKind
    _ovsdb: IOvsdb
    _view: HostView
    _ofports: dict[str, int]
    _cut_off: Mapping[str, str] = field(factory=dict, init=False)
    """Why, by the names of exits."""

    def concerns(self, device: str) -> bool:
        """Whether an exit depends on a device."""
        return device in self._kind.parts

    def look(self) -> frozenset[str]:
        """Look again; return the networks whose traffic goes another way now, or begins or ceases to get out."""
        before = self._states()
        found = {name: self._view.ofport_named(device) for name, device in self._kind.devices.items()}
        self._ofports.clear()
        self._ofports.update((name, ofport) for name, ofport in found.items() if ofport is not None)
        self._cut_off = self._kind.broken(self._ovsdb.interfaces())
        after = self._states()
        changed = {name for name in after if after[name] != before[name]}
        return frozenset(network for network in self._view.networks() if self._exit_of(network) in changed)

    def fault_of(self, port_id: str) -> str | None:
        """Return why traffic of a port cannot leave this host though its network says that it does."""
        network_id = self._view.network_of(port_id)
        name = self._exit_of(network_id) if network_id is not None else None
        if name is None or (name in self._ofports and name not in self._cut_off):
            return None
        return self._cut_off.get(name, self._kind.lacking.format(name=name))

    def faults(self) -> dict[Key, str]:
        """Return what is wrong, by whose fault it is."""
        return {self._kind.key_of(name): why for name, why in self._cut_off.items()}

    def _exit_of(self, network_id: str) -> str | None:
        record = self._view.records.get(NetworkRecord.kind, network_id)
        return self._kind.exit_of(record) if isinstance(record, NetworkRecord) else None

    def _states(self) -> dict[str, tuple[int | None, str | None]]:
        return {name: (self._ofports.get(name), self._cut_off.get(name)) for name in self._kind.devices}
