"""Records of names: what a host must know to answer for the DNS server of a network that has ports on it."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen


@frozen
class DnsZoneRecord:
    """A network's domain ('' for none of its own; no final dot) and the prefixes of its subnets; ``id`` is its own.

    ``version`` is the position at which it was read, as that of a name: see docs/decisions/record-versions.md.
    """

    kind: ClassVar[str] = "l2.dns_zone"
    id: str
    version: int
    domain: str
    cidrs: tuple[str, ...]


@frozen
class DnsNameRecord:
    """What a port of a network is called, wherever it is bound; ``id`` is the port's.

    ``name`` is its ``dns_name``, a full one with a final dot, or '' for one that follows from each address.
    ``domain`` is its own ``dns_domain``, '' for none (no final dot). ``is_own``: whether the port's project is the
    network's; others are called nothing outside the network's domains, as everybody on the network would believe it.
    """

    kind: ClassVar[str] = "l2.dns_name"
    id: str
    version: int
    network_id: str
    name: str
    domain: str
    addresses: tuple[str, ...]
    is_own: bool = True
