"""Router advertisements. Pure. Source: RFC 4861, 4.2 and 4.6; RFC 8106, 5.1 (RDNSS).

Of several prefixes on a link that differ in mode each says for itself whether hosts make addresses of it; the flags of
the link say what any of them needs.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv6Address, IPv6Network
from typing import Final

from quantumd.model.router_records import AdvertisedPrefix, RouterLink
from quantumd.model.subnet import AUTO_ADDRESS_MODES, DHCPV6_STATEFUL, DHCPV6_STATELESS

LIFETIME_SECONDS: Final = 1800
"""How long hosts use the router after they heard of it last: three times the longest time between advertisements."""
VALID_SECONDS: Final = 86_400
PREFERRED_SECONDS: Final = 14_400
"""Those of addresses; defaults of RFC 4861 are a month and a week, which is long for a subnet that is deleted."""

_ADVERTISEMENT: Final = 134
_HOPS: Final = 64
_MANAGED, _OTHER = 0x80, 0x40
_ON_LINK, _AUTONOMOUS = 0x80, 0x40
_SOURCE, _PREFIX, _MTU, _DNS = 1, 3, 5, 25
_HEAD = struct.Struct("!BBHBBHII")
_PREFIX_OPTION = struct.Struct("!BBBBIII16s")


Times = Callable[[str], tuple[int, int] | None]
"""Returns for how many seconds a prefix is preferred and valid at most; None when nobody limits that."""


def for_ever(prefix: str) -> None:
    """See Times: nobody limits it."""


def advertisement(
    link: RouterLink,
    lifetime_seconds: int = LIFETIME_SECONDS,
    times: Times = for_ever,
    withdrawn: Iterable[AdvertisedPrefix] = (),
) -> bytes:
    """Return the message for a link, its checksum 0; with a lifetime of 0 hosts use the router no more.

    Of ``withdrawn`` prefixes hosts begin nothing new (RFC 4862, 5.5.3; RFC 9096, 3.5).
    """
    modes = {each.mode for each in link.advertised}
    flags = (_MANAGED if DHCPV6_STATEFUL in modes else 0) | (_OTHER if DHCPV6_STATELESS in modes else 0)
    head = _HEAD.pack(_ADVERTISEMENT, 0, 0, _HOPS, flags, lifetime_seconds, 0, 0)
    prefixes = (*(_prefix(each, times(each.prefix)) for each in link.advertised), *map(_withdrawn, withdrawn))
    return head + b"".join(_options(link, lifetime_seconds, prefixes))


def _options(link: RouterLink, lifetime_seconds: int, prefixes: Iterable[bytes]) -> Iterator[bytes]:
    yield struct.pack("!BB6s", _SOURCE, 1, bytes.fromhex(link.mac_address.replace(":", "")))
    yield struct.pack("!BBHI", _MTU, 1, 0, link.mtu_bytes)
    yield from prefixes
    servers = tuple(dict.fromkeys(server for each in link.advertised for server in each.dns_nameservers))
    if servers:
        addresses = b"".join(IPv6Address(each).packed for each in servers)
        yield struct.pack("!BBHI", _DNS, 1 + 2 * len(servers), 0, lifetime_seconds) + addresses


def _prefix(advertised: AdvertisedPrefix, most: tuple[int, int] | None) -> bytes:
    preferred, valid = (VALID_SECONDS, VALID_SECONDS) if most is None else most
    return _encoded(advertised, min(preferred, PREFERRED_SECONDS), min(valid, VALID_SECONDS))


def _withdrawn(advertised: AdvertisedPrefix) -> bytes:
    return _encoded(advertised, 0, 0)


def _encoded(advertised: AdvertisedPrefix, preferred_seconds: int, valid_seconds: int) -> bytes:
    network = IPv6Network(advertised.prefix)
    flags = _ON_LINK | (_AUTONOMOUS if advertised.mode in AUTO_ADDRESS_MODES else 0)
    prefix = network.network_address.packed
    return _PREFIX_OPTION.pack(_PREFIX, 4, network.prefixlen, flags, valid_seconds, preferred_seconds, 0, prefix)
