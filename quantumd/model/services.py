"""Services that a host itself answers for its ports: where ports ask, and by which addresses it knows them.

All that ask on a host come to one place, whatever their networks and addresses. So each address of a port has another
one there, which nobody else has and from which the port follows. Nothing has to be remembered for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from attrs import frozen

TCP: Final = "tcp"
UDP: Final = "udp"


@frozen
class ServicePoint:
    """Where ports find a service, at both addresses, and at no other port or protocol of these.

    One that ``is_of_network`` ports do not find there: they ask an address of their network, which stands for it.
    """

    name: str
    protocol: str
    port: int
    ipv4: str
    ipv6: str
    is_of_network: bool = False

    @property
    def inner_ipv6(self) -> str:
        """The address that stands for ``ipv6`` where it is answered: one of the link would need the link's name."""
        return str(IPv6Address(_PREFIX << 96 | int(IPv6Address(self.ipv6)) & _LOW))


METADATA: Final = ServicePoint("metadata", TCP, 80, "169.254.169.254", "fe80::a9fe:a9fe")
"""Source: OpenStack Nova, Metadata service; the address of IPv6 is that of Neutron."""

MOST_DNS: Final = 8
"""How many addresses of each IP version a network has for its DNS server; DHCP tells those of more subnets others."""

DNS: Final = tuple(
    ServicePoint("dns", protocol, 53, f"169.254.53.{place}", f"fe80::53:{place:x}", is_of_network=True)
    for place in range(1, MOST_DNS + 1)
    for protocol in (UDP, TCP)
)
"""For each place of an address, in the order of ``dns_servers``."""

MOST_IPV4: Final = 11
"""How many IPv4 addresses of a port can ask; the others of one that has more get no answer."""

_BLOCKS: Final = (1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13)
"""The first four bits of the addresses, one for each address of a port: not those in which IPv4 has special ones."""
_BLOCK_BITS: Final = 28
_PREFIX: Final = 0xFD510000
"""The first 32 bits of IPv6 addresses; which address of the port it is and the port's number follow. 0 is no port's."""
MOST_IPV6: Final = 15
"""How many IPv6 addresses of a port can ask, beside those of the link."""
_LOW: Final = (1 << 64) - 1
LINK_LOCAL: Final = 0xFE80 << 112
LINK_LOCAL_MASK: Final = _LOW << 64


def inner_ipv4(number: int, place: int) -> int:
    """Return the address that stands for an IPv4 address of a port.

    :param number: the port's, of whose bits all but the lowest 28 are of no account.
    :param place: which of the port's IPv4 addresses it is, below MOST_IPV4.
    """
    return _BLOCKS[place] << _BLOCK_BITS | number & ((1 << _BLOCK_BITS) - 1)


def inner_prefix(number: int, place: int = 0) -> int:
    """Return the first 64 bits that stand for those of an address of a port; the others stay.

    :param place: 0 for all addresses of the link, else which of the port's other IPv6 addresses it is, from 1.
    """
    return _PREFIX << 32 | place << _BLOCK_BITS | number & ((1 << _BLOCK_BITS) - 1)


@frozen
class InnerAddress:
    """What an address says where it is answered: the port's number, without its higher bits, and which address.

    ``place`` is that of an IPv4 address, ``link_local`` an address of IPv6, and ``place6`` of another one of these.
    """

    number: int
    place: int = 0
    link_local: str = ""
    place6: int = 0


def read_inner(text: str) -> InnerAddress | None:
    """Return what an address says; None of one that stands for no port's."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    value = int(address)
    number = (value >> 64 if isinstance(address, IPv6Address) else value) & ((1 << _BLOCK_BITS) - 1)
    if not number:
        return None
    if isinstance(address, IPv6Address):
        place = value >> 64 + _BLOCK_BITS & MOST_IPV6
        if value >> 64 != inner_prefix(number, place):
            return None
        if place:
            return InnerAddress(number, place6=place)
        return InnerAddress(number, link_local=str(IPv6Address(LINK_LOCAL | value & _LOW)))
    block = value >> _BLOCK_BITS
    return InnerAddress(number, _BLOCKS.index(block)) if block in _BLOCKS else None


def asking_ipv4(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those addresses of a port that can ask over IPv4, each at its place."""
    return tuple(text for text in addresses if isinstance(ip_address(text), IPv4Address))[:MOST_IPV4]


def asking_ipv6(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those addresses of a port, beside those of the link, that can ask over IPv6, each at its place."""
    return tuple(text for text in addresses if isinstance(ip_address(text), IPv6Address))[:MOST_IPV6]


def dns_servers(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those of a network's DHCP addresses of one IP version at which it has a DNS server, each at its place."""
    return tuple(sorted(addresses, key=lambda text: int(ip_address(text))))[:MOST_DNS]


def dns_points(place: int) -> tuple[ServicePoint, ...]:
    """Return what the address at a place stands for, one for each protocol; the first place is 0."""
    return DNS[2 * place : 2 * place + 2]
