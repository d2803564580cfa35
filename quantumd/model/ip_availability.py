"""How many addresses a subnet has, and how many of them are taken."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from attrs import frozen

from quantumd.model.addresses import Pool


@frozen
class Availability:
    """Numbers of addresses, of one subnet or of several.

    ``total`` are those of the pools, or all of the prefix when there are no pools. ``in_prefix`` are those that a port
    could be given by name; ``used_in_pools`` are those of the ``used`` that a pool holds.
    """

    total: int = 0
    used: int = 0
    in_prefix: int = 0
    in_pools: int = 0
    used_in_pools: int = 0

    def __add__(self, other: Availability) -> Availability:
        return Availability(
            self.total + other.total,
            self.used + other.used,
            self.in_prefix + other.in_prefix,
            self.in_pools + other.in_pools,
            self.used_in_pools + other.used_in_pools,
        )


def availability(cidr: str, pools: Iterable[Pool], used: int, used_in_pools: int) -> Availability:
    """Return the numbers of a subnet. The network and the broadcast address of IPv4 are no port's."""
    prefix = ip_network(cidr)
    in_pools = sum(pool.size for pool in pools)
    reserved = 2 if prefix.version == 4 else 0
    in_prefix = max(prefix.num_addresses - reserved, 0)
    return Availability(in_pools or prefix.num_addresses, used, in_prefix, in_pools, used_in_pools)
