"""Taps: copies of what a port sends, as it sends it, and of what it gets, as it gets it.

A copy goes straight to the port that listens, past its security groups. It is made beside the frame's own way, which it
does not change. To another host it travels in a tunnel, with a tag that no frame of a network has there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quantumd.edge.openflow.actions import IN_PORT, clone, instructions, load, output, pop_vlan, push_vlan, set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import VLAN_PRESENT
from quantumd.l2.drivers.ovs.desired import Copies, PortView
from quantumd.l2.drivers.ovs.features.trunk import tag
from quantumd.l2.drivers.ovs.features.tunnel import end
from quantumd.l2.drivers.ovs.pipeline import BACK, OUT_PORT, SENDER, Feature, Table, cookie

_IS_COPY = VLAN_PRESENT | 0xFFF
"""The tag of copies in tunnels: frames of networks have none there."""


def copies(targets: Iterable[Copies]) -> bytes:
    """Return the actions that give each of them a copy of the frame; one may be where it came in."""
    return b"".join(clone(load("in_port", 0) + (_away(each) if each.tunnel_ip else _here(each))) for each in targets)


def _here(target: Copies) -> bytes:
    is_tagged = target.number != target.ofport
    return (set_field(OUT_PORT, target.number) + tag(OUT_PORT) if is_tagged else b"") + output(target.ofport)


def _away(target: Copies) -> bytes:
    where = b"".join(set_field(name, value) for name, value in end("dst", target.tunnel_ip).items())
    mark = push_vlan() + set_field("vlan_vid", _IS_COPY)
    return mark + set_field("tun_id", target.number) + where + output(target.ofport)


def port_flows(view: PortView) -> Iterator[Flow]:
    """Copy what leaves to the port, and take in copies for it that come out of tunnels."""
    mark = cookie(Feature.MIRROR, view.number)
    to_port = (tag(OUT_PORT) if view.vlan_id else b"") + output(view.ofport)
    if view.taps.got:
        yield from _got_flows(view, mark, to_port)
    for each in view.taps.arriving:
        is_it = match(in_port=each.ofport, vlan_vid=_IS_COPY, tun_id=each.number, **end("src", each.tunnel_ip))
        known = set_field(OUT_PORT, view.number)
        yield Flow(Table.CLASSIFY, 110, is_it, mark, instructions(pop_vlan() + known + to_port))


def _got_flows(view: PortView, mark: int, to_port: bytes) -> Iterator[Flow]:
    copied, own = copies(view.taps.got), {OUT_PORT: view.number}
    # It does not get what it says to all.
    yield Flow(Table.OUTPUT, 85, match(**own, **view.sends), mark, b"")
    yield Flow(Table.OUTPUT, 60, match(**own), mark, instructions(copied + to_port))
    back = (tag(SENDER) if view.vlan_id else b"") + output(IN_PORT)
    answered = match(**{OUT_PORT: BACK}, **view.sends)
    yield Flow(Table.OUTPUT, 110, answered, mark, instructions(copied + back))
    if view.vlan_id or view.has_sub_ports:
        in_trunk = match(in_port=view.ofport, **own)
        between = (tag(OUT_PORT) if view.vlan_id else b"") + output(IN_PORT)
        yield Flow(Table.OUTPUT, 75, in_trunk, mark, instructions(copied + between))
