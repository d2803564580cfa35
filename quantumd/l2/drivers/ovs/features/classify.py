"""Which network a port's frame belongs to. This plugs a port: without it nothing that it sends goes anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from quantumd.edge.openflow.actions import set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import Value, match
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.pipeline import NETWORK, SOURCE, Feature, Source, Table, cookie, go_to

FOLLOWING: Final = Table.QOS_EGRESS
"""Where what a port sends goes from here."""


def port_flows(view: PortView) -> Iterator[Flow]:
    """Number untagged frames of the port with its network; tagged ones are dropped, tags are for trunks."""
    mark = cookie(Feature.CLASSIFY, view.ofport)
    yield Flow(Table.CLASSIFY, 100, match(**fields(view)), mark, go_to(FOLLOWING, actions(view)))


def fields(view: PortView) -> Mapping[str, Value]:
    """Return what the port's frames are known by where they come in."""
    return {"in_port": view.ofport, "vlan_vid": 0}


def actions(view: PortView) -> bytes:
    """Return what is done to the port's frames where they come in."""
    return set_field(NETWORK, view.network_number) + set_field(SOURCE, Source.PORT)
