"""Which bridges and patch ports there must be. Pure: settings and rows in, operations out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b

from attrs import field, frozen

from quantumd.edge.ovsdb.interfaces import (
    BridgeRow,
    InterfaceRow,
    Operation,
    PutBridge,
    PutPatchPort,
    PutTunnelPort,
    RemovePort,
)
from quantumd.model.service_place import OUTER_DEVICE
from quantumd.model.services import ServicePoint

OWNED = {"quantumd-owned": "true"}
"""The mark on bridges and ports that quantumd made, by which ``quantumctl cleanup`` knows them."""

PROTOCOLS = frozenset({"OpenFlow10", "OpenFlow13", "OpenFlow14", "OpenFlow15"})
_NAME_LIMIT = 15
_TUNNEL_KEY = "quantumd-tunnel"
"""Under this key a tunnel port remembers what it was made with."""


@frozen
class TunnelPlan:
    """Tunnels of these types end here at ``local_ip``; '' is no tunnels."""

    local_ip: str = ""
    types: tuple[str, ...] = ()


@frozen
class BridgePlan:
    """The integration bridge, and physical networks with their bridges. ``datapath_type``: for bridges made anew.

    ``points``: the services of this host that ports find there.
    """

    integration: str
    mappings: Mapping[str, str]
    datapath_type: str
    tunnels: TunnelPlan = field(factory=TunnelPlan)
    points: tuple[ServicePoint, ...] = ()


def tunnel_name(tunnel_type: str) -> str:
    """Return the name of the one port of all tunnels of a type."""
    return f"tun-{tunnel_type}"


def patch_names(bridge: str) -> tuple[str, str]:
    """Return the patch port names at the integration bridge and at the physical bridge."""
    return _fit(f"int-{bridge}"), _fit(f"phy-{bridge}")


def operations_for(
    plan: BridgePlan, bridges: Mapping[str, BridgeRow | None], interfaces: Mapping[str, InterfaceRow]
) -> tuple[Operation, ...]:
    """Return what makes bridges and patch ports as they must be; nothing when they are."""
    operations = list(_integration_bridge(plan, bridges.get(plan.integration)))
    for bridge in sorted(set(plan.mappings.values())):
        if bridges.get(bridge) is None:
            operations.append(PutBridge(bridge, plan.datapath_type, "standalone", frozenset(), OWNED))
        inner, outer = patch_names(bridge)
        if inner not in interfaces or outer not in interfaces:
            operations.append(PutPatchPort(plan.integration, inner, outer, OWNED))
            operations.append(PutPatchPort(bridge, outer, inner, OWNED))
    return (*operations, *_tunnel_ports(plan, interfaces), *_left_over(plan, interfaces))


def _left_over(plan: BridgePlan, interfaces: Mapping[str, InterfaceRow]) -> Iterator[Operation]:
    """Remove the device of services where none are offered any more."""
    device = interfaces.get(OUTER_DEVICE)
    if device is not None and not plan.points and OWNED.items() <= device.external_ids.items():
        yield RemovePort(plan.integration, OUTER_DEVICE)


def _tunnel_ports(plan: BridgePlan, interfaces: Mapping[str, InterfaceRow]) -> Iterator[Operation]:
    wanted = {tunnel_name(each): f"{each} {plan.tunnels.local_ip}" for each in plan.tunnels.types}
    for name, row in sorted(interfaces.items()):
        if _TUNNEL_KEY in row.external_ids and name not in wanted:
            yield RemovePort(plan.integration, name)
    for each in plan.tunnels.types:
        name = tunnel_name(each)
        if name not in interfaces or interfaces[name].external_ids.get(_TUNNEL_KEY) != wanted[name]:
            ids = {**OWNED, _TUNNEL_KEY: wanted[name]}
            yield PutTunnelPort(plan.integration, name, each, plan.tunnels.local_ip, ids)


def broken_tunnels(plan: TunnelPlan, interfaces: Mapping[str, InterfaceRow]) -> dict[str, str]:
    """Return which types of tunnels Open vSwitch does not open, and why."""
    ports = {each: (tunnel_name(each), interfaces.get(tunnel_name(each))) for each in plan.types}
    return {
        each: f"{each} tunnels are closed: Open vSwitch does not open {named(name, row)}"
        for each, (name, row) in ports.items()
        if not is_open(row)
    }


def broken_mappings(plan: BridgePlan, interfaces: Mapping[str, InterfaceRow]) -> dict[str, str]:
    """Return which physical networks are not connected to the integration bridge, and why.

    Ports of such a network reach each other on this host, and nobody elsewhere.
    """
    broken = {}
    for physical_network, bridge in sorted(plan.mappings.items()):
        dead = [named(name, interfaces.get(name)) for name in patch_names(bridge) if not is_open(interfaces.get(name))]
        if dead:
            broken[physical_network] = f"{physical_network} is cut off: Open vSwitch does not open {' and '.join(dead)}"
    return broken


def is_open(interface: InterfaceRow | None) -> bool:
    """Whether Open vSwitch has given the port a number."""
    return interface is not None and interface.ofport is not None and interface.ofport > 0


def named(name: str, interface: InterfaceRow | None) -> str:
    """Return a port's name, with what Open vSwitch says is wrong with it."""
    return name if interface is None or not interface.error else f"{name} ({interface.error})"


def _integration_bridge(plan: BridgePlan, row: BridgeRow | None) -> tuple[Operation, ...]:
    if row is None:
        return (PutBridge(plan.integration, plan.datapath_type, "secure", PROTOCOLS, OWNED),)
    # No protocols named means all that Open vSwitch speaks, ours among them.
    protocols = row.protocols | PROTOCOLS if row.protocols else row.protocols
    if row.fail_mode == "secure" and protocols == row.protocols:
        return ()
    return (PutBridge(plan.integration, row.datapath_type, "secure", protocols, {}),)


def _fit(name: str) -> str:
    if len(name) <= _NAME_LIMIT:
        return name
    return name[: _NAME_LIMIT - 6] + blake2b(name.encode(), digest_size=3).hexdigest()
