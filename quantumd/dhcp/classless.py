"""Classless routes of DHCPv4. Source: RFC 3442."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.dhcp.addresses import split_prefix


def encode_routes(routes: Iterable[tuple[str, bytes]]) -> bytes:
    """Return prefixes and next hops (4 bytes) as option 121 carries them."""
    parts: list[bytes] = []
    for destination, hop in routes:
        network, length = split_prefix(destination)
        parts.append(bytes((length,)) + network[: (length + 7) // 8] + hop)
    return b"".join(parts)
