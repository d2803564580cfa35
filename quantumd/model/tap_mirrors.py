"""Tap mirrors: copies of what a port sends and gets, encapsulated, to an address outside."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from quantumd.model.taps import BOTH, IN, OUT

ERSPAN, GRE = "erspanv1", "gre"
MIRROR_TYPES: Final = (ERSPAN, GRE)
LAST_ID: Final[Mapping[str, int]] = {ERSPAN: (1 << 10) - 1, GRE: (1 << 32) - 1}
"""What a session of ERSPAN (10 bits) and a key of GRE (32 bits) can be at most; 0 says that there is none."""

_EVERYBODY: Final = IPv4Address("255.255.255.255")


def ids_by_direction(directions: Mapping[str, int]) -> tuple[int, int]:
    """Return the ids under which copies travel of what the port gets, and of what it sends; 0 for no copies."""
    both = directions.get(BOTH, 0)
    return directions.get(IN, both), directions.get(OUT, both)


def why_no_remote(address: str) -> str | None:
    """Return why nobody gets copies at an address; None for one that a machine elsewhere may have."""
    remote = ip_address(address)
    if isinstance(remote, IPv6Address) and remote.ipv4_mapped is not None:
        return f"say {remote.ipv4_mapped} if that is meant"
    if remote.is_unspecified or remote.is_multicast or remote == _EVERYBODY:
        return "it is no single machine's"
    if remote.is_loopback or remote.is_link_local:
        return "it means another machine wherever it is used"
    return None
