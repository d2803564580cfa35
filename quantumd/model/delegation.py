"""Prefixes of subnets that are delegated from outside."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import Final

from attrs import frozen

PREFIX_DELEGATION: Final = "prefix_delegation"
"""Stands for a prefix that a router is given from outside, in ``subnetpool_id``."""

PROVISIONAL: Final = "::/64"
"""The prefix of a subnet that has none yet. Source: Neutron 29."""

LENGTH: Final = 64
"""That of the prefixes of such subnets: ports compute their addresses."""

_USABLE: Final = (IPv6Network("2000::/3"), IPv6Network("fc00::/7"))
"""Global and unique local addresses; nothing else is for hosts of more than one link (RFC 4291, RFC 4193)."""


def delegated_subnet(delegated: str) -> str | None:
    """Return the prefix that a subnet has of a delegated one, the first of its length; None when it can have none."""
    network = IPv6Network(delegated)
    if network.prefixlen > LENGTH or not any(network.subnet_of(each) for each in _USABLE):
        return None
    return f"{network.network_address}/{LENGTH}"


def is_provisional(address: str) -> bool:
    """Whether an address, or a prefix, is of a subnet that has none yet. Nobody has it: hosts are not told of it.

    All of that prefix are written with two colons first, and so are others that are reserved.
    """
    return address.startswith("::")


@frozen
class Delegation:
    """A subnet of a router whose prefix is to be delegated, and the prefix that it has: '' while it has none."""

    subnet_id: str
    prefix: str = ""


@frozen
class DelegatedPrefix:
    """What a host observed of a subnet whose prefix is delegated; '' when it had one and has none any more."""

    subnet_id: str
    prefix: str
