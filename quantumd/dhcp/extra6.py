"""A port's own DHCPv6 options: names and values as users of Neutron write them for dnsmasq.

Sources: RFC 8415 and IANA's list of DHCPv6 options for the numbers; dnsmasq(8), --dhcp-option, for how values are
written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import AddressValueError, IPv6Address

from quantumd.dhcp.message6 import Option6, encode_option6
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
_LONGEST_LABEL, _LONGEST_NAME = 63, 253
_NTP_ADDRESS, _NTP_NAME = 1, 3


def extra_options6(options: Iterable[ExtraOption]) -> tuple[Option6, ...]:
    """Return the options of IPv6 among those of a port as they travel; what is not understood is left out."""
    found: dict[int, bytes] = {}
    for option in options:
        code = _code(option.name) if option.ip_version == 6 else None
        if code is None:
            continue
        try:
            found[code] = _ENCODERS.get(code, _guessed)(option.value)
        except ValueError:
            continue
    return tuple(found.items())


def _code(name: str) -> int | None:
    code = int(name) if name.isascii() and name.isdecimal() else _NAMES.get(name.lower())
    return None if code is None or not 0 < code <= _HIGHEST or code in _PROTOCOL else code


def encode_names(names: Iterable[str]) -> bytes:
    """Return domain names as a list of labels (RFC 1035 3.1). ValueError when one is none."""
    return b"".join(map(_encode_name, names))


def _encode_name(name: str) -> bytes:
    labels = name.rstrip(".").encode("ascii").split(b".")
    if len(name) > _LONGEST_NAME or not all(0 < len(label) <= _LONGEST_LABEL for label in labels):
        raise ValueError(f"{name!r} is no domain name")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",")]


def _address(word: str) -> bytes:
    return IPv6Address(word.removeprefix("[").removesuffix("]")).packed


def _addresses(value: str) -> bytes:
    return b"".join(map(_address, _words(value)))


def _names(value: str) -> bytes:
    return encode_names(_words(value))


def _text(value: str) -> bytes:
    return value.encode()


def _parameters(value: str) -> bytes:
    """RFC 5970 3.2: each with its length."""
    words = [word.encode() for word in _words(value)]
    return b"".join(len(word).to_bytes(2, "big") + word for word in words)


def _seconds(value: str) -> bytes:
    seconds = int(value)
    if not 0 <= seconds <= 0xFFFFFFFF:
        raise ValueError(f"{value!r} is no time of 32 bits")
    return seconds.to_bytes(4, "big")


def _ntp_servers(value: str) -> bytes:
    """RFC 5908 4: addresses and names, each an option inside of the option."""
    return b"".join(map(_ntp_server, _words(value)))


def _ntp_server(word: str) -> bytes:
    try:
        return encode_option6(_NTP_ADDRESS, _address(word))
    except AddressValueError:
        return encode_option6(_NTP_NAME, _encode_name(word))


def _guessed(value: str) -> bytes:
    """Return the bytes of a value of which only the number of its option is known.

    Hexadecimal bytes with colons, addresses in brackets, a number in as many bytes as it needs, else the text.
    """
    parts = value.split(":")
    if len(parts) > 1 and all(len(part) == 2 for part in parts):
        return bytes.fromhex("".join(parts))
    if value.startswith("["):
        return _addresses(value)
    if value.isascii() and value.isdecimal():
        number = int(value)
        length = next((size for size in (1, 2, 4) if number < 1 << 8 * size), None)
        return _text(value) if length is None else number.to_bytes(length, "big")
    return _text(value)


_ENCODERS: dict[int, Callable[[str], bytes]] = {
    **dict.fromkeys((22, 23, 27, 28, 31), _addresses),
    **dict.fromkeys((21, 24, 29, 30), _names),
    **dict.fromkeys((41, 42, 59), _text),
    32: _seconds,
    56: _ntp_servers,
    60: _parameters,
}
