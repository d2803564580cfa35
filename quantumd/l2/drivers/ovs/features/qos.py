"""Quality of service: how fast a port may send and get, and how its packets are marked.

Meters drop what is too much. Open vSwitch makes all copies of a broadcast in one go, and what the meter of one
receiver drops no receiver after it would get. So a copy for a limited receiver is checked for its length before that:
what comes after this is done on a packet of its own. (``clone`` would be the name for it, but is left out of what the
datapath does where nothing seems to need it, and a meter further on does not seem to.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from quantumd.edge.openflow.actions import check_larger, instructions, set_field
from quantumd.edge.openflow.interfaces import Flow, Meter
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import ETH_IPV4, ETH_IPV6
from quantumd.l2.drivers.ovs.desired import NetworkView, PortView
from quantumd.l2.drivers.ovs.pipeline import NETWORK, OUT_PORT, Feature, Table, cookie, qos_meter
from quantumd.model.qos import EGRESS, INGRESS
from quantumd.model.qos_records import KBPS, UNITS, QosLimit

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


def bridge_flows() -> Iterator[Flow]:
    """Make a copy one of its own, before what guards its receiver."""
    apart = instructions(check_larger(_LONGEST, "reg15", 0), goto=Table.FIREWALL_INGRESS)
    yield Flow(Table.QOS_COPY, 0, b"", cookie(Feature.QOS, 0), apart)


def copies_to(view: NetworkView, ofport: int) -> Table:
    """Return the table to which copies for a port go."""
    return Table.QOS_COPY if ofport in view.limited else Table.FIREWALL_INGRESS


def port_flows(view: PortView) -> Iterator[Flow]:
    """Send what a port sends, and what is for it, through its meters, and mark what it sends."""
    yield from _egress_flows(view)
    yield from _ingress_flows(view)


def _egress_flows(view: PortView) -> Iterator[Flow]:
    bits, packets = _meters_of(view, EGRESS)
    mark = view.qos.dscp_mark if view.qos is not None else None
    if bits is None and packets is None and mark is None:
        return
    own = {"in_port": view.ofport, NETWORK: view.network_number}
    table, following = Table.QOS_EGRESS_PACKETS, Table.PORT_SECURITY
    yield _flow(view, Table.QOS_EGRESS, 100, match(**own), goto=table, meter=bits)
    yield _flow(view, table, 100, match(**own), goto=following, meter=packets)
    if mark is not None:
        for kind in (ETH_IPV4, ETH_IPV6):
            marked = set_field("ip_dscp", mark)
            yield _flow(view, table, 200, match(**own, eth_type=kind), marked, goto=following, meter=packets)


def _ingress_flows(view: PortView) -> Iterator[Flow]:
    bits, packets = _meters_of(view, INGRESS)
    if bits is None and packets is None:
        return
    own = {OUT_PORT: view.ofport, NETWORK: view.network_number}
    # Its copy of what it sends to all itself ends at OUTPUT, and is nothing that it gets.
    yield _flow(view, Table.QOS_INGRESS, 200, match(**own, in_port=view.ofport), goto=Table.OUTPUT)
    yield _flow(view, Table.QOS_INGRESS, 100, match(**own), goto=Table.QOS_INGRESS_PACKETS, meter=bits)
    yield _flow(view, Table.QOS_INGRESS_PACKETS, 100, match(**own), goto=Table.OUTPUT, meter=packets)


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


def _meters_of(view: PortView, direction: str) -> tuple[int | None, int | None]:
    """Return the numbers of the meters of bits and of packets in a direction; None where there is no limit."""
    limits = _limits(view)
    bits, packets = (qos_meter(direction, each, view.ofport) if (direction, each) in limits else None for each in UNITS)
    return bits, packets


def _flow(
    view: PortView,
    table: Table,
    priority: int,
    packed: bytes,
    actions: bytes = b"",
    *,
    goto: Table,
    meter: int | None = None,
) -> Flow:
    done = instructions(actions, goto=goto, meter=meter)
    return Flow(table, priority, packed, cookie(Feature.QOS, view.ofport), done)
