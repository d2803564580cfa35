"""Prefixes of which none holds another: what sets of intervals can hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

_Network: TypeAlias = IPv4Network | IPv6Network


def uncovered(networks: Iterable[_Network]) -> tuple[_Network, ...]:
    """Return the prefixes that are in no other one, each once; together they hold what all of them did."""
    found: list[_Network] = []
    for network in sorted(set(networks), key=lambda each: (each.version, int(each.network_address), each.prefixlen)):
        # A prefix comes before all that is in it.
        last = found[-1] if found else None
        is_inside = last is not None and last.version == network.version and network.subnet_of(last)  # type: ignore[arg-type] # both are of one version
        if not is_inside:
            found.append(network)
    return tuple(found)
