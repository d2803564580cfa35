"""Quality of service: how fast a port may send and get, and how its packets are marked.

Meters drop what is too much. Copies of broadcast and multicast are not limited on their way to a port: Open vSwitch
makes all copies of a packet in one go, and what the meter of one receiver drops no receiver after it would get.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from quantumd.edge.openflow.actions import instructions, set_field
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import ETH_IPV4, ETH_IPV6
from quantumd.l2.drivers.ovs.desired import PortView
from quantumd.l2.drivers.ovs.pipeline import NETWORK, OUT_PORT, Feature, Table, cookie, qos_meter
from quantumd.model.qos import EGRESS, INGRESS
from quantumd.model.qos_records import KBPS, KPPS, QosLimit

BURST_SECONDS: Final = 0.4
"""A burst that nobody named is what comes in so long at the limited rate: see docs/decisions/qos.md."""

_LEAST_BURST_KBITS: Final = 100
"""A few frames: with less a meter that was idle would drop the first of two."""

_MOST: Final = (1 << 32) - 1
"""What an OpenFlow meter can say."""

_MULTICAST = 0x01_00_00_00_00_00
_TABLES: Mapping[str, tuple[Table, Table, Table]] = {
    EGRESS: (Table.QOS_EGRESS, Table.QOS_EGRESS_PACKETS, Table.PORT_SECURITY),
    INGRESS: (Table.QOS_INGRESS, Table.QOS_INGRESS_PACKETS, Table.OUTPUT),
}


def port_flows(view: PortView) -> Iterator[Flow]:
    """Send what a port sends, and what is addressed to it, through its meters, and mark what it sends."""
    limits = _limits(view)
    mark = view.qos.dscp_mark if view.qos is not None else None
    for direction, fields in (
        (EGRESS, {"in_port": view.ofport}),
        (INGRESS, {OUT_PORT: view.ofport, "eth_dst": (0, _MULTICAST)}),
    ):
        by_unit = {unit: qos_meter(direction, unit, view.ofport) for at, unit in limits if at == direction}
        packed = match(**fields, **{NETWORK: view.network_number})
        bits, packets, following = _TABLES[direction]
        dscp = mark if direction == EGRESS else None
        if by_unit or dscp is not None:
            yield _flow(view, bits, packed, meter=by_unit.get(KBPS), goto=packets)
            yield _flow(view, packets, packed, meter=by_unit.get(KPPS), goto=following)
        for kind in (ETH_IPV4, ETH_IPV6) if dscp is not None else ():
            of_kind = match(**fields, **{NETWORK: view.network_number}, eth_type=kind)
            marked = set_field("ip_dscp", dscp or 0)
            yield _flow(view, packets, of_kind, 200, marked, by_unit.get(KPPS), following)


def port_meters(view: PortView) -> Iterator[Meter]:
    """The meters of a port's limits."""
    for (direction, unit), limit in _limits(view).items():
        number = qos_meter(direction, unit, view.ofport)
        if unit == KBPS:
            yield Meter(number, min(limit.rate, _MOST), min(_burst(limit, _LEAST_BURST_KBITS), _MOST), is_kbps=True)
        else:
            yield Meter(number, min(limit.rate * 1000, _MOST), min(_burst(limit, 1) * 1000, _MOST))


def _limits(view: PortView) -> dict[tuple[str, str], QosLimit]:
    """Return the limits of a port; a rate of 0 is none."""
    limits = view.qos.limits if view.qos is not None else ()
    return {(limit.direction, limit.unit): limit for limit in limits if limit.rate}


def _burst(limit: QosLimit, least: int) -> int:
    return limit.burst or max(int(limit.rate * BURST_SECONDS), least)


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
