"""Which network a port's frame belongs to. This plugs a port: without it nothing that it sends goes anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.edge.openflow.actions import set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import match
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.pipeline import NETWORK, SOURCE, Feature, Source, Table, cookie, go_to


def port_flows(view: PortView) -> Iterator[Flow]:
    """Number untagged frames of the port with its network; tagged ones are dropped, tags are for trunks."""
    yield Flow(
        Table.CLASSIFY,
        100,
        match(in_port=view.ofport, vlan_vid=0),
        cookie(Feature.CLASSIFY, view.ofport),
        go_to(Table.QOS_EGRESS, set_field(NETWORK, view.network_number) + set_field(SOURCE, Source.PORT)),
    )
