"""Flat and VLAN networks: a tag means a network only where frames cross to a physical bridge."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.edge.openflow.actions import instructions, output, pop_vlan, push_vlan, set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import VLAN_PRESENT
from quantumd.l2.drivers.ovs.desired import NetworkView
from quantumd.l2.drivers.ovs.pipeline import NETWORK, SOURCE, Feature, Source, Table, cookie, go_to


def network_flows(view: NetworkView) -> Iterator[Flow]:
    """Take in what carries the network's tag (flat: no tag), and put out what no local port has."""
    if view.physical_ofport is None:
        return
    mark = cookie(Feature.PHYSICAL, view.number)
    yield Flow(
        Table.CLASSIFY,
        90,
        match(in_port=view.physical_ofport, vlan_vid=_vlan_vid(view)),
        mark,
        go_to(
            Table.PORT_SECURITY,
            _untag(view) + set_field(NETWORK, view.number) + set_field(SOURCE, Source.PHYSICAL),
        ),
    )
    from_port = {SOURCE: int(Source.PORT), NETWORK: view.number}
    yield Flow(Table.FORWARD, 10, match(**from_port), mark, instructions(leave(view)))


def leave(view: NetworkView) -> bytes:
    """Return the actions that put a frame on the physical network."""
    if view.physical_ofport is None:
        return b""
    return _tag(view) + output(view.physical_ofport)


def _vlan_vid(view: NetworkView) -> int:
    return VLAN_PRESENT | (view.network.segmentation_id or 0) if view.network.network_type == "vlan" else 0


def _tag(view: NetworkView) -> bytes:
    if view.network.network_type != "vlan":
        return b""
    return push_vlan() + set_field("vlan_vid", _vlan_vid(view))


def _untag(view: NetworkView) -> bytes:
    return pop_vlan() if view.network.network_type == "vlan" else b""
