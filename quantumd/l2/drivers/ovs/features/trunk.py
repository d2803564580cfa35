"""Trunks: a tag is put on what leaves to a sub-port, and what is between two ports of a trunk goes back where it came.

Everything else of a sub-port is as of any other port: CLASSIFY takes its tag off, and its number tells it apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from quantumd.edge.openflow.actions import IN_PORT, instructions, move, output, output_reg, push_vlan
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import Value, match
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.pipeline import (
    BACK,
    OFPORT_BITS,
    OUT_PORT,
    SENDER,
    TAG_BITS,
    TAGGED,
    Feature,
    Table,
    cookie,
)

_IS_TAGGED: Value = (TAGGED, TAGGED)


def bridge_flows() -> Iterator[Flow]:
    """Tag what is for a sub-port, by its number; answer the sender by where it asked, tagged if it did."""
    mark = cookie(Feature.TRUNK, 0)
    to_sub_port = instructions(tag(OUT_PORT) + output_reg(OUT_PORT, *OFPORT_BITS))
    yield Flow(Table.OUTPUT, 50, match(**{OUT_PORT: _IS_TAGGED}), mark, to_sub_port)
    yield Flow(Table.OUTPUT, 90, match(**{OUT_PORT: BACK}), mark, instructions(output(IN_PORT)))
    tagged_asker: dict[str, Value] = {OUT_PORT: BACK, SENDER: _IS_TAGGED}
    to_asker = instructions(tag(SENDER) + output(IN_PORT))
    yield Flow(Table.OUTPUT, 100, match(**tagged_asker), mark, to_asker)


def port_flows(view: PortView) -> Iterator[Flow]:
    """Of ports of a trunk: let them hear each other, but not themselves, where the switch sends nothing by itself."""
    if not (view.vlan_id or view.has_sub_ports):
        return
    mark, here = cookie(Feature.TRUNK, view.number), {"in_port": view.ofport, OUT_PORT: view.number}
    own_tag = tag(OUT_PORT) if view.vlan_id else b""
    yield Flow(Table.OUTPUT, 80, match(**here, **view.sends), mark, b"")
    yield Flow(Table.OUTPUT, 70, match(**here), mark, instructions(own_tag + output(IN_PORT)))


def tag(register: str) -> bytes:
    """Return the actions that put the tag on which the number in a register has."""
    first, bits = TAG_BITS
    return push_vlan() + move(register, "vlan_vid", source_bit=first, bits=bits)
