"""A port's own DHCPv4 options: names and values as users of Neutron write them for dnsmasq, to boot machines mostly.

Sources: RFC 2132 and IANA's list of BOOTP and DHCP options for the numbers; see ``extra_values`` for the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from quantumd.dhcp.addresses import NO_ADDRESS
from quantumd.dhcp.classless import encode_routes
from quantumd.dhcp.domain_names import encode_names
from quantumd.dhcp.extra_values import Encoder, guessed, number_of, option_code, text, words_of
from quantumd.model.records import ExtraOption

_NAMES = {
    "netmask": 1,
    "time-offset": 2,
    "router": 3,
    "dns-server": 6,
    "log-server": 7,
    "lpr-server": 9,
    "hostname": 12,
    "boot-file-size": 13,
    "domain-name": 15,
    "swap-server": 16,
    "root-path": 17,
    "extension-path": 18,
    "ip-forward-enable": 19,
    "non-local-source-routing": 20,
    "max-datagram-reassembly": 22,
    "default-ttl": 23,
    "mtu": 26,
    "all-subnets-local": 27,
    "broadcast": 28,
    "router-discovery": 31,
    "router-solicitation": 32,
    "static-route": 33,
    "trailer-encapsulation": 34,
    "arp-timeout": 35,
    "ethernet-encap": 36,
    "tcp-ttl": 37,
    "tcp-keepalive": 38,
    "nis-domain": 40,
    "nis-server": 41,
    "ntp-server": 42,
    "vendor-encap": 43,
    "netbios-ns": 44,
    "netbios-dd": 45,
    "netbios-nodetype": 46,
    "netbios-scope": 47,
    "x-windows-fs": 48,
    "x-windows-dm": 49,
    "vendor-class": 60,
    "nis+-domain": 64,
    "nis+-server": 65,
    "tftp-server": 66,
    "bootfile-name": 67,
    "mobile-ip-home": 68,
    "smtp-server": 69,
    "pop3-server": 70,
    "nntp-server": 71,
    "irc-server": 74,
    "domain-search": 119,
    "sip-server": 120,
    "classless-static-route": 121,
    "tftp-server-address": 150,
}
_PROTOCOL = frozenset((*range(50, 60), 61, 80, 81, 82))
"""Options that the server, relays or clients speak the protocol with; no user sets them."""
_NEXT_SERVER = "server-ip-address"
"""No option: the address in the head of a message from which a machine takes its boot file."""
_HIGHEST = 254
_ROUTER, _TFTP_SERVER, _BOOT_FILE, _ROUTES, _MICROSOFT_ROUTES = 3, 66, 67, 121, 249
_MAY_BE_BLANK = frozenset({_ROUTER, _ROUTES, _MICROSOFT_ROUTES})
_LONGEST_SERVER_NAME, _LONGEST_FILE_NAME = 63, 127


@frozen
class Extra:
    """What a port has of its own: options by number, and the next server (4 bytes) in the head of messages.

    An option without a value is not sent, whatever the network says of it.
    """

    options: Mapping[int, bytes] = field(factory=dict)
    next_server: bytes = NO_ADDRESS

    @property
    def server_name(self) -> bytes:
        """What the head calls the server from which a machine boots; b'' where that finds no room."""
        return _short(self.options.get(_TFTP_SERVER, b""), _LONGEST_SERVER_NAME)

    @property
    def file_name(self) -> bytes:
        """The boot file in the head; b'' where that finds no room."""
        return _short(self.options.get(_BOOT_FILE, b""), _LONGEST_FILE_NAME)


NOTHING_EXTRA = Extra()


def extra_options4(options: Iterable[ExtraOption]) -> Extra:
    """Return what a port's options of IPv4 ask for; what is not understood is left out."""
    found: dict[int, bytes] = {}
    next_server = NO_ADDRESS
    for option in options:
        if option.ip_version != 4:
            continue
        try:
            if option.name.lower() == _NEXT_SERVER:
                next_server = _address(option.value)
                continue
            code = option_code(option.name, _NAMES, _PROTOCOL, _HIGHEST)
            if code is not None:
                found[code] = _encoded(code, option.value)
        except ValueError:
            continue
    return Extra(found, next_server)


def _encoded(code: int, value: str) -> bytes:
    if code in _MAY_BE_BLANK and not value.strip():
        return b""
    encoded = _ENCODERS.get(code, _guessed)(value)
    if not encoded:
        raise ValueError("an option without a value")
    return encoded


def _short(value: bytes, most: int) -> bytes:
    return value if len(value) <= most else b""


def _address(word: str) -> bytes:
    parts = word.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise ValueError(f"{word!r} is no IPv4 address")
    return bytes(map(int, parts))


def _addresses(value: str) -> bytes:
    return b"".join(map(_address, words_of(value)))


def _names(value: str) -> bytes:
    return encode_names(words_of(value))


def _routes(value: str) -> bytes:
    """Destinations and next hops in turn."""
    words = words_of(value)
    if len(words) % 2:
        raise ValueError("a destination without a next hop")
    return encode_routes(zip(map(_destination, words[::2]), map(_address, words[1::2]), strict=True))


def _destination(word: str) -> str:
    address, _, length = word.partition("/")
    _address(address)
    if length and not (length.isascii() and length.isdecimal() and int(length) <= 32):
        raise ValueError(f"{word!r} is no prefix")
    return f"{address}/{length or 32}"


def _guessed(value: str) -> bytes:
    return guessed(value, _addresses)


_ENCODERS: dict[int, Encoder] = {
    **dict.fromkeys((1, *range(3, 12), 16, 28, 32, 33, 41, 42, 44, 45, 48, 49, 65, *range(68, 77), 150), _addresses),
    **dict.fromkeys((12, 14, 15, 17, 18, 40, 47, 60, 62, 64, 66, 67, 100, 101, 114, 209, 210), text),
    **dict.fromkeys((19, 20, 23, 27, 29, 30, 31, 34, 36, 37, 39, 46), number_of(1)),
    **dict.fromkeys((13, 22, 26), number_of(2)),
    **dict.fromkeys((2, 24, 35, 38, 211), number_of(4)),
    **dict.fromkeys((_ROUTES, _MICROSOFT_ROUTES), _routes),
    119: _names,
}
