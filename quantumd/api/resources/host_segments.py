"""Which segments of a routed network a host is on."""

from __future__ import annotations

from quantumd.api.resources.facts import NetworkFacts


def segments_of_host(network: NetworkFacts, host: str) -> frozenset[str]:
    """Return the ids of the network's segments that the host is on.

    Hosts do not tell which physical networks they have, so a host is taken to be on every segment.
    """
    return frozenset(subnet.segment_id for subnet in network.subnets if subnet.segment_id is not None)
