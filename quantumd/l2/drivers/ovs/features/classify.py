"""Which port and network a frame belongs to. This plugs a port: without it nothing that it sends goes anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from quantumd.edge.openflow.actions import pop_vlan, set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import Value, match
from quantumd.edge.openflow.oxm import ETH_QINQ, ETH_VLAN, VLAN_PRESENT
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.features import guest_tags
from quantumd.l2.drivers.ovs.features.mirror import copies
from quantumd.l2.drivers.ovs.pipeline import NETWORK, SENDER, SOURCE, Feature, Source, Table, cookie, go_to


def bridge_flows() -> Iterator[Flow]:
    """Drop what has two tags, wherever it comes from: the inner one would mean a sub-port to whoever gets it."""
    # Open vSwitch takes a second tag for an Ethertype, unless its vlan-limit says otherwise.
    for kind in (ETH_VLAN, ETH_QINQ):
        two = match(vlan_vid=guest_tags.ANY_TAG, eth_type=kind)
        yield Flow(Table.CLASSIFY, 200, two, cookie(Feature.CLASSIFY, 0), b"")


FOLLOWING: Final = Table.QOS_EGRESS
"""Where what a port sends goes from here."""


def port_flows(view: PortView) -> Iterator[Flow]:
    """Number what the port sends with its network and itself: frames with its tag, or without any if it has none.

    On a network that passes the tags of guests, frames with these as well.
    """
    mark = cookie(Feature.CLASSIFY, view.number)
    for fields in fields_of(view):
        yield Flow(Table.CLASSIFY, 100, match(**fields), mark, go_to(FOLLOWING, actions(view)))


def fields_of(view: PortView) -> Iterator[Mapping[str, Value]]:
    """Yield what the port's frames are known by where they come in."""
    yield {"in_port": view.ofport, "vlan_vid": VLAN_PRESENT | view.vlan_id if view.vlan_id else 0}
    yield from guest_tags.fields(view)


def actions(view: PortView) -> bytes:
    """Return what is done to the port's frames where they come in."""
    known = set_field(NETWORK, view.network_number) + set_field(SOURCE, Source.PORT) + set_field(SENDER, view.number)
    return (pop_vlan() if view.vlan_id else b"") + copies(view.taps.sent) + known
