"""What the l2 role of a host must know of security groups: pure, from nouns to records."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from quantumd.model.nouns import SecurityGroup
from quantumd.model.security_records import AddressSetRecord, SecurityGroupRecord, piece_id


def group_record(group: SecurityGroup, position: int) -> SecurityGroupRecord:
    """Compile a group, as read at a position of the journal."""
    return SecurityGroupRecord(group.id, position, group.is_stateful, group.rules)


def set_record(set_id: str, piece: str, addresses: Iterable[str], position: int) -> AddressSetRecord:
    """Compile a piece of a set, as read at a position of the journal: prefixes in canonical form, in order of text."""
    prefixes = tuple(sorted({_prefix(address) for address in addresses}))
    return AddressSetRecord(piece_id(set_id, piece), position, prefixes)


def _prefix(address: str) -> str:
    if "/" in address:
        return str(ip_network(address, strict=False))
    # Most are addresses in canonical form: ipaddress would take a hundred times as long.
    return f"{address}/128" if ":" in address else f"{address}/32"
