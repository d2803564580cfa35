"""Quality of service: how fast a port may send and get, and how its packets are marked.

Meters drop what is too much. Open vSwitch makes all copies of a broadcast in one go, and what the meter of one
receiver drops no receiver after it would get. So a copy for a limited receiver is checked for its length before that:
what comes after this is done on a packet of its own. (``clone`` would be the name for it, but is left out of what the
datapath does where nothing seems to need it, and a meter further on does not seem to.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from quantumd.edge.openflow.actions import check_larger, instructions, set_field
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import ETH_IPV4, ETH_IPV6
from quantumd.l2.drivers.ovs.desired import NetworkView, PortView
from quantumd.l2.drivers.ovs.pipeline import NETWORK, OUT_PORT, Feature, Table, cookie, qos_meter
from quantumd.model.qos import EGRESS, INGRESS
from quantumd.model.qos_records import KBPS, KPPS, QosLimit

BURST_SECONDS: Final = 0.4
"""A burst that nobody named is what comes in so long at the limited rate: see docs/decisions/qos.md."""

_LEAST_BURST_KBITS: Final = 100
_LEAST_BURST_PACKETS: Final = 10
"""A few frames, of a burst that nobody named: with less a meter that was idle would drop the second of two."""

_FRAME_OVERHEAD_BYTES: Final = 18
"""Ethernet header and a tag."""

_MOST: Final = (1 << 32) - 1
"""What an OpenFlow meter can say."""

_LONGEST = 0xFFFF
_TABLES: Mapping[str, tuple[Table, Table, Table]] = {
    EGRESS: (Table.QOS_EGRESS, Table.QOS_EGRESS_PACKETS, Table.PORT_SECURITY),
    INGRESS: (Table.QOS_INGRESS, Table.QOS_INGRESS_PACKETS, Table.OUTPUT),
}


def bridge_flows() -> Iterator[Flow]:
    """Make a copy one of its own, before what guards its receiver."""
    apart = instructions(check_larger(_LONGEST, "reg15", 0), goto=Table.FIREWALL_INGRESS)
    yield Flow(Table.QOS_COPY, 0, b"", cookie(Feature.QOS, 0), apart)


def copies_to(view: NetworkView, ofport: int) -> Table:
    """Return the table to which copies for a port go."""
    return Table.QOS_COPY if ofport in view.limited else Table.FIREWALL_INGRESS


def port_flows(view: PortView) -> Iterator[Flow]:
    """Send what a port sends, and what is addressed to it, through its meters, and mark what it sends."""
    limits = _limits(view)
    mark = view.qos.dscp_mark if view.qos is not None else None
    for direction, fields in (
        (EGRESS, {"in_port": view.ofport}),
        (INGRESS, {OUT_PORT: view.ofport}),
    ):
        by_unit = {unit: qos_meter(direction, unit, view.ofport) for at, unit in limits if at == direction}
        packed = match(**fields, **{NETWORK: view.network_number})
        bits, packets, following = _TABLES[direction]
        dscp = mark if direction == EGRESS else None
        if by_unit or dscp is not None:
            yield _flow(view, bits, packed, meter=by_unit.get(KBPS), goto=packets)
            yield _flow(view, packets, packed, meter=by_unit.get(KPPS), goto=following)
        if by_unit and direction == INGRESS:
            # The copy of what a port itself sends to all ends at OUTPUT, and is nothing that it gets.
            own = match(in_port=view.ofport, **fields, **{NETWORK: view.network_number})
            yield _flow(view, bits, own, 200, goto=following)
        for kind in (ETH_IPV4, ETH_IPV6) if dscp is not None else ():
            of_kind = match(**fields, **{NETWORK: view.network_number}, eth_type=kind)
            marked = set_field("ip_dscp", dscp or 0)
            yield _flow(view, packets, of_kind, 200, marked, by_unit.get(KPPS), following)


def port_meters(view: PortView) -> Iterator[Meter]:
    """The meters of a port's limits. Those of packets count single ones, limits count thousands."""
    for (direction, unit), limit in _limits(view).items():
        is_kbps = unit == KBPS
        scale, least = (1, _LEAST_BURST_KBITS) if is_kbps else (1000, _LEAST_BURST_PACKETS)
        # A meter never lets a frame pass that is longer than its burst.
        frame = (view.network.mtu_bytes + _FRAME_OVERHEAD_BYTES) * 8 // 1000 + 1 if is_kbps else 1
        rate = limit.rate * scale
        burst = max(limit.burst * scale or max(int(rate * BURST_SECONDS), least), frame)
        yield Meter(qos_meter(direction, unit, view.ofport), min(rate, _MOST), min(burst, _MOST), is_kbps)


def _limits(view: PortView) -> dict[tuple[str, str], QosLimit]:
    """Return the limits of a port; a rate of 0 is none."""
    limits = view.qos.limits if view.qos is not None else ()
    return {(limit.direction, limit.unit): limit for limit in limits if limit.rate}


def _flow(
    view: PortView,
    table: Table,
    packed: bytes,
    priority: int = 100,
    actions: bytes = b"",
    meter: int | None = None,
    goto: int | None = None,
) -> Flow:
    mark = cookie(Feature.QOS, view.ofport)
    return Flow(table, priority, packed, mark, instructions(actions, goto=goto, meter=meter))
