"""Where a frame goes: to the one port that has the MAC, or to all of the network by its group. Nothing is learned."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.edge.openflow.actions import group, instructions, resubmit, set_field
from quantumd.edge.openflow.interfaces import Flow, Group
from quantumd.edge.openflow.match import mac, match
from quantumd.l2.drivers.ovs.desired import NetworkView, PortView
from quantumd.l2.drivers.ovs.features import physical, qos, tunnel
from quantumd.l2.drivers.ovs.pipeline import NETWORK, OUT_PORT, SECOND_LOOK, Feature, Table, cookie, go_to
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
        cookie(Feature.FORWARD, view.number),
        go_to(Table.FIREWALL_INGRESS, set_field(OUT_PORT, view.number)),
    )


def bridge_flows() -> Iterator[Flow]:
    """Look again at broadcast and multicast before they are copied.

    What the switch does with a frame it remembers for all that look the same to the flows on the way. Copies take a
    walk for each port of a network; by a second look only what the flows from FLOOD on look at tells frames apart, and
    a port that asks for a thousand addresses costs one such walk, not a thousand.
    """
    multicast = match(eth_dst=(_MULTICAST, _MULTICAST))
    yield Flow(Table.FORWARD, 40, multicast, cookie(Feature.FORWARD, 0), instructions(group(SECOND_LOOK)))


def bridge_groups() -> Iterator[Group]:
    """What makes the switch look again: for the choice among one bucket it computes a hash of the frame."""
    yield Group(SECOND_LOOK, (resubmit(Table.FLOOD),), is_select=True)


def network_flows(view: NetworkView) -> Iterator[Flow]:
    """Give broadcast and multicast to the network's group; the switch leaves out the port it came from."""
    everyone = instructions(group(view.number))
    yield Flow(Table.FLOOD, 50, match(**{NETWORK: view.number}), cookie(Feature.FORWARD, view.number), everyone)


def network_groups(view: NetworkView) -> Iterator[Group]:
    """The group of everyone on the network: local ports, the physical network, the hosts that carry it.

    A copy for a local port passes what guards that port, as what is addressed to it does.
    """
    local = tuple(set_field(OUT_PORT, number) + resubmit(qos.copies_to(view, number)) for number in view.numbers)
    beyond = [physical.leave(view)] if view.physical_ofport is not None else []
    yield Group(view.number, (*local, *beyond, *tunnel.leave(view)))
    yield from tunnel.network_groups(view, local)
