"""Allowed address pairs: which prefixes may stand in one."""

from __future__ import annotations

from ipaddress import ip_network

_GROUPS = {4: ip_network("224.0.0.0/4"), 6: ip_network("ff00::/8")}
_ALL_IPV4 = "0.0.0.0/0"


def groups_met(prefix: str) -> str | None:
    """Return the range of multicast addresses that the prefix shares an address with; None when it shares none.

    All of IPv4 may be allowed, groups or not. Source: aap-reject-multicast.
    """
    network = ip_network(prefix)
    groups = _GROUPS[network.version]
    return str(groups) if str(network) != _ALL_IPV4 and groups.overlaps(network) else None
