"""Tags of guests: on a transparent network a frame keeps the tag that a VM gave it, from port to port and host to host.

What guards ports looks into the frame as if there were no tag. Nobody but ports answers what is tagged: who has which
address inside a tag is the guests' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import Value, match
from quantumd.edge.openflow.oxm import VLAN_PRESENT
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.pipeline import OUT_PORT, TAGGED, Feature, Table, cookie, go_to
from quantumd.model.network import PASSES_TAGS
from quantumd.model.records import NetworkRecord

ANY_TAG: Final[Value] = (VLAN_PRESENT, VLAN_PRESENT)
_RESERVED: Final = VLAN_PRESENT | 0xFFF
"""Nobody's tag (IEEE 802.1Q), and that of copies in tunnels."""


def passes_tags(network: NetworkRecord) -> bool:
    """Whether frames of a network keep their tags; a physical network would take them for its own networks' tags."""
    return network.vlan_transparent and network.network_type in PASSES_TAGS


def has_own_tags(view: PortView) -> bool:
    """Whether what a port sends with a tag is its own; in a trunk all tags are those of its sub-ports."""
    return passes_tags(view.network) and not (view.vlan_id or view.has_sub_ports)


def fields(view: PortView) -> Iterator[Mapping[str, Value]]:
    """Yield what the port's tagged frames are known by where they come in, if it may send any."""
    if has_own_tags(view):
        yield {"in_port": view.ofport, "vlan_vid": ANY_TAG}


def port_flows(view: PortView) -> Iterator[Flow]:
    """Drop what has a tag that nobody may have, and what has any tag and is for the parent of a trunk.

    The VM would take that for what its sub-ports get.
    """
    mark = cookie(Feature.GUEST_TAGS, view.number)
    if has_own_tags(view):
        reserved = match(in_port=view.ofport, vlan_vid=_RESERVED)
        yield Flow(Table.CLASSIFY, 150, reserved, mark, b"")
    elif passes_tags(view.network) and view.has_sub_ports:
        to_parent = match(vlan_vid=ANY_TAG, **{OUT_PORT: view.number})
        yield Flow(Table.OUTPUT, 150, to_parent, mark, b"")


def bridge_flows() -> Iterator[Flow]:
    """Let tagged frames past all that answers for others; none is for a sub-port, whose tag says where it belongs."""
    mark, tagged = cookie(Feature.GUEST_TAGS, 0), match(vlan_vid=ANY_TAG)
    yield Flow(Table.TUNNEL, 200, match(vlan_vid=_RESERVED), mark, b"")
    yield Flow(Table.PUNT, 200, tagged, mark, go_to(Table.FIREWALL_EGRESS))
    yield Flow(Table.RESPOND, 200, tagged, mark, go_to(Table.FORWARD))
    to_sub_port: dict[str, Value] = {OUT_PORT: (TAGGED, TAGGED)}
    yield Flow(Table.OUTPUT, 150, match(vlan_vid=ANY_TAG, **to_sub_port), mark, b"")
