"""What a port has sent and received."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen
class PortCounters:
    """Sums since the port was plugged, from the view of whoever is behind it: incoming is what it received."""

    incoming_bytes: int
    incoming_packets: int
    incoming_dropped: int
    outgoing_bytes: int
    outgoing_packets: int
    outgoing_dropped: int


def counters_of(statistics: Mapping[str, int]) -> PortCounters:
    """Return the counters of a switch's interface, which counts from its own view: what it receives, the port sent.

    Source: ovs-vswitchd.conf.db(5), table Interface, column statistics. What is not counted there is 0.
    """
    names = [f"{way}_{what}" for way in ("tx", "rx") for what in ("bytes", "packets", "dropped")]
    return PortCounters(*(statistics.get(name, 0) for name in names))
