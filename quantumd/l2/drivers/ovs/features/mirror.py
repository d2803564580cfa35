"""Taps and mirrors: copies of what a port sends, as it sends it, and of what it gets, as it gets it.

A copy goes straight to the port that listens, past its security groups. It is made beside the frame's own way, which it
does not change. To another host it travels in a tunnel, with a tag that no frame of a network has there. Copies of a
mirror leave encapsulated, as they are, to an address outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv6Address, ip_address

from quantumd.edge.openflow.actions import IN_PORT, clone, instructions, load, output, pop_vlan, push_vlan, set_field
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import Value, match
from quantumd.edge.openflow.oxm import VLAN_PRESENT
from quantumd.l2.drivers.ovs.desired import Copies, Mirrored, PortView
from quantumd.l2.drivers.ovs.features.trunk import tag
from quantumd.l2.drivers.ovs.features.tunnel import end
from quantumd.l2.drivers.ovs.pipeline import BACK, OUT_PORT, SENDER, Feature, Table, cookie

_IS_COPY = VLAN_PRESENT | 0xFFF
"""The tag of copies in tunnels: frames of networks have none there."""


def copies(targets: Iterable[Copies | Mirrored]) -> bytes:
    """Return the actions that give each of them a copy of the frame; one may be where it came in."""
    return b"".join(clone(load("in_port", 0) + _to(each)) for each in targets)


def _to(target: Copies | Mirrored) -> bytes:
    if isinstance(target, Mirrored):
        return _outside(target)
    return _away(target) if target.tunnel_ip else _here(target)


def _here(target: Copies) -> bytes:
    is_tagged = target.number != target.ofport
    return (set_field(OUT_PORT, target.number) + tag(OUT_PORT) if is_tagged else b"") + output(target.ofport)


def _away(target: Copies) -> bytes:
    mark = push_vlan() + set_field("vlan_vid", _IS_COPY)
    return mark + set_field("tun_id", target.number) + _there(target.tunnel_ip) + output(target.ofport)


def _outside(target: Mirrored) -> bytes:
    # A frame that came in a tunnel over IPv4 knows where that ended, and this would count.
    none = set_field("tun_dst", 0) if isinstance(ip_address(target.remote_ip), IPv6Address) else b""
    return none + set_field("tun_id", target.tunnel_id) + _there(target.remote_ip) + output(target.ofport)


def _there(address: str) -> bytes:
    return b"".join(set_field(name, value) for name, value in end("dst", address).items())


def port_flows(view: PortView) -> Iterator[Flow]:
    """Copy what leaves to the port, and take in copies for it that come out of tunnels."""
    mark = cookie(Feature.MIRROR, view.number)
    if view.taps.got:
        yield from _got_flows(view, mark)
    for each in view.taps.arriving:
        is_it = match(in_port=each.ofport, vlan_vid=_IS_COPY, tun_id=each.number, **end("src", each.tunnel_ip))
        known = set_field(OUT_PORT, view.number)
        yield Flow(Table.CLASSIFY, 110, is_it, mark, instructions(pop_vlan() + known + _to_port(view)))


def _to_port(view: PortView) -> bytes:
    return (tag(OUT_PORT) if view.vlan_id else b"") + output(view.ofport)


def ways_to_port(view: PortView) -> Iterator[tuple[int, Mapping[str, Value], bytes]]:
    """Yield how frames of others leave to a port: the priority, what is matched, and the actions without copies."""
    own: Mapping[str, Value] = {OUT_PORT: view.number}
    yield 60, own, _to_port(view)
    if view.vlan_id or view.has_sub_ports:
        yield 75, {"in_port": view.ofport, **own}, (tag(OUT_PORT) if view.vlan_id else b"") + output(IN_PORT)


def _got_flows(view: PortView, mark: int) -> Iterator[Flow]:
    copied, own = copies(view.taps.got), {OUT_PORT: view.number}
    # It does not get what it says to all.
    yield Flow(Table.OUTPUT, 85, match(**own, **view.sends), mark, b"")
    for priority, fields, way in ways_to_port(view):
        yield Flow(Table.OUTPUT, priority, match(**fields), mark, instructions(copied + way))
    back = (tag(SENDER) if view.vlan_id else b"") + output(IN_PORT)
    answered = match(**{OUT_PORT: BACK}, **view.sends)
    yield Flow(Table.OUTPUT, 110, answered, mark, instructions(copied + back))
