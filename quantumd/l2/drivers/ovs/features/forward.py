"""Where a frame goes: to the one port that has the MAC, or to all of the network by its group. Nothing is learned."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.edge.openflow.actions import group, instructions, resubmit, set_field
from quantumd.edge.openflow.interfaces import Flow, Group
from quantumd.edge.openflow.match import mac, match
from quantumd.l2.drivers.ovs.desired import NetworkView, PortView
from quantumd.l2.drivers.ovs.features import physical, qos, tunnel
from quantumd.l2.drivers.ovs.pipeline import NETWORK, OUT_PORT, Feature, Table, cookie, go_to
from quantumd.model.macs import is_port_mac

_MULTICAST = 0x01_00_00_00_00_00


def port_flows(view: PortView) -> Iterator[Flow]:
    """Deliver what is addressed to the port's MAC; if that is a group's, the group delivers it, to all."""
    if not is_port_mac(view.port.mac_address):
        return
    yield Flow(
        Table.FORWARD,
        100,
        match(eth_dst=mac(view.port.mac_address), **{NETWORK: view.network_number}),
        cookie(Feature.FORWARD, view.ofport),
        go_to(Table.FIREWALL_INGRESS, set_field(OUT_PORT, view.ofport)),
    )


def network_flows(view: NetworkView) -> Iterator[Flow]:
    """Give broadcast and multicast to the network's group; the switch leaves out the port it came from."""
    yield Flow(
        Table.FORWARD,
        50,
        match(eth_dst=(_MULTICAST, _MULTICAST), **{NETWORK: view.number}),
        cookie(Feature.FORWARD, view.number),
        instructions(group(view.number)),
    )


def network_groups(view: NetworkView) -> Iterator[Group]:
    """The group of everyone on the network: local ports, the physical network, the hosts that carry it.

    A copy for a local port passes what guards that port, as what is addressed to it does.
    """
    local = tuple(set_field(OUT_PORT, ofport) + resubmit(qos.copies_to(view, ofport)) for ofport in view.ofports)
    beyond = [physical.leave(view)] if view.physical_ofport is not None else []
    yield Group(view.number, (*local, *beyond, *tunnel.leave(view)))
    yield from tunnel.network_groups(view, local)
