"""Storms: what a port sends to everybody passes a meter of its own. What else it takes: docs/decisions/storms.md."""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.edge.openflow.actions import instructions
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import match
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.features import classify
from quantumd.l2.drivers.ovs.pipeline import Feature, Table, cookie, storm_meter

_MULTICAST = 0x01_00_00_00_00_00


def port_flows(view: PortView, rate_pps: int) -> Iterator[Flow]:
    """Let the port's broadcast and multicast over its meter, to where all goes; a rate of 0 is no limit."""
    for fields in classify.fields_of(view) if rate_pps else ():
        yield Flow(
            Table.CLASSIFY,
            110,
            match(**fields, eth_dst=(_MULTICAST, _MULTICAST)),
            cookie(Feature.STORM, view.number),
            instructions(classify.actions(view), goto=classify.FOLLOWING, meter=storm_meter(view.number)),
        )


def port_meters(view: PortView, rate_pps: int) -> Iterator[Meter]:
    """The meter of what the port sends to everybody; a second's worth may come at once."""
    if rate_pps:
        yield Meter(storm_meter(view.number), rate_pps, rate_pps)
