"""Which segments of a routed network a host is on."""

from __future__ import annotations

from quantumd.api.extensions.segments.hosts import segment_ids_of_network_on
from quantumd.api.resources.facts import NetworkFacts
from quantumd.api.resources.port_errors import HostConnectedToMultipleSegments
from quantumd.store.transaction import Transaction


def segments_of_host(tx: Transaction, network: NetworkFacts, host: str) -> frozenset[str]:
    """Return the ids of the network's segments that have subnets and reach the host: one, or none.

    :raises HostConnectedToMultipleSegments: there are several, and nobody could say which one a port is on.
    """
    with_subnets = {subnet.segment_id for subnet in network.subnets}
    found = segment_ids_of_network_on(tx.connection, network.id, host) & with_subnets
    if len(found) > 1:
        raise HostConnectedToMultipleSegments(host, network.id)
    return found
