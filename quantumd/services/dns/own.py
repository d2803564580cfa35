"""What a network's DNS server knows by itself: names and addresses of its ports."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from quantumd.model.dns_names import LONGEST_ASKED
from quantumd.model.dns_zones import Zone
from quantumd.services.dns.wire import Code, Kind, Question, address_data, answer, name_data

_REVERSE4, _REVERSE6 = ".in-addr.arpa", ".ip6.arpa"
_BYTES4, _DIGITS6 = 4, 32
_HEX: Final = frozenset("0123456789abcdef")
_ADDRESSES: Final = (Kind.A, Kind.AAAA)


def own_answer(question: Question, zone: Zone) -> bytes | None:
    """Return the answer of a network's own server; None when others must be asked."""
    if question.fault is not Code.DONE:
        return answer(question, question.fault)
    if not question.is_internet:
        return answer(question, Code.REFUSED)
    if question.kind >= Kind.AXFR and question.kind != Kind.ANY:
        return answer(question, Code.NOT_KNOWN_HERE)
    address = reverse_of(question.name)
    return _reverse(question, zone, address) if address else _forward(question, zone)


def _forward(question: Question, zone: Zone) -> bytes | None:
    addresses = zone.addresses_of(question.name) if question.name else None
    if addresses is not None:
        found = [address_data(each) for each in addresses]
        told = [each for each in found if question.kind in (each[0], Kind.ANY)]
        return answer(question, Code.DONE, told, is_ours=True)
    # The root's own zone has names of one label, about which others ask other things.
    if question.kind in _ADDRESSES and zone.is_ours(question.name):
        return answer(question, Code.NO_SUCH_NAME, is_ours=True)
    return None


def _reverse(question: Question, zone: Zone, address: str) -> bytes | None:
    name = zone.name_of(address)
    if name is None:
        return None
    if not name or len(name) > LONGEST_ASKED:
        return answer(question, Code.NO_SUCH_NAME, is_ours=True)
    told = [(Kind.PTR, name_data(name))] if question.kind in (Kind.PTR, Kind.ANY) else []
    return answer(question, Code.DONE, told, is_ours=True)


def reverse_of(name: str) -> str:
    """Return the address that a name of in-addr.arpa or ip6.arpa stands for; '' of other names."""
    if name.endswith(_REVERSE4):
        labels = name.removesuffix(_REVERSE4).split(".")[::-1]
        if len(labels) == _BYTES4 and all(_is_byte(each) for each in labels):
            return str(IPv4Address(bytes(map(int, labels))))
    if name.endswith(_REVERSE6):
        digits = name.removesuffix(_REVERSE6).split(".")[::-1]
        if len(digits) == _DIGITS6 and all(each in _HEX for each in digits):
            return str(IPv6Address(int("".join(digits), 16)))
    return ""


def _is_byte(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255 and str(int(text)) == text
