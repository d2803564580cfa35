"""Logging: a copy of what is judged at a port comes to the process, over one meter of the host. Verdicts stay.

Flows of the same tables decide as ever. What a log is about is seen before them: a copy is made, and what was accepted
goes through the table again, marked, to do there what it would have done.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from quantumd.edge.openflow.actions import controller, instructions, load, resubmit
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import Value, match
from quantumd.edge.openflow.oxm import CT_STATE_BITS
from quantumd.l2.drivers.ovs.desired import PortView, PuntSettings
from quantumd.l2.drivers.ovs.pipeline import LOG_METER, LOGGED, OUT_PORT, SENDER, Feature, Table, cookie
from quantumd.model.logging_records import ACCEPT, DROP
from quantumd.model.security import DIRECTIONS

_PURPOSE = 2
_USERDATA_BYTES = 18
_EVENTS = (ACCEPT, DROP)
_TRACKED, _INVALID = CT_STATE_BITS["trk"], CT_STATE_BITS["trk"] | CT_STATE_BITS["inv"]
_NEW = CT_STATE_BITS["trk"] | CT_STATE_BITS["new"]
_MULTICAST = 0x01_00_00_00_00_00
_FIRST: tuple[dict[str, Value], ...] = (
    {"ct_state": (_NEW, _NEW), "ct_mark": 0},
    {"eth_dst": (_MULTICAST, _MULTICAST)},
)
"""What is accepted by itself: the first packet of a connection, and what is to everybody, which is not tracked."""

_SEEN_FIRST, _ABOVE_DROPS, _LAST_WORD = 110, 55, 10


@frozen
class Judged:
    """What a copy is of: a packet that was judged at a port, on its way out of it (egress) or to it (ingress)."""

    port_id: str
    direction: str
    event: str

    def pack(self) -> bytes:
        """Return it as a flow's userdata. ValueError when the port's id is no UUID."""
        code = DIRECTIONS.index(self.direction) << 1 | _EVENTS.index(self.event)
        packed = bytes((_PURPOSE, code)) + bytes.fromhex(self.port_id.replace("-", ""))
        if len(packed) != _USERDATA_BYTES:
            raise ValueError(f"{self.port_id!r} is no UUID")
        return packed


def unpack_judged(userdata: bytes) -> Judged | None:
    """Return what a copy is of, None when this is no userdata of ours."""
    if len(userdata) != _USERDATA_BYTES or userdata[0] != _PURPOSE or userdata[1] > 3:
        return None
    digits = userdata[2:].hex()
    port_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return Judged(port_id, DIRECTIONS[userdata[1] >> 1], _EVENTS[userdata[1] & 1])


@frozen
class _Way:
    """The tables of a direction, the field that says which port is judged, and the bit that marks what was seen."""

    direction: str
    state: Table
    rules: Table
    commit: Table
    field: str
    bit: int


_WAYS = (
    _Way("egress", Table.EGRESS_STATE, Table.EGRESS_RULES, Table.EGRESS_COMMIT, SENDER, 0),
    _Way("ingress", Table.INGRESS_STATE, Table.INGRESS_RULES, Table.INGRESS_COMMIT, OUT_PORT, 1),
)


def bridge_meters(punt: PuntSettings) -> Iterator[Meter]:
    """The meter of all copies of the host."""
    yield Meter(LOG_METER, punt.rate_pps, punt.burst_packets)


def port_flows(view: PortView, punt: PuntSettings) -> Iterator[Flow]:
    """Copy what the port's logs ask for; nothing is judged at a port without port security."""
    if not view.port.port_security:
        return
    mark = cookie(Feature.LOGGING, view.number)
    for way in _WAYS:
        own: dict[str, Value] = {way.field: view.number}
        copies = {event: _copy(Judged(view.port.id, way.direction, event), punt) for event in view.logged}
        if ACCEPT in copies:
            seen = load(LOGGED, 1, way.bit, 1) + resubmit(way.commit)
            unseen: dict[str, Value] = {**own, LOGGED: (0, 1 << way.bit)}
            for first in _FIRST if view.is_stateful else ({},):
                yield Flow(way.commit, _SEEN_FIRST, match(**unseen, **first), mark, instructions(copies[ACCEPT] + seen))
        if DROP in copies:
            dropped = instructions(copies[DROP])
            yield Flow(way.rules, _LAST_WORD, match(**own), mark, dropped)
            yield Flow(way.state, _ABOVE_DROPS, match(**own, ct_state=(_INVALID, _INVALID)), mark, dropped)
            if way.direction == "ingress":
                # What is not of IP: a guarded port sends none, it may come from others.
                yield Flow(way.state, _ABOVE_DROPS, match(**own, ct_state=(0, _TRACKED)), mark, dropped)


def _copy(judged: Judged, punt: PuntSettings) -> bytes:
    return controller(judged.pack(), punt.controller_id, meter=LOG_METER)
