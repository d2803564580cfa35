"""A port's own DHCPv6 options: names and values as users of Neutron write them for dnsmasq.

Sources: RFC 8415 and IANA's list of DHCPv6 options for the numbers; see ``extra_values`` for the values.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import AddressValueError, IPv6Address

from quantumd.dhcp.domain_names import encode_name, encode_names
from quantumd.dhcp.extra_values import Encoder, guessed, number_of, option_code, text, words_of
from quantumd.edge.dhcpv6.messages import Option6, encode_option6
from quantumd.model.records import ExtraOption

_NAMES = {
    "sip-server-domain": 21,
    "sip-server": 22,
    "dns-server": 23,
    "domain-search": 24,
    "nis-server": 27,
    "nis+-server": 28,
    "nis-domain": 29,
    "nis+-domain": 30,
    "sntp-server": 31,
    "information-refresh-time": 32,
    "posix-timezone": 41,
    "tzdb-timezone": 42,
    "ntp-server": 56,
    "bootfile-url": 59,
    "bootfile-param": 60,
}
_PROTOCOL = frozenset((*range(1, 21), 25, 26, 37, 38, 39, 40, 44, 45, 46, 47, 66, 82, 83))
"""Options that the server, relays or clients speak the protocol with; no user sets them."""
_HIGHEST = 0xFFFF
_NTP_ADDRESS, _NTP_NAME = 1, 3


def extra_options6(options: Iterable[ExtraOption]) -> tuple[Option6, ...]:
    """Return the options of IPv6 among those of a port as they travel; what is not understood is left out."""
    found: dict[int, bytes] = {}
    for option in options:
        code = option_code(option.name, _NAMES, _PROTOCOL, _HIGHEST) if option.ip_version == 6 else None
        if code is None:
            continue
        try:
            found[code] = _ENCODERS.get(code, _guessed)(option.value)
        except ValueError:
            continue
    return tuple(found.items())


def _address(word: str) -> bytes:
    return IPv6Address(word.removeprefix("[").removesuffix("]")).packed


def _addresses(value: str) -> bytes:
    return b"".join(map(_address, words_of(value)))


def _names(value: str) -> bytes:
    return encode_names(words_of(value))


def _parameters(value: str) -> bytes:
    """RFC 5970 3.2: each with its length."""
    words = [word.encode() for word in words_of(value)]
    return b"".join(len(word).to_bytes(2, "big") + word for word in words)


def _ntp_servers(value: str) -> bytes:
    """RFC 5908 4: addresses and names, each an option inside of the option."""
    return b"".join(map(_ntp_server, words_of(value)))


def _ntp_server(word: str) -> bytes:
    try:
        return encode_option6(_NTP_ADDRESS, _address(word))
    except AddressValueError:
        return encode_option6(_NTP_NAME, encode_name(word))


def _guessed(value: str) -> bytes:
    return guessed(value, _addresses)


_ENCODERS: dict[int, Encoder] = {
    **dict.fromkeys((22, 23, 27, 28, 31), _addresses),
    **dict.fromkeys((21, 24, 29, 30), _names),
    **dict.fromkeys((41, 42, 59), text),
    32: number_of(4),
    56: _ntp_servers,
    60: _parameters,
}
