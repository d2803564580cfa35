"""What mirrors send is not mirrored again: GRE, which ERSPAN is too, goes its way without copies to addresses outside.

The address of a mirror may be that of a port that is mirrored, or lie behind one. Without this each copy would be
copied, and with two mirrors twice, until it is too long for the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import evolve

from quantumd.edge.openflow.actions import instructions
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import ETH_IPV4, ETH_IPV6
from quantumd.l2.drivers.ovs.desired import Copies, PortView, Taps
from quantumd.l2.drivers.ovs.features import classify
from quantumd.l2.drivers.ovs.features.mirror import copies, ways_to_port
from quantumd.l2.drivers.ovs.pipeline import Feature, Table, cookie, go_to

_GRE: Final = 47
_BEFORE: Final = 2
"""How much more these flows weigh than those that mirror."""


def port_flows(view: PortView) -> Iterator[Flow]:
    """Send GRE on as if the port had no mirrors; its taps get copies."""
    mark, inside = cookie(Feature.MIRROR, view.number), _inside(view.taps)
    for kind in (ETH_IPV4, ETH_IPV6):
        if inside.sent != view.taps.sent:
            on = go_to(classify.FOLLOWING, classify.actions(evolve(view, taps=inside)))
            for fields in classify.fields_of(view):
                sends = match(**fields, eth_type=kind, ip_proto=_GRE)
                yield Flow(Table.CLASSIFY, 100 + _BEFORE, sends, mark, on)
        if inside.got != view.taps.got:
            for priority, fields, way in ways_to_port(view):
                gets = match(**fields, eth_type=kind, ip_proto=_GRE)
                yield Flow(Table.OUTPUT, priority + _BEFORE, gets, mark, instructions(copies(inside.got) + way))


def _inside(taps: Taps) -> Taps:
    sent, got = (tuple(each for each in some if isinstance(each, Copies)) for some in (taps.sent, taps.got))
    return Taps(sent, got, taps.arriving)
