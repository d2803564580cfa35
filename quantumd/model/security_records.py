"""Records of what packets may do: groups of rules, and the sets of addresses that rules are about."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

WHOLE = "all"
"""The piece of a set that is not made of ports."""

_PIECE_DIGITS = 2


@frozen
class AddressPair:
    """What a port may send from beside its own: ``cidr`` is a prefix in canonical form, an address has one as well."""

    mac_address: str
    cidr: str


@frozen
class SecurityRule:
    """What a group lets pass. Of ports: ``first`` to ``last``; of ICMP: type ``first`` and code ``last``.

    ``direction`` is ingress or egress, ``ethertype`` IPv4 or IPv6, ``protocol`` an IP protocol number or None for all.
    ``cidr`` or the addresses in ``remote_set`` are those on the other side; neither is everybody.
    """

    id: str
    direction: str
    ethertype: str
    protocol: int | None = None
    first: int | None = None
    last: int | None = None
    cidr: str | None = None
    remote_set: str | None = None


@frozen
class SecurityGroupRecord:
    """What the l2 role of a host must know of a security group that ports bound to it have.

    ``version`` is the position at which it was read, which no digest covers: see docs/decisions/record-versions.md.
    """

    kind: ClassVar[str] = "l2.security_group"
    id: str
    version: int
    is_stateful: bool
    rules: tuple[SecurityRule, ...]


@frozen
class AddressSetRecord:
    """A piece of the addresses of a security group's members, or of an address group, that rules on a host name.

    ``id`` is that of the group, a slash and the piece: the first digits of the ids of ports, or WHOLE. ``addresses``
    are prefixes in canonical form, of both families. ``version``: as of SecurityGroupRecord.
    """

    kind: ClassVar[str] = "l2.address_set"
    id: str
    version: int
    addresses: tuple[str, ...]


def piece_of(port_id: str) -> str:
    """Return the piece of a set that holds a port's addresses: a change of one port is a change of one piece."""
    return port_id[:_PIECE_DIGITS].lower()


def piece_id(set_id: str, piece: str) -> str:
    """Return the id of the record of a piece."""
    return f"{set_id}/{piece}"


def set_of(record_id: str) -> str:
    """Return the set that a piece belongs to."""
    return record_id.partition("/")[0]
