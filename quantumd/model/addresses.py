"""Addresses of subnets: automatic gateways and pools, and what is valid.

Addresses are handled as numbers; text is made at the border. Nothing here reads rows: what is taken is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise

from attrs import frozen

Prefix = IPv4Network | IPv6Network


@frozen
class Pool:
    """The addresses from ``first`` to ``last`` (numbers, both included) of IP ``version`` 4 or 6."""

    version: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many addresses the pool has."""
        return self.last - self.first + 1

    @property
    def start_text(self) -> str:
        """The first address in canonical text form."""
        return address_text(self.version, self.first)

    @property
    def end_text(self) -> str:
        """The last address in canonical text form."""
        return address_text(self.version, self.last)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number <= self.last

    def __str__(self) -> str:
        return f"{self.start_text}-{self.end_text}"


def address_text(version: int, number: int) -> str:
    """Return the canonical text of an address (RFC 5952 for IPv6)."""
    if version == 6:
        return str(IPv6Address(number))
    # Every port's addresses are written out, some twice, and an IPv4Address takes three times as long.
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def ip_key(version: int, number: int) -> str:
    """Return an address as fixed-width lower-case hex, 8 or 32 digits: text order is address order."""
    return f"{number:08x}" if version == 4 else f"{number:032x}"


def ip_key_of(text: str) -> str:
    """Return the ip_key of an address given as text."""
    address = ip_address(text)
    return ip_key(address.version, int(address))


@lru_cache(maxsize=4096)
def prefix_of(cidr: str) -> Prefix:
    """Return the network of a cidr as stored (no host bits)."""
    return ip_network(cidr)


def automatic_gateway(cidr: str) -> str | None:
    """Return the gateway of a subnet whose creator names none.

    That is the first host of IPv4 and the subnet-router anycast address of IPv6; None at the very
    end of the address space, where there is no next address.
    Source: Neutron 29, reference exchanges 33 and 34; RFC 4291 2.6.1.
    """
    prefix = prefix_of(cidr)
    number = int(prefix.network_address) + (1 if prefix.version == 4 else 0)
    return address_text(prefix.version, number) if number < 2**prefix.max_prefixlen else None


def usable_range(cidr: str) -> Pool:
    """Return the addresses that pools may hold: not the IPv4 network and broadcast, not the IPv6 subnet-router anycast.

    IPv4 /31 (RFC 3021) and single-address prefixes are usable whole.
    """
    prefix = prefix_of(cidr)
    first, last = int(prefix.network_address), int(prefix.broadcast_address)
    if first == last:
        return Pool(prefix.version, first, last)
    if prefix.version == 6:
        return Pool(6, first + 1, last)
    return Pool(4, first, last) if prefix.prefixlen == 31 else Pool(4, first + 1, last - 1)


def automatic_pools(cidr: str, gateway_ip: str | None) -> tuple[Pool, ...]:
    """Return the pools of a subnet whose creator names none: all that is usable, without the gateway.

    A single-address subnet keeps its address even when that is the gateway. Source: Neutron 29.
    """
    usable = usable_range(cidr)
    if gateway_ip is None or prefix_of(cidr).num_addresses == 1:
        return (usable,)
    gateway = ip_address(gateway_ip)
    if gateway.version != usable.version or int(gateway) not in usable:
        return (usable,)
    below = Pool(usable.version, usable.first, int(gateway) - 1)
    above = Pool(usable.version, int(gateway) + 1, usable.last)
    return tuple(pool for pool in (below, above) if pool.size > 0)


def pool_out_of_bounds(cidr: str, pools: Sequence[Pool]) -> Pool | None:
    """Return the first pool that holds more than the subnet's usable addresses."""
    usable = usable_range(cidr)
    return next((pool for pool in pools if pool.first < usable.first or pool.last > usable.last), None)


def overlapping_pools(pools: Sequence[Pool]) -> tuple[Pool, Pool] | None:
    """Return the first two pools that share an address."""
    ordered = sorted(pools, key=lambda pool: pool.first)
    for left, right in pairwise(ordered):
        if right.first <= left.last:
            return left, right
    return None


def pool_with(pools: Sequence[Pool], address: str) -> Pool | None:
    """Return the pool that holds the address."""
    parsed = ip_address(address)
    return next((pool for pool in pools if pool.version == parsed.version and int(parsed) in pool), None)


def is_gateway_valid(cidr: str, gateway_ip: str) -> bool:
    """Whether an address may be the gateway: not the IPv4 network or broadcast. Outside the subnet it may be.

    Prefixes of /31 and longer have neither network nor broadcast address.
    """
    prefix, gateway = prefix_of(cidr), ip_address(gateway_ip)
    if prefix.version != 4 or prefix.prefixlen > 30:
        return True
    return gateway not in (prefix.network_address, prefix.broadcast_address)


def is_port_address(cidr: str, address: str) -> bool:
    """Whether a port may be given the address by name, in a pool or not."""
    prefix, parsed = prefix_of(cidr), ip_address(address)
    if parsed not in prefix:
        return False
    if prefix.version == 6 or prefix.prefixlen > 30:
        return True
    return parsed not in (prefix.network_address, prefix.broadcast_address)


def eui64_number(cidr: str, mac_address: str) -> int:
    """Return the address, as a number, that a port computes for itself on an IPv6 /64 from its MAC address.

    Source: RFC 4291 appendix A, modified EUI-64.
    """
    mac = int(mac_address.replace(":", ""), 16)
    interface = ((mac >> 24) ^ 0x020000) << 40 | 0xFFFE << 24 | mac & 0xFFFFFF
    return int(prefix_of(cidr).network_address) | interface


def first_overlap(cidr: str, others: Sequence[str]) -> str | None:
    """Return the first of the other prefixes that shares an address with this one."""
    prefix = prefix_of(cidr)
    return next((other for other in others if prefix_of(other).overlaps(prefix)), None)
